"""Many at once on the same money: real connections, released together by a barrier."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, transaction

from billing.ledger import queries
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.models import Account, HoldEvent, LedgerEntry, LedgerTransaction
from billing.ledger.rules import Capture, Source, credit, debit
from tests.billing.ledger.books import NOW, Party, hold, invoice, party, source, top_up
from tests.races.together import refusals, together

pytestmark = pytest.mark.django_db(transaction=True)


def check_books() -> None:
    """Recompute every sum from the rows below it."""
    for account in Account.objects.all():
        entries = account.entries.order_by("account_n")
        assert account.balance_minor == sum(entry.amount_minor for entry in entries)
        assert [entry.account_n for entry in entries] == list(range(1, account.entry_count + 1))
        assert account.held_minor == sum(row.amount_minor for row in account.holds.all())
    for made in LedgerTransaction.objects.all():
        assert sum(made.entries.values_list("amount_minor", flat=True)) == 0


def test_racing_orders_never_hold_more_than_the_wallet_has() -> None:
    lab = party("Lab")
    for _ in range(5):
        with transaction.atomic():
            top_up(lab, 300)
        before = HoldEvent.objects.count()
        results = together([lambda: hold(lab, 100)] * 8)
        assert refusals(results) == 5
        assert HoldEvent.objects.count() == before + 3
    assert queries.funds(lab.id, "CNY").available_minor == 0
    check_books()


def test_racing_charges_never_take_more_than_the_wallet_has() -> None:
    lab = party("Lab")
    with transaction.atomic():
        top_up(lab, 500)
    results = together([lambda: invoice(lab, 120, kind="fee")] * 8)
    assert refusals(results) == 4
    assert queries.funds(lab.id, "CNY").balance_minor == 20
    check_books()


def test_a_source_posted_by_many_at_once_is_posted_once() -> None:
    lab = party("Lab")
    once = source()
    lines = [debit(Code.BANK, 100), credit(Code.WALLET, 100, lab.id)]
    results = together([lambda: ledger.post(once, lines, currency="CNY", effective_at=NOW, now=NOW)] * 8)
    assert refusals(results) == 7
    assert queries.funds(lab.id, "CNY").balance_minor == 100
    check_books()


def test_a_hold_captured_and_released_at_once_ends_once() -> None:
    lab = party("Lab")
    with transaction.atomic():
        top_up(lab, 1_000)
        held = hold(lab, 100)

    def capture() -> object:
        return invoice(lab, 100, captures=(Capture(held.id, 100),), kind="invoice")

    results = together([capture, capture, lambda: ledger.change_hold(held.id, by_minor=-100, now=NOW), capture])
    held.refresh_from_db()
    assert (held.amount_minor, held.captured_minor + held.released_minor) == (0, 100)
    captured = sum(isinstance(result, LedgerTransaction) for result in results)
    assert captured == (1 if held.captured_minor else 0)
    assert queries.funds(lab.id, "CNY").balance_minor == 1_000 - 100 * captured
    check_books()


def test_a_transaction_reversed_by_many_at_once_is_reversed_once() -> None:
    lab = party("Lab")
    with transaction.atomic():
        received = top_up(lab, 100)
        top_up(lab, 900)
    results = together([lambda: ledger.reverse(received.id, now=NOW)] * 6)
    assert refusals(results) == 5
    assert queries.funds(lab.id, "CNY").balance_minor == 900
    check_books()


def test_wallets_opened_by_many_at_once_are_one() -> None:
    lab = party("Lab")
    results = together([lambda: top_up(lab, 10)] * 8)
    assert refusals(results) == 0
    assert Account.objects.filter(code=Code.WALLET).count() == 1
    assert queries.funds(lab.id, "CNY").balance_minor == 80
    check_books()


def test_crossing_transfers_do_not_deadlock() -> None:
    first, second = party("First"), party("Second")
    with transaction.atomic():
        top_up(first, 1_000)
        top_up(second, 1_000)

    def move(giver: Party, taker: Party) -> Callable[[], object]:
        lines = [debit(Code.WALLET, 1, giver.id), credit(Code.WALLET, 1, taker.id)]
        return lambda: [
            ledger.post(source("test", "move"), order, currency="CNY", effective_at=NOW, now=NOW)
            for order in (lines, lines[::-1], lines)
        ]

    results = together([move(first, second), move(second, first)] * 4)
    assert refusals(results) == 0
    assert queries.funds(first.id, "CNY").balance_minor == queries.funds(second.id, "CNY").balance_minor == 1_000
    check_books()


def test_an_entry_cannot_join_a_transaction_that_was_committed() -> None:
    lab = party("Lab")
    with transaction.atomic():
        posted = top_up(lab, 100)
        other = top_up(party("Other"), 100)
    with pytest.raises(DatabaseError, match="not made in this database transaction"), transaction.atomic():
        LedgerEntry.objects.bulk_create(
            LedgerEntry(transaction=posted, account=entry.account, currency="CNY", amount_minor=-entry.amount_minor)
            for entry in other.entries.all()
        )


def test_a_transaction_of_the_database_that_fails_leaves_nothing_of_its_posting() -> None:
    lab = party("Lab")
    once = Source("invoice", lab.id, "issue")

    def half() -> None:
        with transaction.atomic():
            top_up(lab, 100)
            held = hold(lab, 60)
            ledger.post(
                once,
                [debit(Code.WALLET, 60, lab.id), credit(Code.CAPACITY_REVENUE, 60)],
                currency="CNY",
                effective_at=NOW,
                now=NOW,
                captures=(Capture(held.id, 60),),
            )
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert not LedgerTransaction.objects.exists()
    assert not HoldEvent.objects.exists()
    assert queries.funds(lab.id, "CNY").balance_minor == 0
