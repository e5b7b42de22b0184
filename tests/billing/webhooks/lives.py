"""Lives of a payment and of a transfer at Stripe, and their messages in every order, doubled, late, forged or missing.

Whatever Stripe has told of has happened, so before a message is brought the life goes on until it has. Between the
messages the rows are what they are: each order is another interleaving of what happens there and what is known here.
"""

import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random  # noqa: TID251 (seeded: the same sequences every time)
from typing import Any

from django.db import transaction
from django.test import Client

from accounts.events.models import Event
from accounts.foundation import clock
from billing.cards.models import CardDispute, CardPayment, CardRefund
from billing.connect.models import ConnectTransfer, TransferReversal
from billing.connect.rules import ReversalStatus
from billing.ledger.models import Account, LedgerTransaction
from billing.payouts import tasks, transfers
from billing.payouts.models import Payout
from billing.webhooks import services
from billing.webhooks.models import StripeEvent
from billing.webhooks.rules import EventState
from tests.stripe.payers import message
from tests.stripe.server import Wire
from tests.stripe.simulator import Simulator

SECRET = "whsec_simulated"
Step = Callable[[Simulator], object]


class Disturbance(StrEnum):
    """What the way of a message does to it."""

    NONE = "none"
    DOUBLED = "doubled"
    LATE = "late"  # three days
    FORGED = "forged"  # forged and expired ones come before each true one
    MISSING = "missing"  # every second one never comes; the poller looks


@dataclass(frozen=True)
class Life:
    """Steps at Stripe, and after which of them each message can come: (step, type of message)."""

    name: str
    steps: Sequence[Step]
    messages: Sequence[tuple[int, str]]


@dataclass(frozen=True)
class Delivery:
    """One order of a life's messages, and what happens to them on the way."""

    order: tuple[int, ...]
    disturbance: Disturbance


def sequences(life: Life) -> list[Delivery]:
    """Return every order under every disturbance."""
    orders = itertools.permutations(range(len(life.messages)))
    return [Delivery(order, disturbance) for order in orders for disturbance in Disturbance]


def sample(life: Life, count: int, *, seed: int) -> list[Delivery]:
    """Return some of them, the same every time."""
    return Random(seed).sample(sequences(life), count)


@contextmanager
def undone() -> Iterator[None]:
    """Let everything that is written inside be as if it had never been."""
    with transaction.atomic():
        undoing: Any = transaction.get_connection().atomic_blocks[-1]
        undoing._from_testcase = True  # as of the test itself: steps that must be outermost are
        yield
        transaction.set_rollback(True)


def play(life: Life, sequence: Delivery, wire: Wire, base: Simulator, *, now: datetime) -> dict[str, Any]:
    """Live a life with its messages in one order, and return what is known here in the end."""
    wire.simulator = copy.deepcopy(base)
    simulator = wire.simulator
    client = Client()
    done = 0
    told: dict[int, dict[str, Any]] = {}
    already = len(simulator.told)
    for place, index in enumerate(sequence.order):
        after, kind = life.messages[index]
        while done <= after:
            life.steps[done](simulator)
            done += 1
        event = next(
            row
            for row in simulator.told[already:]
            if row["type"] == kind and row["id"] not in {seen["id"] for seen in told.values()}
        )
        told[index] = event
        if sequence.disturbance is Disturbance.MISSING and place % 2:
            continue
        _bring(client, event, sequence.disturbance, now=now)
        simulator.undelivered.discard(event["id"])
    while done < len(life.steps):
        life.steps[done](simulator)
        done += 1
    later = now + timedelta(days=2 if sequence.disturbance is not Disturbance.LATE else 3)
    # Jobs run when they run: here after all messages are in, but for those that were handled as they came.
    for row in StripeEvent.objects.filter(state=EventState.RECEIVED).order_by("id"):
        services.handle(row.id, now=later)
    services.poll(now=later)
    transfers.follow_all(now=later)
    # What a message makes known may need a job, and what a job does may bring a message: until nothing is left.
    while _worked_on(now=later):
        pass
    return known()


def _worked_on(*, now: datetime) -> bool:
    """Do a job that waits, or all messages that do; False when nothing came of it."""
    if waiting := TransferReversal.objects.filter(status=ReversalStatus.PREPARING).first():
        with clock.travel(now):
            tasks.reverse_transfer(str(waiting.id), {}, renew=lambda: None)
        return True
    received = list(StripeEvent.objects.filter(state=EventState.RECEIVED).order_by("id"))
    for row in received:
        services.handle(row.id, now=now)
    return StripeEvent.objects.filter(state=EventState.RECEIVED).count() < len(received)


def _bring(client: Client, event: dict[str, Any], disturbance: Disturbance, *, now: datetime) -> None:
    sent_at = int(_real_now())
    if disturbance is Disturbance.FORGED:
        for secret, at in ((f"{SECRET}x", sent_at), (SECRET, sent_at - 301), (SECRET, sent_at - 3 * 86_400)):
            assert _post(client, *message(event, secret, at=at)) == 400
        body, signature = message(event, SECRET, at=sent_at)
        assert _post(client, body.replace(b"evt_", b"evt-"), signature) == 400
    times = 3 if disturbance is Disturbance.DOUBLED else 1
    for _ in range(times):
        assert _post(client, *message(event, SECRET, at=sent_at)) == 200
    row = StripeEvent.objects.get(stripe_id=event["id"])
    if disturbance is not Disturbance.LATE:  # a late one waits in its row until all are there
        services.handle(row.id, now=now)
    if disturbance is Disturbance.DOUBLED:
        services.handle(row.id, now=now)


def _post(client: Client, body: bytes, signature: str) -> int:
    headers = {"Stripe-Signature": signature}
    return client.post("/hooks/stripe", body, content_type="application/json", headers=headers).status_code


def _real_now() -> float:
    import time

    return time.time()


def known() -> dict[str, Any]:
    """Return what is known here, without ids and instants."""
    return {
        "payments": sorted(CardPayment.objects.values_list("status", "amount_minor", "refunded_minor")),
        "refunds": sorted(CardRefund.objects.values_list("status", "amount_minor")),
        "disputes": sorted(CardDispute.objects.values_list("status", "amount_minor")),
        "transfers": sorted(ConnectTransfer.objects.values_list("status", "amount_minor", "reversed_minor")),
        "payouts": sorted(Payout.objects.values_list("status", "amount_minor")),
        "accounts": sorted(Account.objects.exclude(balance_minor=0).values_list("code", "balance_minor", "held_minor")),
        "postings": sorted(LedgerTransaction.objects.values_list("source_type", "purpose")),
        "told": sorted(Event.objects.filter(type="card_payment.succeeded").values_list("type", flat=True)),
        "open": list(StripeEvent.objects.filter(state=EventState.RECEIVED).values_list("type", flat=True)),
        "parked": list(StripeEvent.objects.filter(state=EventState.PARKED).values_list("type", flat=True)),
    }
