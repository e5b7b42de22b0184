"""What Stripe sent us as the bank shows it: a receipt is matched with its payout, and nothing is credited to anybody.

The payout itself is posted by `billing.gateway.own_payouts`. A receipt that came before its payout was known stands in
suspense; once it is matched the bank is debited by the payout alone.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from billing.gateway.models import StripePayout
from billing.gateway.rules import OwnPayoutStatus
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Source, credit, debit
from billing.payments import steps
from billing.payments.models import BankReceipt
from billing.payments.rules import BankLine, ReceiptStatus

ACTOR: Final = Actor.system("payments")
# Banks book a payout up to so many days before or after the day that Stripe names.
_AROUND: Final = timedelta(days=3)
_EXPECTED: Final = (OwnPayoutStatus.PENDING, OwnPayoutStatus.IN_TRANSIT, OwnPayoutStatus.PAID)


def fitting(line: BankLine) -> StripePayout | None:
    """Return the one payout that a line of the bank can be: its amount and day, from Stripe by the bank's own words."""
    if not _names_stripe(line.payer, line.remittance):
        return None
    return the_one(line, waiting(line.amount.currency, [line.amount.amount_minor]))


def waiting(currency: str, amounts_minor: Iterable[int]) -> QuerySet[StripePayout]:
    """Return the payouts of these amounts that no receipt has shown yet."""
    expected = StripePayout.objects.filter(status__in=_EXPECTED, receipt__isnull=True)
    return expected.filter(currency=currency, amount_minor__in=set(amounts_minor)).order_by("id")


def the_one(line: BankLine, payouts: Iterable[StripePayout]) -> StripePayout | None:
    """Return the one of some payouts of its amount that a line of the bank can be; None when several can."""
    if not _names_stripe(line.payer, line.remittance):
        return None
    first, last = _around(line.value_date)
    found = [payout for payout in payouts if first <= payout.arrives_on <= last]
    return found[0] if len(found) == 1 else None


@transaction.atomic
def match_waiting(payout: StripePayout, *, now: datetime) -> bool:
    """Match a paid payout with the one receipt in suspense that can be it; False when there is none, or several."""
    if payout.status != OwnPayoutStatus.PAID or BankReceipt.objects.filter(stripe_payout=payout).exists():
        return False
    unmatched = BankReceipt.objects.select_for_update(no_key=True).filter(
        status=ReceiptStatus.UNMATCHED,
        amount_minor=payout.amount_minor,
        currency=payout.currency,
        value_date__range=_around(payout.arrives_on),
    )
    found = [row for row in unmatched.order_by("id") if _names_stripe(row.payer, row.remittance)]
    if len(found) != 1:
        return False
    (receipt,) = found
    ledger.post(
        Source("bank_receipt", receipt.id, "stripe_payout"),
        [debit(Code.SUSPENSE, receipt.amount_minor), credit(Code.BANK, receipt.amount_minor)],
        currency=receipt.currency,
        effective_at=now,
        now=now,
        memo=f"Bank receipt {receipt.bank_reference} is Stripe payout {payout.stripe_id}",
    )
    link(ACTOR, receipt, payout, now=now)
    return True


def link(actor: Actor, receipt: BankReceipt, payout: StripePayout, *, now: datetime) -> None:
    """Mark a receipt as what the bank shows of a payout."""
    receipt.status, receipt.stripe_payout, receipt.matched_at = ReceiptStatus.MATCHED, payout, now
    receipt.save(update_fields=["status", "stripe_payout", "matched_at"])
    audit.record_all([steps.linked(actor, receipt, payout, now=now)])


def _names_stripe(payer: str, remittance: str) -> bool:
    return "stripe" in f"{payer} {remittance}".lower()


def _around(day: date) -> tuple[date, date]:
    return day - _AROUND, day + _AROUND
