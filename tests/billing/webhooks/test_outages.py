"""Stripe is away for longer than jobs are tried: what was stored goes on by itself once Stripe answers, once."""

from datetime import datetime, timedelta

import pytest

from accounts.audit.models import AuditRecord
from accounts.foundation import clock
from accounts.jobs import services as jobs
from accounts.jobs.models import Job
from accounts.jobs.rules import MAXIMUM_ATTEMPTS, JobState, wait_after
from billing.cards import refunds
from billing.cards import services as cards
from billing.cards.models import CardPayment, CardRefund
from billing.cards.rules import PaymentStatus, RefundStatus
from billing.gateway.errors import OutcomeUnknown
from billing.gateway.models import GatewayCall
from billing.gateway.rules import CallState
from billing.webhooks import services
from billing.webhooks.models import StripeEvent
from billing.webhooks.rules import EventState
from catalog.measures.money import Money
from tests.billing.cards import cast
from tests.billing.webhooks.test_messages import bring
from tests.stripe.server import Wire

pytestmark = pytest.mark.django_db


def do_what_is_due(moment: datetime) -> datetime:
    """Do the jobs as workers do, through all attempts; returns when the last of them was due."""
    for attempt in range(1, MAXIMUM_ATTEMPTS + 1):
        jobs.run_due(limit=50, now=moment)
        moment += wait_after(attempt)
    return moment


def test_what_an_outage_of_stripe_parked_goes_on_by_itself_and_once(stripe_wire: Wire) -> None:
    stripe_wire.simulator.now = clock.now()
    people = cast.make()
    paid, waiting = cast.paid(people, stripe_wire), cast.opened(people)
    do_what_is_due(clock.now())
    stripe_wire.simulator.pay(waiting.session_id)
    told = [row for row in stripe_wire.simulator.told if row["type"] == "payment_intent.succeeded"][-1]
    stripe_wire.is_down = True
    assert [bring(told), bring(told, secret="whsec_another")] == [200, 400]
    asked = cards.request_top_up(people.trader, Money(7_000, "CNY"), return_to=cast.BACK, now=clock.now())
    refunds.request(people.clerk, paid.id, Money(50_000, "CNY"), reason="paid twice", now=clock.now())
    moment = do_what_is_due(clock.now())
    assert moment - clock.now() > timedelta(minutes=8)
    parked = Job.objects.filter(state=JobState.PARKED)
    assert {job.kind for job in parked} == {"handle_stripe_event", "push_card_payment", "push_card_refund"}
    for _ in range(2):
        moment += timedelta(minutes=15)
        with pytest.raises((OutcomeUnknown, ExceptionGroup)):
            services.poll(now=moment)
    assert parked.count() == 3

    stripe_wire.is_down = False
    for _ in range(3):
        services.poll(now=moment)
        do_what_is_due(moment)

    assert not Job.objects.exclude(state=JobState.DONE).exists()
    assert not GatewayCall.objects.exclude(state=CallState.DONE).exists()
    assert StripeEvent.objects.filter(state=EventState.PROCESSED, stripe_id=told["id"]).count() == 1
    assert not StripeEvent.objects.filter(state__in=[EventState.RECEIVED, EventState.PARKED]).exists()
    assert CardPayment.objects.get(id=waiting.id).status == PaymentStatus.SUCCEEDED
    assert CardPayment.objects.get(id=asked.id).status == PaymentStatus.OPEN
    assert CardRefund.objects.exclude(stripe_id="").get().status == RefundStatus.SENT
    made = [len(stripe_wire.simulator.of(noun)) for noun in ("checkout.session", "refund", "customer")]
    assert made == [3, 1, 1]
    assert cast.figures(people)[0] == 50_000
    assert AuditRecord.objects.filter(action="job.unpark").count() == 3


def test_what_failed_by_itself_still_waits_for_a_person(stripe_wire: Wire) -> None:
    job = jobs.enqueue("handle_stripe_event", "no id of a message", now=clock.now())
    do_what_is_due(clock.now())
    services.poll(now=clock.now())
    job.refresh_from_db()
    assert job.state == JobState.PARKED


def test_an_event_that_cannot_be_read_is_parked_and_hides_no_other(stripe_wire: Wire) -> None:
    simulator = stripe_wire.simulator
    simulator.now = clock.now()
    payment = cast.opened(cast.make())
    simulator.pay(payment.session_id)
    odd = [simulator.tell("payment_intent.succeeded", {"id": "pi_1", "object": "payment_intent"}) for _ in range(3)]
    odd[0]["created"], odd[1]["data"], odd[2]["id"] = int(simulator.now.timestamp()) * 10**6, None, "evt_" + "x" * 200
    simulator.undelivered.add(odd[2]["id"])
    for _ in range(2):
        services.poll(now=clock.now())
        do_what_is_due(clock.now())
    parked = StripeEvent.objects.filter(type=services.UNREADABLE)
    assert all(event.state == EventState.PARKED for event in parked)
    assert sorted(event.note.split(":")[1].split(" is not")[0].strip() for event in parked) == [
        "created", "data.object", "id",
    ]  # fmt: skip
    assert {odd[0]["id"], odd[1]["id"]} < {event.stripe_id for event in parked}
    assert CardPayment.objects.get().status == PaymentStatus.SUCCEEDED
    assert StripeEvent.objects.filter(state=EventState.PROCESSED).exists()


def test_a_message_about_nothing_is_parked(stripe_wire: Wire) -> None:
    bring(stripe_wire.simulator.tell("charge.updated", {"object": "charge"}))
    row = services.handle(StripeEvent.objects.get().id, now=clock.now())
    assert (row.state, row.note) == (EventState.PARKED, "The message names no charge.")
