"""What Stripe brings is stored before it is answered, believed only when signed, and used as a hint."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.foundation import clock
from accounts.jobs import services as jobs
from accounts.jobs.models import Job
from accounts.jobs.rules import JobState
from billing.cards.models import CardPayment
from billing.cards.rules import PaymentStatus
from billing.gateway.errors import OutcomeUnknown
from billing.webhooks import services
from billing.webhooks.models import StripeEvent
from billing.webhooks.rules import MAX_BODY_BYTES, EventState
from tests.billing.cards import cast
from tests.billing.ledger.books import NOW
from tests.stripe.payers import message, signature
from tests.stripe.server import Wire

pytestmark = pytest.mark.django_db
SECRET = "whsec_simulated"


def bring(event: dict[str, Any], *, secret: str = SECRET, at: int | None = None) -> int:
    return post(*message(event, secret, at=int(time.time()) if at is None else at))


def post(body: bytes, header: str) -> int:
    headers = {"Stripe-Signature": header}
    return Client().post("/hooks/stripe", body, content_type="application/json", headers=headers).status_code


def a_paid_session(wire: Wire) -> dict[str, Any]:
    payment = cast.opened(cast.make())
    wire.simulator.pay(payment.session_id)
    return next(row for row in wire.simulator.told if row["type"] == "payment_intent.succeeded")


def test_a_message_is_stored_once_and_its_job_credits_the_wallet(stripe_wire: Wire) -> None:
    event = a_paid_session(stripe_wire)
    assert [bring(event), bring(event)] == [200, 200]
    assert StripeEvent.objects.get().state == EventState.RECEIVED
    Job.objects.exclude(kind=services.HANDLE_EVENT).update(state=JobState.RUNNING, lease_until=clock.now())
    jobs.run_due(limit=5, now=clock.now())
    assert StripeEvent.objects.get().state == EventState.PROCESSED
    assert CardPayment.objects.get().status == PaymentStatus.SUCCEEDED


def test_what_a_message_says_about_its_object_is_not_believed(stripe_wire: Wire) -> None:
    event = a_paid_session(stripe_wire)
    event["data"]["object"]["amount_received"] = 99_999_999
    bring(event)
    services.handle(StripeEvent.objects.get().id, now=NOW)
    assert CardPayment.objects.get().amount_minor == 50_000


@pytest.mark.parametrize("age", [301, 86_400, -301])
def test_an_old_signature_is_refused(stripe_wire: Wire, age: int) -> None:
    # One from the future is as good as a fresh one: Stripe's library bounds the past alone.
    expected = 200 if age < 0 else 400
    assert bring(a_paid_session(stripe_wire), at=int(time.time()) - age) == expected
    assert StripeEvent.objects.count() == (expected == 200)


def test_what_stripe_has_not_signed_is_refused_and_not_stored(stripe_wire: Wire) -> None:
    event = a_paid_session(stripe_wire)
    body, header = message(event, SECRET, at=int(time.time()))
    assert bring(event, secret="whsec_another") == 400
    assert post(body + b" ", header) == 400
    assert post(body, "") == post(body, "t=1,v1=00") == 400
    assert post(b"", header) == 413
    signed = message({"object": "event"}, SECRET, at=int(time.time()))
    assert post(*signed) == 400
    assert not StripeEvent.objects.exists()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"id": "evt_" + "x" * 200}, "id"),
        ({"id": "evt_\0"}, "id"),
        ({"id": 5}, "id"),
        ({"type": ["charge"]}, "type"),
        ({"created": 10**30}, "created"),
        ({"created": -5}, "created"),
        ({"created": "now"}, "created"),
        ({"data": None}, "data.object"),
        ({"data": {"object": []}}, "data.object"),
        ({"data": {"object": {"id": 5, "object": "charge"}}}, "data.object.id"),
    ],
)
def test_a_signed_message_that_is_no_event_is_refused_by_name(
    stripe_wire: Wire, changes: dict[str, Any], named: str
) -> None:
    body, header = message(a_paid_session(stripe_wire) | changes, SECRET, at=int(time.time()))
    response = Client().post(
        "/hooks/stripe", body, content_type="application/json", headers={"Stripe-Signature": header}
    )
    assert (response.status_code, f": {named} is not" in response.text) == (400, True)
    assert not StripeEvent.objects.exists()


def test_a_signed_message_that_is_nested_too_deeply_is_refused(stripe_wire: Wire) -> None:
    body = b"[" * 100_000
    assert post(body, signature(body, SECRET, at=int(time.time()))) == 400


def test_a_message_of_another_mode_or_account_is_refused(stripe_wire: Wire) -> None:
    event = a_paid_session(stripe_wire)
    assert bring(event | {"livemode": True}) == 400
    assert bring(event | {"account": "acct_stranger"}) == 400
    assert not StripeEvent.objects.exists()


def test_a_message_that_is_too_large_is_not_read(stripe_wire: Wire) -> None:
    assert post(b"x" * (MAX_BODY_BYTES + 1), "t=1,v1=00") == 413


def test_only_posts_are_taken_and_only_with_an_account() -> None:
    assert Client().get("/hooks/stripe").status_code == 405
    assert post(json.dumps({}).encode(), "t=1,v1=00") == 404


def test_a_type_of_no_concern_is_stored_and_ignored(stripe_wire: Wire) -> None:
    event = stripe_wire.simulator.tell("product.created", {"id": "prod_1", "object": "product"})
    assert bring(event) == 200
    assert services.handle(StripeEvent.objects.get().id, now=NOW).state == EventState.IGNORED


def test_a_payment_that_is_not_ours_is_parked_for_a_person(stripe_wire: Wire) -> None:
    intent = stripe_wire.simulator.new_intent(1, "cny", "cus_other", {})
    bring(stripe_wire.simulator.tell("payment_intent.created", intent))
    row = services.handle(StripeEvent.objects.get().id, now=NOW)
    assert (row.state, row.note) == (EventState.PARKED, "No row of ours has this payment_intent.")


def test_a_message_stays_open_while_stripe_cannot_be_asked(stripe_wire: Wire) -> None:
    event = a_paid_session(stripe_wire)
    bring(event)
    payment = CardPayment.objects.get()
    stripe_wire.fault(f"/v1/checkout/sessions/{payment.session_id}", "500")
    with pytest.raises(OutcomeUnknown):
        services.handle(StripeEvent.objects.get().id, now=NOW)
    assert StripeEvent.objects.get().state == EventState.RECEIVED
    assert services.handle(StripeEvent.objects.get().id, now=NOW).state == EventState.PROCESSED


def test_what_no_message_told_of_is_found_by_looking(stripe_wire: Wire) -> None:
    a_paid_session(stripe_wire)
    later = NOW + timedelta(minutes=6)
    assert services.poll(now=later) >= 1
    assert CardPayment.objects.get().status == PaymentStatus.SUCCEEDED
    assert StripeEvent.objects.filter(polled=True).exists()
    for row in StripeEvent.objects.all():
        services.handle(row.id, now=later)
    stripe_wire.simulator.undelivered.clear()
    before = StripeEvent.objects.count()
    services.poll(now=later)
    assert StripeEvent.objects.count() == before
