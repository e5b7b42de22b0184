"""Keep what Stripe sends to our bank on its moves, and what was sent from changing."""

from typing import ClassVar

from django.db import migrations

from accounts.foundation import guards
from billing.gateway.rules import OWN_PAYOUT_MOVES

KEPT = """
CREATE TRIGGER billing_stripepayout_keeps_its_figures BEFORE UPDATE ON billing_stripepayout FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('status', 'failure', 'transaction_id');
CREATE TRIGGER billing_stripepayout_stays BEFORE DELETE ON billing_stripepayout
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
"""
DROP_KEPT = """
DROP TRIGGER billing_stripepayout_stays ON billing_stripepayout;
DROP TRIGGER billing_stripepayout_keeps_its_figures ON billing_stripepayout;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0043_keep_stripe_payouts")]
    operations: ClassVar = [
        migrations.RunSQL(KEPT, DROP_KEPT),
        guards.moves("billing_stripepayout", "status", OWN_PAYOUT_MOVES),
    ]
