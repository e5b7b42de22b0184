"""Many at once on one round: members at the gate, workers on one job."""

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event
from uuid import UUID

import pytest
from django.db import connection, transaction

from accounts.foundation import clock, ids
from accounts.foundation.errors import DomainError
from catalog.offerings.needs import Needs
from config.embedded import processes
from exchange.auctions import clear, gates, settle
from exchange.auctions.models import RoundOrder
from exchange.markets.models import Market
from exchange.offers import services as offers
from exchange.offers.rules import OfferSpec, OfferTerms
from exchange.orders import services as orders
from exchange.orders.models import Order
from exchange.orders.rules import OrderKind, OrderSpec, OrderStatus, OrderTerms
from exchange.rounds.models import Round, RoundOutcome, RoundSnapshot
from exchange.rounds.rules import RoundStatus
from exchange.trades.models import Trade
from tests.exchange import cast
from tests.exchange.cast import GATE, HOUR, NOW, Story
from tests.faults.test_round_faults import (
    check_nothing_is_half_done,
    check_the_outcome_is_that_of_the_story,
    enter_the_story,
    the_round,
)
from tests.races.together import make_ready, together

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 4
PATIENCE_SECONDS = 120


def by_many(step: Callable[[], object], *, at: datetime) -> None:
    """Run a step in several workers at once."""
    together([step] * WORKERS, at=at, in_transaction=False)


def clear_it() -> None:
    clear.clear_round(str(the_round().id), {}, renew=lambda: None)


def settle_it() -> None:
    settle.settle_round(str(the_round().id), {}, renew=lambda: None)


def test_a_round_frozen_cleared_and_settled_by_many_at_once_happens_once() -> None:
    enter_the_story()
    by_many(lambda: gates.close_due(now=GATE), at=GATE)
    assert RoundSnapshot.objects.count() == 1
    by_many(clear_it, at=GATE)
    assert RoundOutcome.objects.count() == 1
    by_many(settle_it, at=GATE)
    check_nothing_is_half_done()
    with clock.travel(GATE):
        settle_it()
    check_the_outcome_is_that_of_the_story()


def test_two_rounds_of_a_market_are_never_in_progress_at_once() -> None:
    story = enter_the_story()
    with clock.travel(GATE):
        gates.close_due(now=GATE)
    later = GATE + timedelta(days=1)
    by_many(lambda: gates.close_due(now=later), at=later)
    assert list(
        Round.objects.filter(market=story.market).order_by("scheduled_at").values_list("status", flat=True)
    ) == [
        RoundStatus.GATED,
        RoundStatus.OPEN,
        RoundStatus.OPEN,
    ]


# --- The gate, on the real clock -----------------------------------------------------------------

GATES = 4
ORDERS = 30


def live_story() -> Story:
    """Open a market with a gate every second, with cards on offer for the coming days."""
    with clock.travel(NOW), transaction.atomic():
        story = cast.make_story()
    now = clock.now()
    start = now.replace(minute=0, second=0, microsecond=0) + 2 * HOUR
    with transaction.atomic():
        market = cast.make_market(
            story.operator,
            "fast",
            gate_interval_seconds=1,
            gate_offset_seconds=0,
            no_cancel_seconds=0,
            lead_seconds=0,
            horizon_hours=100,
        )
        terms = OfferTerms(16, start, start + 24 * HOUR, 1_000_000)
        offers.place(story.huailai, OfferSpec(market.id, story.huailai_cards.id, terms), now=now, lists_capacity=True)
    return Story(**{**vars(story), "market": market})


def trade_until(stop: Event, story: Story, start: datetime, cancelled: list[UUID]) -> int:
    """Place small orders and withdraw every third one, as fast as it goes; return how often it was refused."""
    refused = 0
    mine: list[UUID] = []
    spec = OrderSpec(
        market_id=story.market.id,
        kind=OrderKind.HOURLY,
        terms=OrderTerms(
            quantity_max=1,
            quantity_min=None,
            hours=None,
            earliest_at=start,
            latest_at=start + HOUR,
            needs=Needs(),
            limit_micros=2_000_000,
        ),
    )
    make_ready()
    try:
        while not stop.is_set():
            try:
                mine.append(orders.place(story.beichen, spec, now=clock.now()).id)
                if len(mine) % 3 == 0:
                    orders.cancel(story.beichen, mine[-1], now=clock.now())
                    cancelled.append(mine[-1])
            except DomainError:
                refused += 1
    finally:
        connection.close()
    return refused


def run_gates(stop: Event) -> None:
    """Be beat and worker: close what is due, clear and settle it."""
    make_ready()
    try:
        while not stop.is_set():
            for round_id in gates.close_due(now=clock.now()):
                clear.clear_round(str(round_id), {}, renew=lambda: None)
                settle.settle_round(str(round_id), {}, renew=lambda: None)
            time.sleep(0.05)
    finally:
        connection.close()


def test_whoever_is_accepted_before_a_gate_is_in_its_book_and_whoever_withdrew_is_in_none() -> None:
    story = live_story()
    start = Market.objects.get(code="fast").offers.get().starts_at
    stop, cancelled = Event(), list[UUID]()
    with ThreadPoolExecutor(4) as threads:
        closing = threads.submit(run_gates, stop)
        trading = [threads.submit(trade_until, stop, story, start, cancelled) for _ in range(3)]
        enough = processes.wait_until(lambda: closing.done() or has_enough(story.market), seconds=PATIENCE_SECONDS)
        stop.set()
        closing.result()
        assert all(isinstance(one.result(), int) for one in trading)
    assert enough, "the gates did not run, or nobody traded"
    check_books(story, cancelled)


def has_enough(market: Market) -> bool:
    """Tell whether enough has happened to be judged."""
    gated = Round.objects.filter(market=market, snapshot__isnull=False).count()
    return gated >= GATES and Order.objects.filter(market=market).count() >= ORDERS


def check_books(story: Story, cancelled: Sequence[UUID]) -> None:
    """Compare every frozen book with the orders that it had to hold."""
    gated = list(Round.objects.filter(market=story.market, snapshot__isnull=False).order_by("scheduled_at"))
    placed = list(Order.objects.filter(market=story.market))
    before = None
    for round_ in gated:
        book = json.loads(round_.snapshot.text)
        in_book = {ids.parse("ord", row["id"]) for row in book["orders"]}
        expected = {
            order.id
            for order in placed
            if order.id not in cancelled
            and order.created_at < round_.scheduled_at
            and (before is None or order.created_at >= before)
        }
        assert in_book == expected
        assert not in_book & set(cancelled)
        before = round_.scheduled_at
    assert set(RoundOrder.objects.values_list("order_id", flat=True)).isdisjoint(cancelled)
    assert {order.status for order in placed if order.id in cancelled} <= {OrderStatus.CANCELLED}
    for trade in Trade.objects.select_related("order", "round"):
        assert trade.order is not None
        assert trade.round is not None
        assert trade.order.created_at < trade.round.scheduled_at
