"""The ledger against a model of it: plain integers in a dict, changed by the same steps."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from billing.ledger import queries
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.errors import AlreadyReversed, HoldTooSmall, InsufficientFunds
from billing.ledger.models import Account, Hold, LedgerEntry, LedgerTransaction
from billing.ledger.rules import Capture, credit, debit
from tests.billing.ledger.books import NOW, Party, check_deferred, hold, invoice, party, source, top_up

pytestmark = pytest.mark.django_db

REFUSALS = (InsufficientFunds, HoldTooSmall, AlreadyReversed)
SMALL = st.integers(1, 120)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("top_up"), st.integers(0, 1), SMALL),
        st.tuples(st.just("place"), st.integers(0, 1), SMALL),
        st.tuples(st.just("grow"), st.integers(0, 9), SMALL),
        st.tuples(st.just("shrink"), st.integers(0, 9), st.integers(0, 120)),
        st.tuples(st.just("release"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("charge"), st.integers(0, 1), SMALL),
        st.tuples(st.just("invoice"), st.integers(0, 9), st.tuples(SMALL, st.integers(0, 120), st.integers(0, 60))),
        st.tuples(st.just("reverse"), st.integers(0, 9), st.just(0)),
    ),
    max_size=20,
)


@dataclass
class ModelHold:
    """A hold as the model knows it."""

    owner: int
    amount: int


@dataclass
class Model:
    """Two wallets and their holds, in the simplest form that can be right."""

    balance: list[int] = field(default_factory=lambda: [0, 0])
    overdraft: list[int] = field(default_factory=lambda: [0, 0])
    holds: list[ModelHold] = field(default_factory=list)
    posted: list[tuple[int, int]] = field(default_factory=list)  # (owner, what it did to the balance)
    reversed: set[int] = field(default_factory=set)

    def held(self, owner: int) -> int:
        return sum(row.amount for row in self.holds if row.owner == owner)

    def available(self, owner: int) -> int:
        return self.balance[owner] - self.held(owner)

    def lower_overdraft(self, owner: int) -> None:
        self.overdraft[owner] = min(self.overdraft[owner], max(0, -self.available(owner)))

    def move(self, owner: int, amount: int) -> bool:
        if amount < 0 and self.available(owner) + amount < -self.overdraft[owner]:
            return False
        self.balance[owner] += amount
        self.posted.append((owner, amount))
        self.lower_overdraft(owner)
        return True

    def set_hold(self, index: int, amount: int) -> bool:
        row = self.holds[index]
        if amount > row.amount and amount - row.amount > self.available(row.owner):
            return False
        row.amount = amount
        self.lower_overdraft(row.owner)
        return True

    def invoice(self, index: int, total: int, captured: int, allowed: int) -> bool:
        row = self.holds[index]
        if captured > row.amount:
            return False
        missing = max(0, -(self.available(row.owner) - (total - captured)))
        if missing > self.overdraft[row.owner] + allowed:
            return False
        row.amount -= captured
        self.balance[row.owner] -= total
        self.overdraft[row.owner] = max(missing, min(self.overdraft[row.owner], missing))
        self.posted.append((row.owner, -total))
        return True


@dataclass
class Books:
    """The same steps on the real ledger."""

    parties: list[Party]
    holds: list[Hold] = field(default_factory=list)
    posted: list[LedgerTransaction] = field(default_factory=list)

    def charge(self, owner: int, amount: int) -> None:
        lines = [debit(Code.WALLET, amount, self.parties[owner].id), credit(Code.PROCESSING_FEES, amount)]
        self.posted.append(ledger.post(source("charge", "issue"), lines, currency="CNY", effective_at=NOW, now=NOW))

    def change_hold(self, index: int, by_minor: int) -> None:
        ledger.change_hold(self.holds[index].id, by_minor=by_minor, now=NOW)

    def invoice(self, index: int, total: int, captured: int, allowed: int) -> None:
        row = self.holds[index]
        owner = next(one for one in self.parties if one.id == row.organisation_id)
        captures = (Capture(row.id, captured),) if captured else ()
        self.posted.append(invoice(owner, total, captures=captures, extras_minor=allowed))


def accepted(step: Callable[[], object]) -> bool:
    try:
        step()
    except REFUSALS:
        return False
    return True


def apply(  # noqa: C901 (a table of steps)
    model: Model, books: Books, kind: str, index: int, amount: int | tuple[int, int, int]
) -> None:
    """Take one step on both sides and compare whether it was taken."""
    if kind in {"grow", "shrink", "release", "invoice"}:
        if not model.holds:
            return
        index %= len(model.holds)
    match kind, amount:
        case "top_up", int():
            assert model.move(index, amount)
            books.posted.append(top_up(books.parties[index], amount))
        case "charge", int():
            assert model.move(index, -amount) == accepted(lambda: books.charge(index, amount))
        case "place", int():
            wanted = amount <= model.available(index)
            assert wanted == accepted(lambda: books.holds.append(hold(books.parties[index], amount)))
            if wanted:
                model.holds.append(ModelHold(index, amount))
        case "grow", int():
            open_now = model.holds[index].amount
            wanted = open_now > 0 and model.set_hold(index, open_now + amount)
            assert wanted == accepted(lambda: books.change_hold(index, amount))
        case "shrink", int():
            open_now = model.holds[index].amount
            wanted = amount <= open_now and model.set_hold(index, open_now - amount)
            assert wanted == accepted(lambda: books.change_hold(index, -amount))
        case "release", _:
            books.change_hold(index, -model.holds[index].amount)
            assert model.set_hold(index, 0)
        case "invoice", (total, captured, allowed):
            captured = min(captured, total)
            wanted = model.invoice(index, total, captured, allowed)
            assert wanted == accepted(lambda: books.invoice(index, total, captured, allowed))
        case "reverse", _ if model.posted:
            index %= len(model.posted)
            owner, moved = model.posted[index]
            fresh = index not in model.reversed
            wanted = fresh and model.move(owner, -moved)
            assert wanted == accepted(lambda: books.posted.append(ledger.reverse(books.posted[index].id, now=NOW)))
            if wanted:
                model.reversed |= {index, len(model.posted) - 1}


def compare(model: Model, books: Books) -> None:
    for owner, one in enumerate(books.parties):
        funds = queries.funds(one.id, "CNY")
        assert (funds.balance_minor, funds.held_minor, funds.overdraft_minor) == (
            model.balance[owner],
            model.held(owner),
            model.overdraft[owner],
        )
    assert [Hold.objects.get(id=row.id).amount_minor for row in books.holds] == [row.amount for row in model.holds]
    assert queries.trial_balance("CNY").difference_minor == 0
    for account in Account.objects.all():
        rows = list(LedgerEntry.objects.filter(account=account).order_by("account_n"))
        assert [row.account_n for row in rows] == list(range(1, account.entry_count + 1))
        running = 0
        for row in rows:
            running += row.amount_minor
            assert row.balance_after_minor == running
        assert running == account.balance_minor


@given(steps=STEPS)
def test_the_ledger_does_what_the_model_does(steps: list[tuple[str, int, int | tuple[int, int, int]]]) -> None:
    with transaction.atomic():
        books = Books([party("First"), party("Second")])
        model = Model()
        for kind, index, amount in steps:
            apply(model, books, kind, index, amount)
            check_deferred()
        compare(model, books)
        transaction.set_rollback(True)
