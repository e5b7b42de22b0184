"""Keep a budget's sums with the holds they summarise, and changes of credit limits on their moves."""

from typing import ClassVar

from django.db import migrations

from accounts.foundation import guards
from billing.wallets.rules import CHANGE_MOVES

APPLY = """
CREATE FUNCTION apply_hold_event_to_budget() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    hold billing_hold;
    held_by bigint;
    captured_by bigint;
BEGIN
    SELECT * INTO hold FROM billing_hold WHERE id = NEW.hold_id;
    held_by := CASE WHEN NEW.kind IN ('placed', 'grown') THEN NEW.amount_minor ELSE -NEW.amount_minor END;
    captured_by := CASE WHEN NEW.kind = 'captured' THEN NEW.amount_minor ELSE 0 END;
    UPDATE billing_projectbudget SET
        held_minor = held_minor + held_by,
        captured_minor = captured_minor + captured_by,
        overrun_minor = least(overrun_minor, greatest(
            0, held_minor + held_by + captured_minor + captured_by + extras_minor - limit_minor))
        WHERE project_id = hold.project_id AND currency = hold.currency;
    RETURN NULL;
END
$$;
CREATE TRIGGER billing_holdevent_counts_in_budget AFTER INSERT ON billing_holdevent
    FOR EACH ROW EXECUTE FUNCTION apply_hold_event_to_budget();
CREATE FUNCTION guard_project_budget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() = 1
        AND (NEW.held_minor, NEW.captured_minor) <> (OLD.held_minor, OLD.captured_minor) THEN
        RAISE EXCEPTION 'the sums of budget % move only with holds', OLD.id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'budget_sums_follow_holds';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER billing_projectbudget_guard BEFORE UPDATE ON billing_projectbudget
    FOR EACH ROW EXECUTE FUNCTION guard_project_budget();
CREATE TRIGGER billing_creditlimitchange_keeps_its_terms BEFORE UPDATE ON billing_creditlimitchange FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('status', 'decided_by_id', 'decided_at');
"""
DROP_APPLY = """
DROP TRIGGER billing_creditlimitchange_keeps_its_terms ON billing_creditlimitchange;
DROP TRIGGER billing_projectbudget_guard ON billing_projectbudget;
DROP FUNCTION guard_project_budget();
DROP TRIGGER billing_holdevent_counts_in_budget ON billing_holdevent;
DROP FUNCTION apply_hold_event_to_budget();
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0025_bound_projects_and_credit")]
    operations: ClassVar = [
        migrations.RunSQL(APPLY, DROP_APPLY),
        guards.moves("billing_creditlimitchange", "status", CHANGE_MOVES),
    ]
