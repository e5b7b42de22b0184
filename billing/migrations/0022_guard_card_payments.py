"""Keep card payments, refunds, disputes and messages on their moves, and what was asked or told from changing."""

from typing import ClassVar

from django.db import migrations

from accounts.foundation import guards
from billing.cards.rules import DISPUTE_MOVES, PAYMENT_MOVES, REFUND_MOVES, SETUP_MOVES
from billing.webhooks.rules import EVENT_MOVES

KEPT = """
CREATE TRIGGER billing_cardpayment_keeps_its_terms BEFORE UPDATE ON billing_cardpayment FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('status', 'session_id', 'intent_id', 'charge_id', 'url', 'failure',
        'refunded_minor', 'transaction_id', 'succeeded_at');
CREATE TRIGGER billing_cardpayment_stays BEFORE DELETE ON billing_cardpayment
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_cardrefund_keeps_its_terms BEFORE UPDATE ON billing_cardrefund FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('status', 'stripe_id', 'failure', 'transaction_id', 'approved_by_id');
CREATE TRIGGER billing_cardrefund_stays BEFORE DELETE ON billing_cardrefund
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_carddispute_keeps_its_terms BEFORE UPDATE ON billing_carddispute FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('status', 'closed_at');
CREATE TRIGGER billing_carddispute_stays BEFORE DELETE ON billing_carddispute
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_stripeevent_keeps_what_was_told BEFORE UPDATE ON billing_stripeevent FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('state', 'handled_at', 'note');
CREATE TRIGGER billing_stripeevent_stays BEFORE DELETE ON billing_stripeevent
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
"""
DROP_KEPT = """
DROP TRIGGER billing_stripeevent_stays ON billing_stripeevent;
DROP TRIGGER billing_stripeevent_keeps_what_was_told ON billing_stripeevent;
DROP TRIGGER billing_carddispute_stays ON billing_carddispute;
DROP TRIGGER billing_carddispute_keeps_its_terms ON billing_carddispute;
DROP TRIGGER billing_cardrefund_stays ON billing_cardrefund;
DROP TRIGGER billing_cardrefund_keeps_its_terms ON billing_cardrefund;
DROP TRIGGER billing_cardpayment_stays ON billing_cardpayment;
DROP TRIGGER billing_cardpayment_keeps_its_terms ON billing_cardpayment;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0021_create_card_payments")]
    operations: ClassVar = [
        migrations.RunSQL(KEPT, DROP_KEPT),
        guards.moves("billing_cardpayment", "status", PAYMENT_MOVES),
        guards.moves("billing_methodsetup", "status", SETUP_MOVES),
        guards.moves("billing_cardrefund", "status", REFUND_MOVES),
        guards.moves("billing_carddispute", "status", DISPUTE_MOVES),
        guards.moves("billing_stripeevent", "state", EVENT_MOVES),
    ]
