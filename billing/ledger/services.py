"""The verbs of the books: post, reverse, and hold funds. Accounts open at their first use.

Every function works inside the caller's transaction and makes no savepoint of its own: a
business step, its posting, its audit record and its event are true together or not at all.
Refusals for want of funds come before the first write, so a caller may catch them and go on.
Accounts are locked before holds, accounts in the order of their ids.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError
from psycopg import Error as DatabaseError

from accounts.foundation import rows as many_rows
from billing.budgets import services as budgets
from billing.ledger import rows, rules
from billing.ledger.chart import Code
from billing.ledger.errors import (
    AlreadyHeld,
    AlreadyPosted,
    AlreadyReversed,
    BudgetExhausted,
    HoldTooSmall,
    InsufficientFunds,
    NoSuchHold,
    NoSuchTransaction,
    PeriodClosed,
    WalletOverdrawn,
)
from billing.ledger.models import Account, Hold, HoldEvent, LedgerTransaction
from billing.ledger.rules import AccountRef, Capture, HoldEventKind, Line, Source

# --- Posting -----------------------------------------------------------------------------------


def post(
    source: Source,
    lines: Sequence[Line],
    *,
    currency: str,
    effective_at: datetime,
    now: datetime,
    memo: str = "",
    captures: Sequence[Capture] = (),
    overdraft_minor: int = 0,
) -> LedgerTransaction:
    """Write one balanced transaction; nothing else in the house writes entries.

    `captures` take funds out of holds in the same step. `overdraft_minor` is how far an invoice
    may take a wallet below its credit (for extras that nothing was held for); other sources may not.
    Lines of one account are summed. Raises InsufficientFunds before anything is written, AlreadyPosted
    when the source has its posting and PeriodClosed when the month of `effective_at` is closed (the surrounding
    transaction is then lost), HoldTooSmall, NoSuchHold.
    """
    wanted = rules.by_row(source, lines)
    accounts = rows.locked_accounts(wanted, currency=currency, now=now)
    postings = [(accounts[key], amount) for key, amount in wanted.items()]
    return _record(
        LedgerTransaction(
            source_type=source.type,
            source_id=source.id,
            purpose=source.purpose,
            effective_at=effective_at,
            posted_at=now,
            memo=memo,
        ),
        postings,
        captures=captures,
        overdraft_minor=overdraft_minor,
    )


def posted(source: Source) -> UUID | None:
    """Return the transaction that was posted for a source; None when nothing was."""
    found = LedgerTransaction.objects.filter(source_type=source.type, source_id=source.id, purpose=source.purpose)
    return found.values_list("id", flat=True).first()


def reverse(transaction_id: UUID, *, now: datetime, memo: str = "") -> LedgerTransaction:
    """Write the exact opposite of a transaction, once; the original stays.

    Raises NoSuchTransaction, AlreadyReversed, and InsufficientFunds when the money has been used since.
    """
    original = LedgerTransaction.objects.filter(id=transaction_id).first()
    if original is None:
        raise NoSuchTransaction
    entries = list(original.entries.all())
    accounts = rows.locked_by_id(entry.account_id for entry in entries)
    # Looked at under the accounts' locks, which the other reversal of a race has held before us.
    if original.reversal_of_id is not None or LedgerTransaction.objects.filter(reversal_of=original).exists():
        raise AlreadyReversed
    return _record(
        LedgerTransaction(
            source_type="ledger_transaction",
            source_id=original.id,
            purpose="reversal",
            effective_at=now,
            posted_at=now,
            memo=memo,
            reversal_of=original,
        ),
        [(accounts[entry.account_id], -entry.amount_minor) for entry in entries],
    )


def _record(
    transaction: LedgerTransaction,
    postings: Sequence[tuple[Account, int]],
    *,
    captures: Sequence[Capture] = (),
    overdraft_minor: int = 0,
) -> LedgerTransaction:
    """Write a transaction over locked accounts.

    Funds are captured before the entries spend them and given back after, so that the wallet's
    constraint, which is checked at every statement, holds at each step.
    """
    now = transaction.posted_at
    holds = _captured_holds(captures, {account.id for account, _ in postings})
    raised = _overdrafts(postings, captures, holds, overdraft_minor)
    try:
        if not captures and not raised:
            rows.write(transaction, postings)
            return transaction
        rows.write_transaction(transaction)
    except IntegrityError as error:
        raise refused(error, transaction) from error
    for capture in captures:
        if capture.captured_minor:
            _happened(
                holds[capture.hold_id], HoldEventKind.CAPTURED, capture.captured_minor, now=now, transaction=transaction
            )
    for account in raised:
        account.overdraft_by = transaction
        account.save(update_fields=["overdraft_minor", "overdraft_by"])
    rows.write_entries(transaction, postings)
    for capture in captures:
        if capture.released_minor:
            hold = holds[capture.hold_id]
            kind = HoldEventKind.SHRUNK if hold.amount_minor > capture.released_minor else HoldEventKind.RELEASED
            _happened(hold, kind, capture.released_minor, now=now)
    return transaction


def _overdrafts(
    postings: Sequence[tuple[Account, int]],
    captures: Sequence[Capture],
    holds: Mapping[UUID, Hold],
    allowed_minor: int,
) -> list[Account]:
    """Return the wallets whose overdraft this posting raises, with the new figure set; refuse what is not allowed."""
    raised = []
    for account, amount in postings:
        if account.code != Code.WALLET:
            continue
        captured = sum(
            capture.captured_minor for capture in captures if holds[capture.hold_id].account_id == account.id
        )
        missing = rules.shortfall(
            account.balance_minor + amount, account.held_minor - captured, account.credit_limit_minor
        )
        if missing <= account.overdraft_minor:
            continue
        if missing - account.overdraft_minor > allowed_minor:
            spendable = account.credit_limit_minor - account.balance_minor - account.held_minor
            raise InsufficientFunds(
                needed_minor=amount - captured, available_minor=spendable, currency=account.currency
            )
        account.overdraft_minor = missing
        raised.append(account)
    return raised


# --- Holds -------------------------------------------------------------------------------------


def place_hold(
    organisation_id: UUID,
    amount_minor: int,
    *,
    currency: str,
    source: Source,
    project_id: UUID,
    now: datetime,
) -> Hold:
    """Set funds of an organisation's wallet aside.

    Raises InsufficientFunds (WalletOverdrawn when an invoice has taken the wallet below zero, BudgetExhausted when
    the project's budget has less left) before
    anything is written, AlreadyHeld when the source has its hold (the surrounding transaction is lost).
    """
    assert amount_minor > 0, amount_minor
    wallet_ref = (AccountRef(Code.WALLET, organisation_id), 0)
    account = rows.locked_accounts([wallet_ref], currency=currency, now=now)[wallet_ref]
    _check_spendable(account, amount_minor)
    _check_budget(project_id, currency, amount_minor)
    hold = Hold(
        account=account,
        organisation_id=organisation_id,
        project_id=project_id,
        currency=currency,
        source_type=source.type,
        source_id=source.id,
        purpose=source.purpose,
        created_at=now,
    )
    try:
        hold.save(force_insert=True)
    except IntegrityError as error:
        if not _violates(error, "hold_once_per_source"):
            raise
        raise AlreadyHeld(source.type, source.purpose) from error
    return _happened(hold, HoldEventKind.PLACED, amount_minor, now=now)


def change_hold(hold_id: UUID, *, by_minor: int, now: datetime) -> Hold:
    """Hold more (positive) or give back (negative), from whatever is held by now; one left empty is closed.

    Raises InsufficientFunds, and HoldTooSmall when it is closed or holds less than is to be given back.
    """
    account, hold = _locked_hold(hold_id)
    if by_minor == 0:
        return hold
    left_minor = hold.amount_minor + by_minor
    if hold.closed_at is not None or left_minor < 0:
        raise HoldTooSmall(wanted_minor=abs(by_minor), open_minor=hold.amount_minor, currency=hold.currency)
    if by_minor > 0:
        _check_spendable(account, by_minor)
        _check_budget(hold.project_id, hold.currency, by_minor)
        return _happened(hold, HoldEventKind.GROWN, by_minor, now=now)
    return _happened(hold, HoldEventKind.SHRUNK if left_minor else HoldEventKind.RELEASED, -by_minor, now=now)


def give_back(amounts_minor: Mapping[UUID, int], *, now: datetime) -> None:
    """Give part or all of many holds back at once, by hold; what is left empty is closed.

    Accounts are locked first and then holds, each in the order of their ids, as for one hold alone. Raises
    NoSuchHold, and HoldTooSmall when one is closed or holds less than is to be given back; nothing is written then.
    """
    wanted = {hold_id: amount for hold_id, amount in amounts_minor.items() if amount}
    if not wanted:
        return
    # Accounts first: every event of a hold changes its account's held sum.
    rows.locked_by_id(Hold.objects.filter(id__in=wanted).values_list("account_id", flat=True))
    holds = {hold.id: hold for hold in Hold.objects.filter(id__in=wanted).select_for_update(no_key=True).order_by("id")}
    if len(holds) < len(wanted):
        raise NoSuchHold
    happened = []
    for hold_id, amount in wanted.items():
        hold = holds[hold_id]
        assert amount > 0, amount
        if hold.closed_at is not None or amount > hold.amount_minor:
            raise HoldTooSmall(wanted_minor=amount, open_minor=hold.amount_minor, currency=hold.currency)
        kind = HoldEventKind.SHRUNK if amount < hold.amount_minor else HoldEventKind.RELEASED
        happened.append(HoldEvent(hold=hold, kind=kind, amount_minor=amount, at=now))
    many_rows.insert(happened)


def _captured_holds(captures: Sequence[Capture], account_ids: set[UUID]) -> dict[UUID, Hold]:
    """Lock the holds of captures after their accounts; raises NoSuchHold, HoldTooSmall."""
    if not captures:
        return {}
    wanted_holds = Hold.objects.filter(id__in=[capture.hold_id for capture in captures])
    holds = {hold.id: hold for hold in wanted_holds.select_for_update(no_key=True).order_by("id")}
    assert len({capture.hold_id for capture in captures}) == len(captures), captures
    for capture in captures:
        hold = holds.get(capture.hold_id)
        if hold is None:
            raise NoSuchHold
        assert hold.account_id in account_ids, "a capture's wallet must be one of the posting's accounts"
        wanted = capture.captured_minor + capture.released_minor
        if wanted > hold.amount_minor:
            raise HoldTooSmall(wanted_minor=wanted, open_minor=hold.amount_minor, currency=hold.currency)
    return holds


def _happened(
    hold: Hold,
    kind: HoldEventKind,
    amount_minor: int,
    *,
    now: datetime,
    transaction: LedgerTransaction | None = None,
) -> Hold:
    """Write the event; triggers move the hold's counters and the account's held sum with it."""
    HoldEvent.objects.create(hold=hold, kind=kind, amount_minor=amount_minor, at=now, transaction=transaction)
    hold.refresh_from_db()
    return hold


def _locked_hold(hold_id: UUID) -> tuple[Account, Hold]:
    account_id = Hold.objects.filter(id=hold_id).values_list("account_id", flat=True).first()
    if account_id is None:
        raise NoSuchHold
    # The account's lock is the one that counts: every event of its holds changes its held sum.
    account = rows.locked_by_id([account_id])[account_id]
    return account, Hold.objects.select_for_update(no_key=True).get(id=hold_id)


def locked_wallet(organisation_id: UUID, *, currency: str, now: datetime) -> Account:
    """Return an organisation's wallet locked, opened if it is new: until then no hold of it moves."""
    wallet_ref = (AccountRef(Code.WALLET, organisation_id), 0)
    return rows.locked_accounts([wallet_ref], currency=currency, now=now)[wallet_ref]


def set_credit_limit(account: Account, limit_minor: int) -> None:
    """Set how far a locked wallet may go below zero; who may is decided by the caller."""
    account.credit_limit_minor = limit_minor
    account.save(update_fields=["credit_limit_minor"])


def _check_budget(project_id: UUID, currency: str, amount_minor: int) -> None:
    left = budgets.left_minor(project_id, currency)
    if left is not None and amount_minor > left:
        raise BudgetExhausted(needed_minor=amount_minor, available_minor=left, currency=currency)


def _check_spendable(account: Account, amount_minor: int) -> None:
    spendable = account.credit_limit_minor - account.balance_minor - account.held_minor
    if amount_minor <= spendable:
        return
    if account.overdraft_minor:
        raise WalletOverdrawn(
            needed_minor=amount_minor,
            available_minor=spendable,
            overdraft_minor=account.overdraft_minor,
            currency=account.currency,
        )
    raise InsufficientFunds(needed_minor=amount_minor, available_minor=spendable, currency=account.currency)


def refused(error: IntegrityError, transaction: LedgerTransaction) -> Exception:
    """Return what the database's refusal of a transaction means, or the refusal itself."""
    if _violates(error, "transaction_once_per_source"):
        return AlreadyPosted(transaction.source_type, transaction.purpose)
    if _violates(error, "transaction_in_open_period"):
        return PeriodClosed(transaction.effective_at)
    return error


def _violates(error: IntegrityError, constraint: str) -> bool:
    cause = error.__cause__
    return isinstance(cause, DatabaseError) and cause.diag.constraint_name == constraint
