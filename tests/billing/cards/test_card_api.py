"""Card payments over HTTP: with and without Stripe, as owner, colleague, stranger and finance."""

from typing import Any

import pytest

from billing.cards import refunds, services
from billing.cards.models import CardPayment
from tests.billing import cast
from tests.billing.cast import Desk
from tests.stripe.server import Wire

pytestmark = pytest.mark.django_db
AMOUNT = {"amount": {"amount": "500.00", "currency": "CNY"}}


@pytest.fixture
def desk() -> Desk:
    return cast.desk()


def now() -> Any:
    from accounts.foundation import clock

    return clock.now()


def test_without_stripe_the_answer_names_the_other_way(desk: Desk) -> None:
    answer = desk.trader.post("/v1/card-payments", AMOUNT)
    assert (answer.status_code, answer.json()["code"]) == (409, "gateway_not_configured")
    assert "bank transfer" in answer.json()["detail"]
    assert desk.trader.post("/v1/card-method-setups").status_code == 409
    assert desk.seller.post("/v1/stripe-account").status_code == 409
    methods = desk.trader.get("/v1/payment-methods").json()["data"]
    assert [(row["method"], row["available"]) for row in methods] == [("bank_transfer", True), ("card", False)]


def test_a_payment_is_asked_for_and_followed(desk: Desk, stripe_wire: Wire) -> None:
    first = desk.trader.post("/v1/card-payments", AMOUNT, key="k")
    again = desk.trader.post("/v1/card-payments", AMOUNT, key="k")
    assert (first.status_code, first.json()["status"]) == (201, "preparing")
    assert again.json() == first.json()
    payment = CardPayment.objects.get()
    services.push(payment.id, now=now())
    address = f"/v1/card-payments/{first.json()['id']}"
    assert desk.trader.get(address).json()["url"].startswith("https://checkout.example/")
    assert desk.viewer.get(address).status_code == desk.clerk.get(address).status_code == 200
    assert desk.stranger.get(address).status_code == 404
    assert desk.viewer.post("/v1/card-payments", AMOUNT).status_code == 403
    stripe_wire.simulator.pay(CardPayment.objects.get().session_id)
    services.refresh(payment.id, now=now())
    assert desk.trader.get(address).json()["status"] == "succeeded"
    assert desk.trader.get("/v1/wallet").json()["funds"][0]["balance"]["amount"] == "500.00"


def test_finance_sends_money_back(desk: Desk, stripe_wire: Wire) -> None:
    spelled = desk.trader.post("/v1/card-payments", AMOUNT).json()["id"]
    payment = services.push(CardPayment.objects.get().id, now=now())
    stripe_wire.simulator.pay(payment.session_id)
    services.refresh(payment.id, now=now())
    address = f"/v1/card-payments/{spelled}/refunds"
    back = {"amount": {"amount": "100.00", "currency": "CNY"}, "reason": "not needed"}
    assert desk.trader.post(address, back).status_code == 403
    answer = desk.clerk.post(address, back)
    assert (answer.status_code, answer.json()["status"]) == (201, "sent")
    too_much = desk.clerk.post(address, back | {"amount": {"amount": "400.01", "currency": "CNY"}})
    assert (too_much.status_code, too_much.json()["code"]) == (422, "refund_too_large")
    refunds.push(payment.refunds.get().id, now=now())
    assert [row["status"] for row in desk.trader.get("/v1/card-refunds").json()["data"]] == ["sent"]
    assert desk.stranger.get("/v1/card-refunds").json()["data"] == []
