"""Which top-up, payout or earlier receipt each movement of a statement is: one pass over what was looked up before it.

1. A movement that quotes exactly one awaiting top-up of its amount confirms it.
2. What names Stripe and is exactly one payout of its amount and days is that payout.
3. Without a sound reference: when earlier receipts from the payer's account all belong to one organisation, and that
   has exactly one awaiting top-up of the amount, it confirms that.
4. Everything else that came in waits in suspense for a person, who matches, splits or returns it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.actors.actor import Actor
from billing.bank.errors import EntryContradicts
from billing.bank.models import BankEntry
from billing.bank.rules import Entry, Statement
from billing.gateway.models import StripePayout
from billing.payments import queries as payments
from billing.payments import rules as payment_rules
from billing.payments import steps, stripe_receipts
from billing.payments.errors import ReceiptKnown
from billing.payments.models import BankReceipt, TopUp
from billing.payments.receiving import Taking
from billing.payments.rules import BankLine, ReceiptStatus
from catalog.measures.money import Money


@dataclass(frozen=True)
class Found:
    """A movement: the receipt of what came in, None for what went out; or known from another file."""

    entry: Entry
    taking: Taking | None
    is_known: bool = False


@dataclass
class Books:
    """What the rules look at: as it stood before the file, and then after each of its movements."""

    entries: dict[str, BankEntry]  # of this account, by the bank's id
    receipts: dict[str, BankReceipt]  # by the bank's id
    has_entry: set[UUID]  # receipts that a movement, of whichever account, has brought
    by_reference: dict[str, TopUp]  # awaiting and locked
    by_owner: dict[tuple[UUID, int, str], list[TopUp]]  # the same by organisation, amount and currency
    owners: dict[str, set[UUID]]  # whose money came from an account
    payouts: dict[int, list[StripePayout]]  # without a receipt, by amount

    def confirm(self, top_up: TopUp) -> None:
        """Let a top-up await no more."""
        self.by_reference.pop(top_up.reference, None)
        self.by_owner[_owned(top_up)].remove(top_up)


def match(actor: Actor, statement: Statement, *, now: datetime) -> list[Found]:
    """Return what each movement is, in the order of the file; top-ups and receipts that may be matched are locked.

    Raises EntryContradicts where the bank's id is known with another amount, and ReceiptKnown where it is the id of
    a movement of another account.
    """
    books = _books(statement)
    return [_found(actor, entry, books, now=now) for entry in statement.entries]


def signed_minor(entry: Entry) -> int:
    """Return what moved, below zero when it went out."""
    return entry.amount.amount_minor if entry.is_credit else -entry.amount.amount_minor


def _found(actor: Actor, entry: Entry, books: Books, *, now: datetime) -> Found:
    known = books.entries.get(entry.bank_reference)
    if known is not None:
        _check_same(entry.bank_reference, known=known, seen=Money(signed_minor(entry), entry.amount.currency))
        return Found(entry, None, is_known=True)
    if not entry.is_credit:
        return Found(entry, None)
    quoted = payment_rules.references_in(entry.remittance)
    taking = _typed(entry, books) or _new(actor, entry, quoted, books, now=now)
    receipt = taking.receipt
    is_open = receipt.status == ReceiptStatus.UNMATCHED and taking.top_up is None and taking.payout is None
    if is_open and not quoted:
        taking.top_up = _of_payer(actor, entry, books)
        taking.stood_in_suspense = taking.top_up is not None
    top_up = taking.top_up or receipt.top_up
    if taking.top_up is not None:
        books.confirm(taking.top_up)
    if top_up is not None:
        books.owners[entry.counterparty_account].add(top_up.organisation_id)
    return Found(entry, taking)


def _typed(entry: Entry, books: Books) -> Taking | None:
    """Return what a clerk has typed from the bank's page before: it is the same receipt."""
    receipt = books.receipts.get(entry.bank_reference)
    if receipt is None:
        return None
    if receipt.id in books.has_entry:
        raise ReceiptKnown(entry.bank_reference)
    _check_same(entry.bank_reference, known=receipt, seen=entry.amount)
    return Taking(receipt, is_new=False)


