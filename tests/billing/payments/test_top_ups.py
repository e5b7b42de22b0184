"""Top-ups: announced by a customer, confirmed by finance."""

import pytest

from accounts.actors.errors import NotAllowed
from accounts.audit.models import AuditRecord
from accounts.events.models import Event
from accounts.foundation import ids
from billing.ledger import queries as books
from billing.ledger.chart import Code
from billing.ledger.errors import InsufficientFunds
from billing.ledger.models import LedgerTransaction
from billing.payments import queries, services
from billing.payments.errors import AmountMismatch, NoSuchTopUp, OwnTopUp, ReceiptKnown, TopUpMoveRefused
from billing.payments.models import BankReceipt, TopUp
from billing.payments.rules import TopUpStatus
from catalog.measures.money import Money
from tests.billing.ledger.books import NOW, check_deferred, invoice
from tests.billing.payments import cast
from tests.billing.payments.cast import Cast, line

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> Cast:
    return cast.make()


@pytest.fixture
def top_up(people: Cast) -> TopUp:
    return services.request_top_up(people.trader, Money(600_000, "CNY"), now=NOW)


def test_a_request_moves_no_money_and_carries_a_reference(people: Cast, top_up: TopUp) -> None:
    assert top_up.status == TopUpStatus.AWAITING
    assert top_up.reference.startswith("CX-")
    assert books.funds(people.lab.id, "CNY").balance_minor == 0
    assert not LedgerTransaction.objects.exists()


def test_confirming_credits_the_wallet_with_posting_audit_and_event(people: Cast, top_up: TopUp) -> None:
    received = line(600_000, top_up.reference)
    confirmed = services.confirm(people.clerk, top_up.id, received, now=NOW)
    check_deferred()
    assert confirmed.status == TopUpStatus.CONFIRMED
    assert books.funds(people.lab.id, "CNY").balance_minor == 600_000
    assert books.balance(Code.BANK, "CNY") == 600_000
    assert BankReceipt.objects.get().top_up == confirmed
    actions = AuditRecord.objects.filter(subject_id=top_up.id).values_list("action", flat=True)
    assert sorted(actions) == ["top_up.confirm", "top_up.request"]
    told = Event.objects.filter(organisation_id=people.lab.id, type="top_up.confirmed").get()
    assert (told.payload["amount"], told.payload["currency"]) == ("6000.00", "CNY")


def test_confirming_twice_with_the_same_bank_line_credits_once(people: Cast, top_up: TopUp) -> None:
    received = line(600_000)
    services.confirm(people.clerk, top_up.id, received, now=NOW)
    services.confirm(people.clerk, top_up.id, received, now=NOW)
    assert books.funds(people.lab.id, "CNY").balance_minor == 600_000
    assert BankReceipt.objects.count() == 1


def test_confirming_twice_with_another_bank_line_is_refused(people: Cast, top_up: TopUp) -> None:
    services.confirm(people.clerk, top_up.id, line(600_000), now=NOW)
    with pytest.raises(TopUpMoveRefused):
        services.confirm(people.clerk, top_up.id, line(600_000), now=NOW)


@pytest.mark.parametrize("received", [Money(599_999, "CNY"), Money(600_000, "USD")])
def test_another_amount_than_announced_is_refused_with_both(people: Cast, top_up: TopUp, received: Money) -> None:
    with pytest.raises(AmountMismatch) as refused:
        services.confirm(people.clerk, top_up.id, line(received.amount_minor, currency=received.currency), now=NOW)
    assert "6000.00 CNY was announced" in refused.value.detail
    assert str(received) in refused.value.detail
    assert not BankReceipt.objects.exists()
    assert books.funds(people.lab.id, "CNY").balance_minor == 0


def test_one_bank_line_cannot_pay_two_top_ups(people: Cast, top_up: TopUp) -> None:
    other = services.request_top_up(people.trader, Money(600_000, "CNY"), now=NOW)
    services.confirm(people.clerk, top_up.id, line(600_000, bank_reference="B-1"), now=NOW)
    with pytest.raises(ReceiptKnown):
        services.confirm(people.clerk, other.id, line(600_000, bank_reference="B-1"), now=NOW)


def test_nobody_confirms_their_own_request(people: Cast) -> None:
    both = people.clerk.__class__(
        people.lab.id,
        people.trader.user_id,
        None,
        people.trader.capabilities | people.clerk.capabilities,
        "user:both",
    )
    own = services.request_top_up(both, Money(100, "CNY"), now=NOW)
    with pytest.raises(OwnTopUp):
        services.confirm(both, own.id, line(100), now=NOW)


def test_who_may_do_what(people: Cast, top_up: TopUp) -> None:
    with pytest.raises(NotAllowed):
        services.request_top_up(people.viewer, Money(100, "CNY"), now=NOW)
    for actor in (people.trader, people.viewer, people.stranger, people.auditor):
        with pytest.raises(NotAllowed):
            services.confirm(actor, top_up.id, line(600_000), now=NOW)
        with pytest.raises(NotAllowed):
            services.return_top_up(actor, top_up.id, now=NOW)
    with pytest.raises(NotAllowed):
        services.cancel_top_up(people.viewer, top_up.id, now=NOW)


def test_a_stranger_finds_no_top_up(people: Cast, top_up: TopUp) -> None:
    with pytest.raises(NoSuchTopUp):
        queries.top_up(people.stranger, top_up.id)
    with pytest.raises(NoSuchTopUp):
        services.cancel_top_up(people.stranger, top_up.id, now=NOW)
    assert not queries.visible_top_ups(people.stranger).exists()
    assert queries.top_up(people.viewer, top_up.id) == queries.top_up(people.auditor, top_up.id) == top_up


def test_a_top_up_that_does_not_exist_is_not_found(people: Cast) -> None:
    with pytest.raises(NoSuchTopUp):
        services.confirm(people.clerk, ids.new_id(), line(100), now=NOW)


def test_a_cancelled_top_up_cannot_be_confirmed(people: Cast, top_up: TopUp) -> None:
    services.cancel_top_up(people.trader, top_up.id, now=NOW)
    with pytest.raises(TopUpMoveRefused):
        services.confirm(people.clerk, top_up.id, line(600_000), now=NOW)


def test_a_returned_top_up_leaves_the_wallet_and_the_bank(people: Cast, top_up: TopUp) -> None:
    services.confirm(people.clerk, top_up.id, line(600_000), now=NOW)
    returned = services.return_top_up(people.clerk, top_up.id, now=NOW)
    check_deferred()
    assert (returned.status, returned.ended_at) == (TopUpStatus.RETURNED, NOW)
    assert books.funds(people.lab.id, "CNY").balance_minor == 0
    assert books.balance(Code.BANK, "CNY") == 0


def test_a_top_up_that_was_spent_cannot_be_returned(people: Cast, top_up: TopUp) -> None:
    services.confirm(people.clerk, top_up.id, line(600_000), now=NOW)
    invoice(people.lab, 1)
    with pytest.raises(InsufficientFunds):
        services.return_top_up(people.clerk, top_up.id, now=NOW)
