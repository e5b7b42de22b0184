"""What the steps of money in write: their postings, and what the trail and the outbox say of them.

One receipt or a statement of thousands: the words and the postings are the same.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from accounts.audit.models import AuditRecord
from accounts.events import services as events
from accounts.events.models import Event
from accounts.foundation import ids
from billing.gateway.models import StripePayout
from billing.ledger.chart import Code
from billing.ledger.rules import Posting, Source, credit, debit
from billing.payments.models import BankReceipt, TopUp
from billing.payments.rules import BankLine, ReceiptStatus
from catalog.measures.money import format_minor

_TOLD: Final = {"request": "requested", "confirm": "confirmed", "cancel": "cancelled", "return": "returned"}


def new_receipt(line: BankLine, *, now: datetime) -> BankReceipt:
    """Return the row of a line of the bank, which belongs to nothing yet."""
    return BankReceipt(
        bank_reference=line.bank_reference,
        amount_minor=line.amount.amount_minor,
        currency=line.amount.currency,
        value_date=line.value_date,
        payer=line.payer,
        remittance=line.remittance,
        status=ReceiptStatus.UNMATCHED,
        recorded_at=now,
    )


def confirmation(top_up: TopUp, *, taken_from: Code, now: datetime) -> Posting:
    """Return the posting that brings a top-up into its wallet."""
    return Posting(
        Source("top_up", top_up.id, "confirm"),
        [debit(taken_from, top_up.amount_minor), credit(Code.WALLET, top_up.amount_minor, top_up.organisation_id)],
        effective_at=now,
        memo=f"Top-up {top_up.reference}",
    )


def suspension(receipt: BankReceipt, *, now: datetime) -> Posting:
    """Return the posting of money whose owner nobody knows."""
    return Posting(
        Source("bank_receipt", receipt.id, "suspense"),
        [debit(Code.BANK, receipt.amount_minor), credit(Code.SUSPENSE, receipt.amount_minor)],
        effective_at=now,
        memo=f"Unmatched bank receipt {receipt.bank_reference}",
    )


def recorded(actor: Actor, receipt: BankReceipt, *, now: datetime) -> AuditRecord:
    """Return what the trail says of a new receipt."""
    after = amount(receipt) | {"bank_reference": receipt.bank_reference, "value_date": receipt.value_date.isoformat()}
    return audit.of(actor, "bank_receipt.record", "bank_receipt", receipt.id, None, after, now=now)


def unmatched(receipt: BankReceipt, *, now: datetime) -> Event:
    """Return what staff are told of money in suspense."""
    payload = amount(receipt) | {"payer": receipt.payer}
    return events.of("bank_receipt.unmatched", "bank_receipt", receipt.id, None, payload, now=now)


def linked(actor: Actor, receipt: BankReceipt, payout: StripePayout, *, now: datetime) -> AuditRecord:
    """Return what the trail says of a receipt that is a payout of Stripe's."""
    after = {
        "status": "matched",
        "stripe_payout": payout.stripe_id,
        "amount": format_minor(receipt.amount_minor, receipt.currency),
    }
    before = {"status": "unmatched"}
    return audit.of(actor, "bank_receipt.match_stripe", "bank_receipt", receipt.id, before, after, now=now)


def changed(
    actor: Actor, top_up: TopUp, action: str, before: str | None, *, now: datetime, bank_reference: str = ""
) -> tuple[AuditRecord, Event]:
    """Return what the trail and the customer are told of a top-up that was requested, confirmed and so on."""
    after = amount(top_up) | {"status": str(top_up.status), "reference": top_up.reference}
    if bank_reference:
        after["bank_reference"] = bank_reference
    record = audit.of(
        actor,
        f"top_up.{action}",
        "top_up",
        top_up.id,
        None if before is None else {"status": str(before)},
        after,
        now=now,
        organisation_id=top_up.organisation_id,
    )
    payload: Mapping[str, str] = amount(top_up) | {"top_up": ids.spell("top", top_up.id), "reference": top_up.reference}
    told = events.of(f"top_up.{_TOLD[action]}", "top_up", top_up.id, top_up.organisation_id, payload, now=now)
    return record, told


def is_own(actor: Actor, top_up: TopUp) -> bool:
    """Tell whether somebody asked for a top-up himself, and so does not confirm it."""
    return actor.user_id is not None and actor.user_id == top_up.requested_by_id


def amount(row: TopUp | BankReceipt) -> dict[str, str]:
    """Return an amount as trail and outbox spell it."""
    return {"amount": format_minor(row.amount_minor, row.currency), "currency": row.currency}
