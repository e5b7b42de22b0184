"""Keep payouts through Stripe to their transfers: sent, paid, come back and failed as those say."""

from typing import ClassVar

from django.db import migrations

MOVES = """
DROP TRIGGER billing_payout_status_moves ON billing_payout;
CREATE TRIGGER billing_payout_status_moves BEFORE UPDATE OF status ON billing_payout FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_move('status', 'accruing>due', 'due>approved',
        'approved>in_transit', 'in_transit>failed', 'in_transit>paid'{more});
"""

FOLLOWS = """
CREATE FUNCTION check_payout_follows_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    stands varchar;
BEGIN
    IF NEW.method <> 'stripe' THEN
        IF OLD.status = 'paid' THEN
            RAISE EXCEPTION 'payout % was paid by the bank and stays so', NEW.id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'payout_paid_by_bank_stays';
        END IF;
        RETURN NEW;
    END IF;
    SELECT status INTO stands FROM billing_connecttransfer WHERE payout_id = NEW.id
        AND organisation_id = NEW.organisation_id AND amount_minor = NEW.amount_minor AND currency = NEW.currency;
    IF stands IS NULL OR NEW.status = 'paid' AND stands <> 'paid'
       OR NEW.status = 'failed' AND stands NOT IN ('failed', 'reversed')
       OR OLD.status = 'paid' AND stands NOT IN ('payout_failed', 'reversed') THEN
        RAISE EXCEPTION 'payout % is % and its transfer is %', NEW.id, NEW.status, stands
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'payout_follows_its_transfer';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER billing_payout_follows_transfer BEFORE UPDATE OF status ON billing_payout FOR EACH ROW
    WHEN (NEW.status IN ('in_transit', 'paid', 'failed')) EXECUTE FUNCTION check_payout_follows_transfer();
"""
DROP_FOLLOWS = """
DROP TRIGGER billing_payout_follows_transfer ON billing_payout;
DROP FUNCTION check_payout_follows_transfer();
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0030_let_vouchers_be_given_back")]
    operations: ClassVar = [
        migrations.RunSQL(MOVES.format(more=", 'paid>in_transit'"), MOVES.format(more="")),
        migrations.RunSQL(FOLLOWS, DROP_FOLLOWS),
    ]
