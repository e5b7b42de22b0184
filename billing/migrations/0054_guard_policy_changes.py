"""Keep what was proposed from changing, and each change on its moves."""

from typing import ClassVar

from django.db import migrations

from accounts.foundation import guards

MOVES = {"proposed": ("approved", "declined"), "approved": (), "declined": ()}

KEPT = """
CREATE TRIGGER billing_policychange_keeps_what_it_says BEFORE UPDATE ON billing_policychange FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('status', 'row_id', 'decided_by_id', 'decided_at');
CREATE TRIGGER billing_policychange_is_decided_once BEFORE UPDATE ON billing_policychange FOR EACH ROW
    WHEN (OLD.decided_at IS NOT NULL) EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_policychange_stays BEFORE DELETE ON billing_policychange
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
"""
DROP_KEPT = """
DROP TRIGGER billing_policychange_stays ON billing_policychange;
DROP TRIGGER billing_policychange_is_decided_once ON billing_policychange;
DROP TRIGGER billing_policychange_keeps_what_it_says ON billing_policychange;
"""


class Migration(migrations.Migration):
    """Triggers over changes of the rules."""

    dependencies: ClassVar = [("billing", "0053_create_policy_changes")]

    operations: ClassVar = [
        migrations.RunSQL(KEPT, DROP_KEPT),
        guards.moves("billing_policychange", "status", MOVES),
    ]
