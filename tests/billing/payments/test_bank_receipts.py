"""What the bank shows, and whose it is."""

import pytest

from accounts.actors.errors import NotAllowed
from accounts.foundation import ids
from billing.ledger import queries as books
from billing.ledger.chart import Code
from billing.payments import queries, services
from billing.payments.errors import AmountMismatch, NoSuchReceipt, ReceiptKnown, ReceiptMatched
from billing.payments.models import TopUp
from billing.payments.rules import ReceiptStatus, TopUpStatus
from catalog.measures.money import Money
from tests.billing.ledger.books import NOW, check_deferred
from tests.billing.payments import cast
from tests.billing.payments.cast import Cast, line

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> Cast:
    return cast.make()


@pytest.fixture
def top_up(people: Cast) -> TopUp:
    return services.request_top_up(people.trader, Money(100, "CNY"), now=NOW)


def figures(people: Cast) -> tuple[int, int, int]:
    """Bank, suspense and wallet, each as a positive figure."""
    return (
        books.balance(Code.BANK, "CNY"),
        -books.balance(Code.SUSPENSE, "CNY"),
        books.funds(people.lab.id, "CNY").balance_minor,
    )


def test_a_receipt_that_quotes_its_top_up_confirms_it(people: Cast, top_up: TopUp) -> None:
    receipt = services.record_receipt(people.clerk, line(100, f"compute {top_up.reference.lower()}"), now=NOW)
    check_deferred()
    top_up.refresh_from_db()
    assert (receipt.status, top_up.status) == (ReceiptStatus.MATCHED, TopUpStatus.CONFIRMED)
    assert figures(people) == (100, 0, 100)


@pytest.mark.parametrize(("amount", "currency"), [(99, "CNY"), (101, "CNY")])
def test_a_receipt_of_another_amount_waits_in_suspense(people: Cast, top_up: TopUp, amount: int, currency: str) -> None:
    receipt = services.record_receipt(people.clerk, line(amount, top_up.reference, currency=currency), now=NOW)
    check_deferred()
    assert receipt.status == ReceiptStatus.UNMATCHED
    assert figures(people) == (amount, amount, 0)
    with pytest.raises(AmountMismatch):
        services.match_receipt(people.clerk, receipt.id, top_up_id=top_up.id, now=NOW)


def test_a_receipt_without_a_reference_waits_until_it_is_matched(people: Cast, top_up: TopUp) -> None:
    receipt = services.record_receipt(people.clerk, line(100, "thank you"), now=NOW)
    assert figures(people) == (100, 100, 0)
    matched = services.match_receipt(people.clerk, receipt.id, top_up_id=top_up.id, now=NOW)
    check_deferred()
    assert (matched.status, matched.top_up_id) == (ReceiptStatus.MATCHED, top_up.id)
    assert figures(people) == (100, 0, 100)
    with pytest.raises(ReceiptMatched):
        services.match_receipt(people.clerk, receipt.id, top_up_id=top_up.id, now=NOW)


def test_a_receipt_that_quotes_two_fitting_top_ups_is_left_to_a_person(people: Cast, top_up: TopUp) -> None:
    other = services.request_top_up(people.trader, Money(100, "CNY"), now=NOW)
    receipt = services.record_receipt(people.clerk, line(100, f"{top_up.reference} {other.reference}"), now=NOW)
    assert receipt.status == ReceiptStatus.UNMATCHED


def test_a_receipt_for_a_cancelled_top_up_waits_in_suspense(people: Cast, top_up: TopUp) -> None:
    services.cancel_top_up(people.trader, top_up.id, now=NOW)
    receipt = services.record_receipt(people.clerk, line(100, top_up.reference), now=NOW)
    assert receipt.status == ReceiptStatus.UNMATCHED


def test_a_line_of_the_bank_is_recorded_once(people: Cast, top_up: TopUp) -> None:
    services.record_receipt(people.clerk, line(100, bank_reference="B-7"), now=NOW)
    with pytest.raises(ReceiptKnown):
        services.record_receipt(people.clerk, line(100, bank_reference="B-7"), now=NOW)


def test_a_receipt_that_does_not_exist_is_not_found(people: Cast, top_up: TopUp) -> None:
    with pytest.raises(NoSuchReceipt):
        services.match_receipt(people.clerk, ids.new_id(), top_up_id=top_up.id, now=NOW)


def test_receipts_are_the_affair_of_finance(people: Cast, top_up: TopUp) -> None:
    receipt = services.record_receipt(people.clerk, line(100), now=NOW)
    for actor in (people.trader, people.stranger):
        with pytest.raises(NotAllowed):
            queries.visible_receipts(actor)
    for actor in (people.trader, people.stranger, people.auditor):
        with pytest.raises(NotAllowed):
            services.record_receipt(actor, line(100), now=NOW)
        with pytest.raises(NotAllowed):
            services.match_receipt(actor, receipt.id, top_up_id=top_up.id, now=NOW)
    assert queries.visible_receipts(people.auditor).get() == receipt
