"""Keep calls, balance rows and transfers on their moves, and what was asked from changing."""

from typing import ClassVar

from django.db import migrations

from accounts.foundation import guards
from billing.connect.rules import ONBOARDING_MOVES, TRANSFER_MOVES
from billing.gateway.rules import CALL_MOVES

KEPT = """
CREATE TRIGGER billing_gatewaycall_keeps_what_was_asked BEFORE UPDATE ON billing_gatewaycall FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('state', 'attempts', 'first_sent_at', 'answered_at', 'object_id',
        'object_url', 'object_status', 'refusal_code', 'refusal');
CREATE TRIGGER billing_gatewaycall_stays BEFORE DELETE ON billing_gatewaycall
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_balancetransaction_keeps_its_figures BEFORE UPDATE ON billing_balancetransaction FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('status', 'payout_id');
CREATE TRIGGER billing_balancetransaction_stays BEFORE DELETE ON billing_balancetransaction
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_connecttransfer_keeps_its_terms BEFORE UPDATE ON billing_connecttransfer FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('status', 'reversed_minor', 'transfer_stripe_id', 'payout_stripe_id',
        'failure', 'changed_at');
CREATE TRIGGER billing_connecttransfer_stays BEFORE DELETE ON billing_connecttransfer
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
"""
DROP_KEPT = """
DROP TRIGGER billing_connecttransfer_stays ON billing_connecttransfer;
DROP TRIGGER billing_connecttransfer_keeps_its_terms ON billing_connecttransfer;
DROP TRIGGER billing_balancetransaction_stays ON billing_balancetransaction;
DROP TRIGGER billing_balancetransaction_keeps_its_figures ON billing_balancetransaction;
DROP TRIGGER billing_gatewaycall_stays ON billing_gatewaycall;
DROP TRIGGER billing_gatewaycall_keeps_what_was_asked ON billing_gatewaycall;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0019_create_the_gateway")]
    operations: ClassVar = [
        migrations.RunSQL(KEPT, DROP_KEPT),
        guards.moves("billing_gatewaycall", "state", CALL_MOVES),
        guards.moves("billing_connectedaccount", "status", ONBOARDING_MOVES),
        guards.moves("billing_connecttransfer", "status", TRANSFER_MOVES),
        guards.moves(
            "billing_transferreversal", "status", {"preparing": ["done", "refused"], "done": [], "refused": []}
        ),
        guards.moves("billing_balancetransaction", "status", {"pending": ["available"], "available": []}),
    ]
