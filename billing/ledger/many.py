"""Many postings of one step, written as sets: what a run over thousands of documents needs instead of one by one.

What each posting does, and what it refuses, is as if `services.post` had been called for it in turn.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError

from billing.ledger import rows, rules, services
from billing.ledger.chart import Code
from billing.ledger.errors import HoldTooSmall, NoSuchHold
from billing.ledger.models import Account, Hold, HoldEvent, LedgerTransaction
from billing.ledger.rules import HoldEventKind, Posting


@dataclass(frozen=True, slots=True)
class _Step:
    """A posting over locked accounts, and the transaction that it becomes."""

    posting: Posting
    transaction: LedgerTransaction
    amounts: Sequence[tuple[Account, int]]


def post_all(postings: Sequence[Posting], *, currency: str, now: datetime) -> None:
    """Write balanced transactions, all or none; the accounts of all of them are locked first, in the order of ids.

    A wallet that is overdrawn, or would be on the way, has its postings written one by one: an overdraft shrinks
    with each entry. Raises what post raises.
    """
    wanted = [rules.by_row(posting.source, posting.lines) for posting in postings]
    accounts = rows.locked_of_many((key for amounts in wanted for key in amounts), currency=currency, now=now)
    steps = [
        _Step(posting, _transaction(posting, now=now), [(accounts[key], amount) for key, amount in amounts.items()])
        for posting, amounts in zip(postings, wanted, strict=True)
    ]
    short = _short_wallets(steps)
    _write_together([step for step in steps if not _touches(step, short)], now=now)
    for step in steps:
        if _touches(step, short):
            one = step.posting
            services.post(
                one.source,
                one.lines,
                currency=currency,
                effective_at=one.effective_at,
                now=now,
                memo=one.memo,
                captures=one.captures,
                overdraft_minor=one.overdraft_minor,
            )


def _short_wallets(steps: Sequence[_Step]) -> set[UUID]:
    """Return the wallets whose funds and credit do not cover every one of these postings in their order."""
    balances: dict[UUID, int] = {}
    held: dict[UUID, int] = {}
    short = set()
    for step in steps:
        for account, amount in step.amounts:
            if account.code != Code.WALLET:
                continue
            taken = sum(capture.captured_minor for capture in step.posting.captures)
            balances[account.id] = balances.get(account.id, account.balance_minor) + amount
            held[account.id] = held.get(account.id, account.held_minor) - taken
            missing = rules.shortfall(balances[account.id], held[account.id], account.credit_limit_minor)
            if missing or account.overdraft_minor:
                short.add(account.id)
    return short


def _touches(step: _Step, account_ids: Collection[UUID]) -> bool:
    return any(account.id in account_ids for account, _ in step.amounts)


def _write_together(steps: Sequence[_Step], *, now: datetime) -> None:
    """Write transactions, then what holds lose to them, then entries, then what holds give back.

    In this order the wallet's constraint, which is checked at every row, holds at each step.
    """
    if not steps:
        return
    holds = _locked_holds(steps)
    try:
        rows.write_transactions([step.transaction for step in steps])
    except IntegrityError as error:
        raise services.refused(error, steps[0].transaction) from error
    HoldEvent.objects.bulk_create(_captured(steps, holds, now=now))
    rows.write_all_entries([(step.transaction, step.amounts) for step in steps])
    HoldEvent.objects.bulk_create(_given_back(steps, holds, now=now))


def _locked_holds(steps: Sequence[_Step]) -> dict[UUID, Hold]:
    wanted = {capture.hold_id for step in steps for capture in step.posting.captures}
    if not wanted:
        return {}
    found = Hold.objects.filter(id__in=wanted).select_for_update(no_key=True).order_by("id")
    holds = {hold.id: hold for hold in found}
    if len(holds) < len(wanted):
        raise NoSuchHold
    return holds


def _captured(steps: Sequence[_Step], holds: Mapping[UUID, Hold], *, now: datetime) -> list[HoldEvent]:
    """Return what holds lose, taken from the amounts of `holds`; raises HoldTooSmall."""
    left = {hold.id: hold.amount_minor for hold in holds.values()}
    events = []
    for step in steps:
        for capture in step.posting.captures:
            hold = holds[capture.hold_id]
            wanted_minor = capture.captured_minor + capture.released_minor
            if wanted_minor > left[hold.id]:
                raise HoldTooSmall(wanted_minor=wanted_minor, open_minor=left[hold.id], currency=hold.currency)
            left[hold.id] -= wanted_minor
            if not capture.captured_minor:
                continue
            hold.amount_minor -= capture.captured_minor
            events.append(
                HoldEvent(
                    hold=hold,
                    kind=HoldEventKind.CAPTURED,
                    amount_minor=capture.captured_minor,
                    at=now,
                    transaction=step.transaction,
                )
            )
    return events


def _given_back(steps: Sequence[_Step], holds: Mapping[UUID, Hold], *, now: datetime) -> list[HoldEvent]:
    events = []
    for capture in (capture for step in steps for capture in step.posting.captures if capture.released_minor):
        hold = holds[capture.hold_id]
        kind = HoldEventKind.SHRUNK if hold.amount_minor > capture.released_minor else HoldEventKind.RELEASED
        hold.amount_minor -= capture.released_minor
        events.append(HoldEvent(hold=hold, kind=kind, amount_minor=capture.released_minor, at=now))
    return events


def _transaction(posting: Posting, *, now: datetime) -> LedgerTransaction:
    return LedgerTransaction(
        source_type=posting.source.type,
        source_id=posting.source.id,
        purpose=posting.source.purpose,
        effective_at=posting.effective_at,
        posted_at=now,
        memo=posting.memo,
    )
