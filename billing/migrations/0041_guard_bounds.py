"""Keep bounds and parked accounts from being rewritten, and bill nobody who is parked."""

from typing import ClassVar

from django.db import migrations

from accounts.foundation import guards

PARKINGS = """
CREATE TRIGGER billing_parking_keeps_its_reason BEFORE UPDATE ON billing_parking FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('reason', 'asked_by_id', 'asked_at', 'released_by_id', 'released_at');
CREATE TRIGGER billing_parking_is_released_once BEFORE UPDATE ON billing_parking FOR EACH ROW
    WHEN (OLD.released_at IS NOT NULL) EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_parking_is_asked_once BEFORE UPDATE ON billing_parking FOR EACH ROW
    WHEN (OLD.asked_by_id IS NOT NULL AND (NEW.asked_by_id, NEW.asked_at, NEW.reason)
        IS DISTINCT FROM (OLD.asked_by_id, OLD.asked_at, OLD.reason)) EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_parking_stays BEFORE DELETE ON billing_parking
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
"""
DROP_PARKINGS = """
DROP TRIGGER billing_parking_stays ON billing_parking;
DROP TRIGGER billing_parking_is_asked_once ON billing_parking;
DROP TRIGGER billing_parking_is_released_once ON billing_parking;
DROP TRIGGER billing_parking_keeps_its_reason ON billing_parking;
"""

# What a run had drawn for the party before, in the same transaction, goes on; corrections are drawn by people.
NOT_WHILE_PARKED = """
CREATE FUNCTION check_party_is_not_parked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM billing_parking
        WHERE organisation_id = NEW.organisation_id AND side = NEW.side AND released_at IS NULL
          AND parked_at < NEW.created_at;
    IF FOUND THEN
        RAISE EXCEPTION 'nothing is billed to % while it is parked', NEW.organisation_id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'invoice_not_while_parked';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER billing_invoice_not_while_parked BEFORE UPDATE ON billing_invoice FOR EACH ROW
    WHEN (OLD.status = 'draft' AND NEW.reason <> 'correction') EXECUTE FUNCTION check_party_is_not_parked();
"""
DROP_NOT_WHILE_PARKED = """
DROP TRIGGER billing_invoice_not_while_parked ON billing_invoice;
DROP FUNCTION check_party_is_not_parked();
"""


class Migration(migrations.Migration):
    """Triggers over bounds, parked accounts and what is billed to them."""

    dependencies: ClassVar = [("billing", "0040_create_bounds")]

    operations: ClassVar = [
        migrations.RunSQL(PARKINGS, DROP_PARKINGS),
        migrations.RunSQL(NOT_WHILE_PARKED, DROP_NOT_WHILE_PARKED),
        guards.append_only("billing_billbound"),
    ]
