"""What the gateway counts on is so at the simulator, at localstripe as far as it goes, and at Stripe in test mode.

The simulator always runs. localstripe runs where LOCALSTRIPE names its program, Stripe itself where STRIPE_TEST_KEY is
set.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from billing.gateway.errors import CallRefused, ForgedNotice, NoSuchObject
from billing.gateway.facts import Intent
from billing.gateway.rules import Operation
from tests.stripe_contract import backends
from tests.stripe_contract.backends import Backend


@pytest.fixture(scope="module", params=sorted(backends.PRESENT))
def stripe(request: pytest.FixtureRequest) -> Iterator[Backend]:
    with backends.PRESENT[request.param]() as backend:
        yield backend


def only(*names: str) -> pytest.MarkDecorator:
    """Leave out the ones that are known not to do it; the docs list what."""
    return pytest.mark.parametrize("stripe", sorted(backends.PRESENT.keys() & set(names)), indirect=True)


def key() -> str:
    return f"contract-{uuid4()}"


def customer(stripe: Backend, call: str = "") -> str:
    asked = {"name": "Beichen AI Lab", "metadata": {"call": call or key()}}
    return stripe.gateway.make(Operation.CUSTOMER, asked, key=key()).id


def asked(customer_id: str, method_id: str, amount: int = 12_000) -> dict[str, object]:
    return {
        "amount": amount, "currency": "cny", "customer": customer_id, "payment_method": method_id, "confirm": True,
        "off_session": True, "metadata": {"card_payment": "pay_1", "call": key()},
    }  # fmt: skip


def paid(stripe: Backend, amount: int = 12_000) -> Intent:
    customer_id = customer(stripe)
    wanted = asked(customer_id, stripe.save_card(customer_id), amount)
    return stripe.gateway.intent(stripe.gateway.make(Operation.PAYMENT, wanted, key=key()).id)


def test_a_saved_card_is_charged_while_its_owner_is_away(stripe: Backend) -> None:
    intent = paid(stripe)
    assert (intent.status, intent.amount_minor) == ("succeeded", 12_000)
    if stripe.name != "localstripe":  # it does not say what was received
        assert intent.received_minor == 12_000
    assert (intent.currency, intent.mark) == ("CNY", "pay_1")
    assert intent.charge_id.startswith("ch_")


def test_what_is_known_of_a_card_is_its_brand_end_and_expiry(stripe: Backend) -> None:
    customer_id = customer(stripe)
    method = stripe.gateway.method(stripe.save_card(customer_id))
    assert (method.brand, method.last4, method.customer_id) == ("visa", "4242", customer_id)
    assert method.expires_year > 2026
    stripe.gateway.make(Operation.DETACH_METHOD, {"on": method.id}, key=key())
    assert stripe.gateway.method(method.id).customer_id == ""


def test_a_declined_card_is_a_refusal_that_names_its_payment(stripe: Backend) -> None:
    customer_id = customer(stripe)
    with pytest.raises(CallRefused) as refused:
        stripe.gateway.make(
            Operation.PAYMENT, asked(customer_id, stripe.save_card(customer_id, declines=True)), key=key()
        )
    assert refused.value.reason
    if stripe.name != "localstripe":  # its refusal does not carry the payment
        intent = stripe.gateway.intent(refused.value.object_id)
        assert (intent.status, intent.received_minor) == ("requires_payment_method", 0)


def test_a_part_is_refunded_and_no_more_than_was_charged(stripe: Backend) -> None:
    intent = paid(stripe)
    made = stripe.gateway.make(Operation.REFUND, {"charge": intent.charge_id, "amount": 5_000}, key=key())
    refund = stripe.gateway.refund(made.id)
    assert (refund.amount_minor, refund.currency, refund.charge_id) == (5_000, "CNY", intent.charge_id)
    assert refund.status in {"pending", "succeeded"}
    if stripe.name != "localstripe":  # it refunds more than was charged
        with pytest.raises(CallRefused):
            stripe.gateway.make(Operation.REFUND, {"charge": intent.charge_id, "amount": 7_001}, key=key())


@only("simulator", "stripe")  # localstripe refuses to list what was made since an instant
def test_what_was_made_is_found_by_its_mark(stripe: Backend) -> None:
    call = key()
    since = datetime.now(tz=UTC) - timedelta(hours=1)  # noqa: TID251 (Stripe's own clock is the real one)
    made = customer(stripe, call)
    found = stripe.gateway.found(Operation.CUSTOMER, call=call, since=since)
    assert found is not None
    assert found.id == made
    assert stripe.gateway.found(Operation.CUSTOMER, call=key(), since=since) is None


@only("simulator", "stripe")  # localstripe's rows have no reporting category
def test_a_charge_and_a_refund_are_rows_of_the_balance(stripe: Backend) -> None:
    since = datetime.now(tz=UTC) - timedelta(hours=1)  # noqa: TID251 (Stripe's own clock is the real one)
    intent = paid(stripe)
    row = next(row for row in stripe.gateway.movements(since=since) if row.source_id == intent.charge_id)
    assert (row.reporting_category, row.net_minor) == ("charge", row.amount_minor - row.fee_minor)
    assert stripe.gateway.movement(row.id) == row


@only("simulator", "stripe")  # localstripe ignores keys
def test_the_same_key_makes_one_thing(stripe: Backend) -> None:
    wanted, same = {"name": "Once"}, key()
    first = stripe.gateway.make(Operation.CUSTOMER, wanted, key=same)
    assert stripe.gateway.make(Operation.CUSTOMER, wanted, key=same) == first
    with pytest.raises(CallRefused):
        stripe.gateway.make(Operation.CUSTOMER, {"name": "Twice"}, key=same)


@only("simulator", "stripe")  # localstripe has no Checkout
def test_a_page_to_pay_on_is_made_and_looked_at(stripe: Backend) -> None:
    priced = {"currency": "cny", "unit_amount": 12_000, "product_data": {"name": "Top-up"}}
    wanted = {
        "mode": "payment", "customer": customer(stripe), "line_items": [{"price_data": priced, "quantity": 1}],
        "success_url": "https://exchange.example/", "cancel_url": "https://exchange.example/",
    }  # fmt: skip
    made = stripe.gateway.make(Operation.PAY_SESSION, wanted, key=key())
    session = stripe.gateway.session(made.id)
    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert session.url == made.url != ""


def test_what_is_not_there_is_said_to_be_so(stripe: Backend) -> None:
    for look in (stripe.gateway.intent, stripe.gateway.refund, stripe.gateway.method):
        with pytest.raises(NoSuchObject):
            look("pi_nothing")


@only("simulator", "stripe")  # localstripe has no accounts
def test_whose_key_it_is_can_be_asked(stripe: Backend) -> None:
    assert stripe.gateway.account_status().detail.startswith("The Stripe account acct_")


@only("simulator", "localstripe")  # Stripe itself cannot reach this machine
def test_a_message_is_signed_and_names_what_it_is_about(stripe: Backend) -> None:
    intent = paid(stripe)
    body, signature = stripe.next_message("payment_intent.succeeded")
    notice = stripe.gateway.notice(body, signature)
    assert (notice.type, notice.live, notice.object_kind) == ("payment_intent.succeeded", False, "payment_intent")
    assert notice.object_id.startswith("pi_")
    assert intent.id.startswith("pi_")
    with pytest.raises(ForgedNotice):
        stripe.gateway.notice(body + b" ", signature)
