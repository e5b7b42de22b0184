"""Let no more be handed back of a contract than it says, and keep what was handed back from changing."""

from typing import ClassVar

from django.db import migrations

from accounts.foundation import guards

# The contract's row is locked: two returns of one run wait for each other and see each other.
CHECK_RELEASE = """
CREATE FUNCTION check_contract_release() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    run billing_contractslot;
    most bigint;
BEGIN
    PERFORM 1 FROM billing_contract WHERE id = NEW.contract_id FOR NO KEY UPDATE;
    SELECT * INTO run FROM billing_contractslot
        WHERE id = NEW.slot_id AND contract_id = NEW.contract_id
          AND starts_at <= NEW.starts_at AND NEW.ends_at <= ends_at AND return_credit_ppm = NEW.credit_ppm;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'what is handed back is not what the contract says'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'contract_release_of_its_run';
    END IF;
    SELECT max(units) INTO most FROM (
        SELECT sum(other.quantity) AS units
        FROM billing_contractrelease edge JOIN billing_contractrelease other
          ON other.slot_id = edge.slot_id AND other.starts_at <= greatest(edge.starts_at, NEW.starts_at)
         AND other.ends_at > greatest(edge.starts_at, NEW.starts_at)
        WHERE edge.slot_id = NEW.slot_id AND edge.starts_at < NEW.ends_at AND edge.ends_at > NEW.starts_at
        GROUP BY edge.id
    ) AS at_edges;
    IF most > run.quantity THEN
        RAISE EXCEPTION '% units of % would be handed back', most, run.quantity
            USING ERRCODE = 'check_violation', CONSTRAINT = 'contract_release_within_its_run';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER billing_contractrelease_of_its_run AFTER INSERT ON billing_contractrelease
    FOR EACH ROW EXECUTE FUNCTION check_contract_release();
"""
UNCHECK_RELEASE = """
DROP TRIGGER billing_contractrelease_of_its_run ON billing_contractrelease;
DROP FUNCTION check_contract_release();
"""


class Migration(migrations.Migration):
    """Triggers over what was handed back."""

    dependencies: ClassVar = [("billing", "0017_let_contracts_be_handed_back_in_part")]

    operations: ClassVar = [
        migrations.RunSQL(CHECK_RELEASE, UNCHECK_RELEASE),
        guards.append_only("billing_contractrelease"),
    ]
