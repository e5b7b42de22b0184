"""Let what was credited be spent again: count it in budgets, for those before as well."""

from typing import ClassVar

from django.db import migrations

APPLY = """
CREATE OR REPLACE FUNCTION apply_hold_event_to_budget() RETURNS trigger LANGUAGE plpgsql AS $$
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
        overrun_minor = least(overrun_minor, greatest(0, held_minor + held_by + captured_minor + captured_by
            + extras_minor {credited} - limit_minor))
        WHERE project_id = hold.project_id AND currency = hold.currency;
    RETURN NULL;
END
$$;
"""
COUNT = """
UPDATE billing_projectbudget b SET
    credited_minor = n.credited,
    overrun_minor = least(overrun_minor, greatest(0, held_minor + captured_minor + extras_minor - n.credited
        - limit_minor))
FROM (
    SELECT project_id, currency, -sum(total_minor) AS credited FROM billing_invoice
    WHERE side = 'customer' AND status <> 'draft' AND total_minor < 0 GROUP BY 1, 2
) n WHERE n.project_id = b.project_id AND n.currency = b.currency;
"""


class Migration(migrations.Migration):
    """The trigger of holds, and a count."""

    dependencies: ClassVar = [("billing", "0059_let_credits_be_spent_again")]

    operations: ClassVar = [
        migrations.RunSQL(APPLY.replace("{credited}", "- credited_minor"), APPLY.replace("{credited}", "")),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
    ]
