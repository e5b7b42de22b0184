"""Keep the bank's statements from changing, and let a receipt in suspense be split or sent back."""

from typing import ClassVar

from django.db import migrations

from accounts.foundation import guards
from billing.payments.rules import RECEIPT_MOVES

DROP_MOVES = "DROP TRIGGER billing_bankreceipt_status_moves ON billing_bankreceipt;"
FORMER_MOVES = """
CREATE TRIGGER billing_bankreceipt_status_moves BEFORE UPDATE OF status ON billing_bankreceipt FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION check_move('status', 'unmatched>matched');
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0023_keep_bank_statements")]
    operations: ClassVar = [
        guards.append_only("billing_bankstatement", "billing_bankentry", "billing_receiptpart"),
        migrations.RunSQL(DROP_MOVES, FORMER_MOVES),
        guards.moves("billing_bankreceipt", "status", RECEIPT_MOVES),
    ]