def _new(actor: Actor, entry: Entry, quoted: Sequence[str], books: Books, *, now: datetime) -> Taking:
    line = BankLine(
        bank_reference=entry.bank_reference,
        amount=entry.amount,
        value_date=entry.value_date,
        payer=entry.counterparty,
        remittance=entry.remittance,
    )
    taking = Taking(steps.new_receipt(line, now=now), is_new=True)
    asked = [books.by_reference[reference] for reference in quoted if reference in books.by_reference]
    fitting = [top_up for top_up in asked if Money(top_up.amount_minor, top_up.currency) == entry.amount]
    if not fitting:
        payouts = books.payouts[entry.amount.amount_minor]
        taking.payout = stripe_receipts.the_one(line, payouts)
        if taking.payout is not None:
            payouts.remove(taking.payout)
    elif len(fitting) == 1 and not steps.is_own(actor, fitting[0]):
        taking.top_up = fitting[0]
    return taking


def _of_payer(actor: Actor, entry: Entry, books: Books) -> TopUp | None:
    owners = books.owners[entry.counterparty_account] if entry.counterparty_account else set()
    if len(owners) != 1:
        return None
    (owner,) = owners
    waiting = books.by_owner[(owner, entry.amount.amount_minor, entry.amount.currency)]
    # Nobody confirms what he asked for himself, not by importing a file either.
    if len(waiting) != 1 or steps.is_own(actor, waiting[0]):
        return None
    return waiting[0]


def _check_same(bank_reference: str, *, known: BankEntry | BankReceipt, seen: Money) -> None:
    before = Money(known.amount_minor, known.currency)
    if before != seen:
        raise EntryContradicts(bank_reference, known=str(before), seen=str(seen))


def _books(statement: Statement) -> Books:
    """Look everything up that the rules need, in a handful of queries for the whole file."""
    wanted = [entry.bank_reference for entry in statement.entries]
    entries = BankEntry.objects.filter(account=statement.account, bank_reference__in=wanted)
    known = {entry.bank_reference: entry for entry in entries}
    new = [entry for entry in statement.entries if entry.is_credit and entry.bank_reference not in known]
    references = [reference for entry in new for reference in payment_rules.references_in(entry.remittance)]
    owners = _owners({entry.counterparty_account for entry in new})
    receipts = payments.receipts_known_as([entry.bank_reference for entry in new])
    top_ups = payments.locked_top_ups_among(
        references,
        organisation_ids={owner for several in owners.values() for owner in several}
        | {receipt.top_up.organisation_id for receipt in receipts if receipt.top_up is not None},
        amounts_minor={entry.amount.amount_minor for entry in new},
        currency=statement.currency,
    )
    by_owner = defaultdict(list)
    for top_up in top_ups:
        by_owner[_owned(top_up)].append(top_up)
    payouts = defaultdict(list)
    for payout in stripe_receipts.waiting(statement.currency, {entry.amount.amount_minor for entry in new}):
        payouts[payout.amount_minor].append(payout)
    # Locked after the top-ups, and read again: somebody may have matched one in between.
    receipts = payments.locked_receipts([receipt.id for receipt in receipts])
    return Books(
        entries=known,
        receipts={receipt.bank_reference: receipt for receipt in receipts},
        has_entry=set(BankEntry.objects.filter(receipt__in=receipts).values_list("receipt_id", flat=True)),
        by_reference={top_up.reference: top_up for top_up in top_ups},
        by_owner=by_owner,
        owners=owners,
        payouts=payouts,
    )


def _owners(accounts: Iterable[str]) -> defaultdict[str, set[UUID]]:
    """Return whose money has come from accounts before."""
    found: defaultdict[str, set[UUID]] = defaultdict(set)
    earlier = BankEntry.objects.filter(counterparty_account__in=set(accounts) - {""}, receipt__top_up__isnull=False)
    for account, owner in earlier.values_list("counterparty_account", "receipt__top_up__organisation_id").distinct():
        found[account].add(owner)
    return found


def _owned(top_up: TopUp) -> tuple[UUID, int, str]:
    return top_up.organisation_id, top_up.amount_minor, top_up.currency
