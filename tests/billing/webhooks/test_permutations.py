"""Messages in every order, doubled, late, forged or missing, end in the same state.

By default a sample of the sequences is played. All of them, 7,230, are played with `WEBHOOK_SEQUENCES=all`, and so many
of each life with a number.
"""

import copy
import os
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from billing.cards import refunds
from billing.connect.models import ConnectTransfer
from billing.payouts import tasks
from catalog.measures.money import Money
from tests.billing.cards import cast
from tests.billing.ledger.books import NOW
from tests.billing.payouts.cast import MONDAY, sent_through_stripe
from tests.billing.webhooks import lives
from tests.billing.webhooks.lives import Delivery, Disturbance, Life
from tests.stripe.server import Wire
from tests.stripe.simulator import Simulator

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=10)
SAMPLED = 8
TOGETHER = 100


def payment_of(simulator: Simulator) -> str:
    return str(simulator.of("checkout.session")[0]["id"])


def charge_of(simulator: Simulator) -> str:
    return str(simulator.of("charge")[0]["id"])


def dispute_of(simulator: Simulator) -> str:
    return str(simulator.of("dispute")[0]["id"])


PAYMENT = Life(
    "a payment, disputed and won",
    steps=(
        lambda stripe: stripe.pay(payment_of(stripe), declines="insufficient_funds"),
        lambda stripe: stripe.pay(payment_of(stripe)),
        lambda stripe: stripe.open_dispute(charge_of(stripe)),
        lambda stripe: stripe.close_dispute(dispute_of(stripe), won=True),
    ),
    messages=(
        (0, "payment_intent.payment_failed"),
        (1, "payment_intent.succeeded"),
        (1, "charge.succeeded"),
        (1, "checkout.session.completed"),
        (2, "charge.dispute.created"),
        (3, "charge.dispute.closed"),
    ),
)
REFUND = Life(
    "a refund that comes back",
    steps=(
        lambda stripe: stripe.finish_refund(stripe.of("refund")[0]["id"]),
        lambda stripe: stripe.finish_refund(stripe.of("refund")[0]["id"], fails=True),
        lambda stripe: stripe.tell("charge.refund.updated", stripe.of("refund")[0]),
    ),
    messages=((0, "refund.updated"), (1, "refund.failed"), (2, "charge.refund.updated")),
)
TRANSFER = Life(
    "a transfer whose payout comes back after it was paid",
    steps=(
        lambda stripe: stripe.tell("transfer.updated", stripe.of("transfer")[0]),
        lambda stripe: stripe.land_payout(stripe.of("payout")[0]["id"]),
        lambda stripe: stripe.land_payout(stripe.of("payout")[0]["id"], fails=True),
        lambda stripe: stripe.restrict(stripe.of("account")[0]["id"]),
        lambda stripe: stripe.create_reversal(stripe.of("transfer")[0]["id"], sent={"amount": "30000"}, account=""),
        lambda stripe: stripe.tell("payout.updated", stripe.of("payout")[0]),
    ),
    messages=(
        (0, "transfer.updated"),
        (1, "payout.paid"),
        (2, "payout.failed"),
        (3, "account.updated"),
        (4, "transfer.reversed"),
        (5, "payout.updated"),
    ),
)


def parts(life: Life) -> list[list[Delivery]]:
    """Return what each test plays: many sequences in one transaction get slower and slower, a hundred do not."""
    wanted, every = os.environ.get("WEBHOOK_SEQUENCES", str(SAMPLED)), lives.sequences(life)
    chosen = every if wanted == "all" or int(wanted) >= len(every) else lives.sample(life, int(wanted), seed=7)
    return [chosen[start : start + TOGETHER] for start in range(0, len(chosen), TOGETHER)]


def assert_alike(life: Life, wire: Wire, sequences: Sequence[Delivery], *, now: datetime = LATER) -> None:
    base = copy.deepcopy(wire.simulator)
    in_order = Delivery(tuple(range(len(life.messages))), Disturbance.NONE)
    with lives.undone():
        expected = lives.play(life, in_order, wire, base, now=now)
    assert (expected["open"], expected["parked"]) == ([], [])
    assert sequences
    for sequence in sequences:
        with lives.undone():
            assert lives.play(life, sequence, wire, base, now=now) == expected, sequence


@pytest.mark.parametrize("sequences", parts(PAYMENT))
def test_a_payment_ends_alike(stripe_wire: Wire, sequences: list[Delivery]) -> None:
    people = cast.make()
    cast.opened(people)
    assert_alike(PAYMENT, stripe_wire, sequences)


@pytest.mark.parametrize("sequences", parts(REFUND))
def test_a_refund_ends_alike(stripe_wire: Wire, sequences: list[Delivery]) -> None:
    people = cast.make()
    payment = cast.paid(people, stripe_wire)
    refund = refunds.request(people.clerk, payment.id, Money(20_000, "CNY"), reason="not needed", now=NOW)
    refunds.push(refund.id, now=NOW)
    assert_alike(REFUND, stripe_wire, sequences)


@pytest.mark.parametrize("sequences", parts(TRANSFER))
def test_a_transfer_ends_alike(stripe_wire: Wire, sequences: list[Delivery]) -> None:
    _, payout = sent_through_stripe(stripe_wire, 50_000)
    stripe_wire.simulator.pass_time(MONDAY - NOW)
    tasks.send_transfer(str(ConnectTransfer.objects.get(payout_id=payout.id).id), {}, renew=lambda: None)
    assert_alike(TRANSFER, stripe_wire, sequences, now=MONDAY + timedelta(minutes=10))
