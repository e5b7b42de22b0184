"""Compare usage events and charges with what they belong to once for each statement, not once for each row.

Metering points, contracts and runs of a schedule neither go away nor change whose they are, so that it is enough to
look when a row comes in. Charges lose the indexes that others begin with, or that no query asks for.
"""

from typing import ClassVar

from django.db import migrations

TABLES = ("billing_usageevent", *(f"billing_usageevent_p{n}" for n in range(8)))

CHECKS = """
CREATE TRIGGER billing_meteringpoint_stays BEFORE DELETE ON billing_meteringpoint
    FOR EACH ROW EXECUTE FUNCTION forbid_change();

CREATE FUNCTION check_usage_of_its_point() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM (SELECT DISTINCT metering_point_id, contract_id, organisation_id, project_id FROM added) event
        LEFT JOIN billing_meteringpoint point ON point.id = event.metering_point_id
            AND point.contract_id = event.contract_id AND point.provider_id = event.organisation_id
        LEFT JOIN billing_contract contract ON contract.id = event.contract_id
            AND contract.project_id = event.project_id
        WHERE point.id IS NULL OR contract.id IS NULL;
    IF FOUND THEN
        RAISE EXCEPTION 'a usage event names a contract, provider or project that is not its metering point''s'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'usage_event_of_its_point';
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION check_charge_of_its_contract() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM (SELECT DISTINCT contract_id, offering_id, slot_id FROM added) charge
        WHERE NOT EXISTS (
            SELECT 1 FROM billing_contractslot slot
            WHERE slot.contract_id = charge.contract_id AND slot.offering_id = charge.offering_id
                AND (charge.slot_id IS NULL OR charge.slot_id = slot.id)
        );
    IF FOUND THEN
        RAISE EXCEPTION 'a charge names an offering or a run of the schedule that is not its contract''s'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'charge_of_its_contract';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER billing_charge_of_its_contract AFTER INSERT ON billing_charge REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION check_charge_of_its_contract();
"""
DROP_CHECKS = """
DROP TRIGGER billing_charge_of_its_contract ON billing_charge;
DROP FUNCTION check_charge_of_its_contract();
DROP FUNCTION check_usage_of_its_point();
DROP TRIGGER billing_meteringpoint_stays ON billing_meteringpoint;
"""
# A statement fires the triggers of the table that it names, and no partition's.
FIRE = "".join(
    f"CREATE TRIGGER {table}_of_its_point AFTER INSERT ON {table} REFERENCING NEW TABLE AS added"
    " FOR EACH STATEMENT EXECUTE FUNCTION check_usage_of_its_point();"
    for table in TABLES
)
NO_FIRE = "".join(f"DROP TRIGGER {table}_of_its_point ON {table};" for table in TABLES)

KEYS = """
ALTER TABLE billing_usageevent
    DROP CONSTRAINT usage_event_of_its_point, DROP CONSTRAINT usage_event_of_its_project;
"""
RESTORE_KEYS = """
ALTER TABLE billing_usageevent
    ADD CONSTRAINT usage_event_of_its_point FOREIGN KEY (metering_point_id, contract_id, organisation_id)
        REFERENCES billing_meteringpoint (id, contract_id, provider_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT usage_event_of_its_project FOREIGN KEY (contract_id, project_id)
        REFERENCES billing_contract (id, project_id) DEFERRABLE INITIALLY DEFERRED;
"""


class Migration(migrations.Migration):
    """Triggers of statements for keys of rows."""

    dependencies: ClassVar = [("billing", "0033_guard_pauses")]

    operations: ClassVar = [
        migrations.RunSQL(CHECKS, DROP_CHECKS),
        migrations.RunSQL(FIRE, NO_FIRE),
        migrations.RunSQL(KEYS, RESTORE_KEYS),
    ]
