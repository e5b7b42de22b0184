"""Many receipts of one statement, written as sets: what each does is as if it had been recorded and matched in turn.

Rows are locked in one order: the top-ups by id, the bank receipts, then the ledger's accounts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from psycopg.errors import UniqueViolation

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.audit.models import AuditRecord
from accounts.events import services as events
from accounts.events.models import Event
from accounts.foundation import rows
from billing.gateway.models import StripePayout
from billing.ledger import many as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Posting
from billing.payments import rules, steps
from billing.payments.errors import ReceiptKnown
from billing.payments.models import BankReceipt, TopUp
from billing.payments.rules import ReceiptStatus, TopUpStatus


@dataclass
class Taking:
    """A receipt, new or typed before, and what it was found to be: a locked top-up, a payout of Stripe's, or neither.

    `stood_in_suspense` says that it was nobody's first, as what is recognised by its payer's account is.
    """

    receipt: BankReceipt
    is_new: bool
    top_up: TopUp | None = None
    payout: StripePayout | None = None
    stood_in_suspense: bool = False


@transaction.atomic
def take_all(actor: Actor, takings: Sequence[Taking], *, currency: str, now: datetime) -> None:
    """Write receipts of one currency with their postings, records and events; raises ReceiptKnown."""
    actor.require(Capability.OPERATE_BOOKS)
    made = _Made(actor, now)
    for taking in takings:
        made.add(taking)
    _insert([taking.receipt for taking in takings if taking.is_new])
    matched = [taking.receipt for taking in takings if taking.top_up is not None and not taking.is_new]
    rows.update(matched, ["status", "top_up", "matched_at"])
    if made.postings:
        ledger.post_all(made.postings, currency=currency, now=now)
    top_ups = [taking.top_up for taking in takings if taking.top_up is not None]
    rows.update(top_ups, ["status", "confirmed_by", "confirmed_at"])
    audit.record_all(made.records)
    events.emit_all(made.told)


class _Made:
    """What the takings come to, in their order."""

    def __init__(self, actor: Actor, now: datetime) -> None:
        self._actor, self._now = actor, now
        self.postings: list[Posting] = []
        self.records: list[AuditRecord] = []
        self.told: list[Event] = []

    def add(self, taking: Taking) -> None:
        receipt, now = taking.receipt, self._now
        if taking.is_new:
            self.records.append(steps.recorded(self._actor, receipt, now=now))
        if taking.payout is not None:
            receipt.status, receipt.stripe_payout, receipt.matched_at = ReceiptStatus.MATCHED, taking.payout, now
            self.records.append(steps.linked(self._actor, receipt, taking.payout, now=now))
        elif taking.is_new and (taking.top_up is None or taking.stood_in_suspense):
            self.postings.append(steps.suspension(receipt, now=now))
            self.told.append(steps.unmatched(receipt, now=now))
        if taking.top_up is not None:
            self._confirm(taking.top_up, taking)

    def _confirm(self, top_up: TopUp, taking: Taking) -> None:
        receipt, now = taking.receipt, self._now
        rules.check_move(TopUpStatus(top_up.status), TopUpStatus.CONFIRMED)
        source = Code.SUSPENSE if taking.stood_in_suspense else Code.BANK
        self.postings.append(steps.confirmation(top_up, taken_from=source, now=now))
        before = top_up.status
        top_up.status, top_up.confirmed_by_id, top_up.confirmed_at = TopUpStatus.CONFIRMED, self._actor.user_id, now
        record, told = steps.changed(
            self._actor, top_up, "confirm", before, now=now, bank_reference=receipt.bank_reference
        )
        self.records.append(record)
        self.told.append(told)
        receipt.status, receipt.top_up, receipt.matched_at = ReceiptStatus.MATCHED, top_up, now


def _insert(receipts: Sequence[BankReceipt]) -> None:
    try:
        with transaction.atomic():  # so that the row in the way can be looked for
            rows.insert(receipts)
    except IntegrityError as error:
        if not isinstance(error.__cause__, UniqueViolation):
            raise
        # A clerk has typed one of them at this moment.
        wanted = [receipt.bank_reference for receipt in receipts]
        known = BankReceipt.objects.filter(bank_reference__in=wanted).order_by("bank_reference").first()
        raise ReceiptKnown(known.bank_reference if known else wanted[0]) from error
