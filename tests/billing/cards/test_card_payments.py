"""Card top-ups reach the wallet once, when Stripe has the money and not before."""

import pytest

from accounts.actors.errors import NotAllowed
from accounts.events.models import Event
from accounts.foundation import ids
from billing.cards import methods, queries, services
from billing.cards.errors import NoSuchCardMethod, ReceivedDiffers
from billing.cards.models import CardCustomer, CardPayment
from billing.cards.rules import PaymentStatus
from billing.gateway.errors import GatewayAbsent, OutcomeUnknown
from billing.ledger.models import LedgerTransaction
from catalog.measures.money import Money
from tests.billing.cards import cast
from tests.billing.cards.cast import Cast
from tests.billing.ledger.books import NOW, check_deferred
from tests.stripe.server import Wire

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> Cast:
    return cast.make()


def test_a_top_up_waits_on_a_page_of_stripe_and_reaches_the_wallet_when_paid(people: Cast, stripe_wire: Wire) -> None:
    payment = cast.opened(people)
    assert (payment.status, payment.url) == (
        PaymentStatus.OPEN,
        f"https://checkout.example/{payment.session_id}",
    )
    assert cast.figures(people) == (0, 0, 0)
    stripe_wire.simulator.pay(payment.session_id)
    payment = services.refresh(payment.id, now=NOW)
    check_deferred()
    assert (payment.status, payment.url) == (PaymentStatus.SUCCEEDED, "")
    assert cast.figures(people) == (50_000, 50_000, 0)
    assert Event.objects.filter(type="card_payment.succeeded").count() == 1


def test_looking_again_posts_nothing_again(people: Cast, stripe_wire: Wire) -> None:
    payment = cast.paid(people, stripe_wire)
    for _ in range(3):
        services.refresh(payment.id, now=NOW)
        services.push(payment.id, now=NOW)
    assert LedgerTransaction.objects.count() == 1
    assert cast.figures(people) == (50_000, 50_000, 0)


def test_a_declined_card_leaves_the_page_open_for_another(people: Cast, stripe_wire: Wire) -> None:
    payment = cast.opened(people)
    stripe_wire.simulator.pay(payment.session_id, declines="insufficient_funds")
    payment = services.refresh(payment.id, now=NOW)
    assert (payment.status, payment.failure) == (PaymentStatus.OPEN, "Your card was declined.")
    stripe_wire.simulator.pay(payment.session_id)
    payment = services.refresh(payment.id, now=NOW)
    assert (payment.status, payment.failure) == (PaymentStatus.SUCCEEDED, "")


def test_a_page_that_nobody_paid_on_expires(people: Cast, stripe_wire: Wire) -> None:
    payment = cast.opened(people)
    stripe_wire.simulator.expire(payment.session_id)
    assert services.refresh(payment.id, now=NOW).status == PaymentStatus.EXPIRED
    assert cast.figures(people) == (0, 0, 0)


@pytest.mark.parametrize("fault", ["lost_request", "lost_answer", "409", "429"])
@pytest.mark.parametrize("path", ["/v1/customers", "/v1/checkout/sessions"])
def test_a_lost_answer_makes_no_second_page(people: Cast, stripe_wire: Wire, path: str, fault: str) -> None:
    stripe_wire.fault(path, fault)
    payment = services.request_top_up(people.trader, Money(50_000, "CNY"), return_to=cast.BACK, now=NOW)
    with pytest.raises(OutcomeUnknown):
        services.push(payment.id, now=NOW)
    payment = services.push(payment.id, now=NOW)
    assert payment.status == PaymentStatus.OPEN
    assert len(stripe_wire.simulator.of("checkout.session")) == len(stripe_wire.simulator.of("customer")) == 1


def test_another_amount_than_was_asked_for_is_left_to_a_person(people: Cast, stripe_wire: Wire) -> None:
    payment = cast.opened(people)
    intent = stripe_wire.simulator.pay(payment.session_id)
    intent["amount_received"] = 49_999
    with pytest.raises(ReceivedDiffers, match=r"500\.00 CNY was asked for and Stripe has received 499\.99 CNY"):
        services.refresh(payment.id, now=NOW)
    assert cast.figures(people) == (0, 0, 0)


def test_an_organisation_is_one_customer(people: Cast, stripe_wire: Wire) -> None:
    cast.opened(people)
    cast.opened(people)
    assert len(stripe_wire.simulator.of("customer")) == CardCustomer.objects.count() == 1


def test_without_stripe_no_card_is_taken(people: Cast) -> None:
    with pytest.raises(GatewayAbsent, match="Pay by bank transfer"):
        services.request_top_up(people.trader, Money(50_000, "CNY"), return_to=cast.BACK, now=NOW)
    with pytest.raises(GatewayAbsent):
        methods.request_setup(people.trader, currency="CNY", return_to=cast.BACK, now=NOW)


def test_only_traders_pay_and_only_their_organisation_sees_it(people: Cast, stripe_wire: Wire) -> None:
    payment = cast.opened(people)
    with pytest.raises(NotAllowed):
        services.request_top_up(people.approver, Money(1, "CNY"), return_to=cast.BACK, now=NOW)
    assert queries.payment(people.clerk, payment.id) == payment
    assert queries.visible_payments(people.trader).get() == payment


def test_a_saved_card_shows_four_digits_and_is_forgotten_on_request(people: Cast, stripe_wire: Wire) -> None:
    method = cast.saved(people, stripe_wire)
    assert (method.brand, method.last4) == ("visa", "4242")
    assert queries.autopay_method_id(people.trader) == method.id
    methods.remove(people.trader, method.id, now=NOW)
    methods.push_detach(method.id, now=NOW)
    methods.push_detach(method.id, now=NOW)
    assert stripe_wire.simulator.get(method.stripe_id)["customer"] is None
    assert queries.autopay_method_id(people.trader) is None
    with pytest.raises(NoSuchCardMethod):
        methods.choose_for_invoices(people.trader, method.id, now=NOW)
    with pytest.raises(NoSuchCardMethod):
        methods.remove(people.trader, ids.new_id(), now=NOW)


def test_nothing_of_a_card_is_kept_but_what_may_be_shown(people: Cast, stripe_wire: Wire) -> None:
    cast.saved(people, stripe_wire)
    cast.paid(people, stripe_wire)
    columns = {field.name for model in (CardPayment, CardCustomer) for field in model._meta.get_fields()}
    assert not columns & {"number", "card_number", "cvc", "pan"}
