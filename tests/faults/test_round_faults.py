"""A worker is killed at every point of freezing, clearing and settling: nothing is left half-done."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import transaction
from django.db.models import Sum

from accounts.foundation import clock
from billing.contracts.models import Contract
from billing.ledger.models import Hold
from exchange.auctions import clear, gates, settle
from exchange.auctions.models import RoundOrder
from exchange.auctions.rules import EntryState
from exchange.capacity.models import CapacitySlot
from exchange.leases.models import Lease
from exchange.offers.models import Offer, OfferSlot
from exchange.orders.models import Order
from exchange.orders.rules import OrderStatus
from exchange.rounds.models import Round, RoundOutcome, RoundPrice, RoundSnapshot
from exchange.rounds.rules import RoundStatus
from exchange.trades.models import Trade
from tests.exchange import cast
from tests.exchange.cast import GATE, NOW, Story
from tests.faults.killed import sweep

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]


def enter_the_story() -> Story:
    """Enter the offers and orders of the story and return whose they are."""
    with clock.travel(NOW), transaction.atomic():
        story = cast.make_story()
        cast.place_offer(story, story.huailai, story.huailai_cards, "8.00")
        cast.place_offer(story, story.zhangbei, story.zhangbei_cards, "10.00")
        cast.place_order(story.beichen, cast.block(story, "12.50"))
        cast.place_order(story.lanting, cast.hourly(story, "11.00"))
        cast.place_order(story.qinghe, cast.hourly(story, "9.00", quantity_max=8))
    return story


def at_the_gate(step: Callable[[], object]) -> None:
    """Run a step to its end, at the gate."""
    with clock.travel(GATE):
        step()


def the_round() -> Round:
    return Round.objects.get(scheduled_at=GATE)


def freeze() -> object:
    return gates.close_due(now=clock.now())


def clear_it() -> None:
    clear.clear_round(str(the_round().id), {}, renew=lambda: None)


def settle_it() -> None:
    settle.settle_round(str(the_round().id), {}, renew=lambda: None)


def check_nothing_is_half_done() -> None:
    """Whatever is there is whole: books, outcomes, and the trades of each order."""
    for round_ in Round.objects.exclude(status__in=[RoundStatus.OPEN, RoundStatus.LOCKED]):
        assert RoundSnapshot.objects.filter(round=round_).exists()
        decided = round_.status in {RoundStatus.CLEARED, RoundStatus.PUBLISHED}
        assert RoundOutcome.objects.filter(round=round_).exists() == decided
    for entry in RoundOrder.objects.select_related("order__hold"):
        trades = Trade.objects.filter(order=entry.order)
        traded = trades.aggregate(total=Sum("unit_hours"))["total"] or 0
        if entry.state == EntryState.LOCKED:
            assert entry.order.status == OrderStatus.LOCKED
            assert not trades.exists()
            assert not Contract.objects.filter(source_id=entry.id).exists()
            continue
        assert traded == entry.filled_unit_hours == entry.order.filled_unit_hours
        held = Contract.objects.filter(source_id=entry.id).aggregate(total=Sum("held_minor"))["total"] or 0
        assert entry.order.hold.amount_minor == held
    check_capacity()


def check_capacity() -> None:
    """Sold units are the units of trades, hour by hour, in the offerings' rows and in the offers'."""
    sold: Counter[tuple[object, datetime]] = Counter()
    for trade in Trade.objects.select_related("offer"):
        hour = trade.starts_at
        while hour < trade.ends_at:
            sold[trade.offer.offering_id, hour] += trade.quantity
            hour += cast.HOUR
    rows = CapacitySlot.objects.filter(sold__gt=0)
    assert {(row.offering_id, row.starts_at): row.sold for row in rows} == dict(sold)
    assert OfferSlot.objects.aggregate(total=Sum("sold"))["total"] == sum(sold.values())


def check_the_outcome_is_that_of_the_story() -> None:
    round_ = the_round()
    assert round_.status == RoundStatus.PUBLISHED
    assert RoundOutcome.objects.get(round=round_).welfare_micros == 1_872_000_000
    trades = Trade.objects.order_by("order__seq", "starts_at").values_list("quantity", "unit_hours", "price_micros")
    assert list(trades) == [
        (16, 128, 9_000_000),
        (16, 192, 10_000_000),
        (16, 64, 9_000_000),
        (12, 144, 10_000_000),
    ]
    assert list(Order.objects.order_by("seq").values_list("status", flat=True)) == ["filled", "filled", "unfilled"]
    assert list(Hold.objects.order_by("id").values_list("amount_minor", flat=True)) == [390_555, 154_166, 0]
    assert (Contract.objects.count(), Lease.objects.count()) == (2, 2)
    assert RoundPrice.objects.filter(round=round_, traded_unit_hours__gt=0).count() == 3
    assert not Offer.objects.filter(locked_at__isnull=False).exists()
    check_nothing_is_half_done()


def test_a_beat_killed_at_every_point_of_the_gate_freezes_one_book() -> None:
    enter_the_story()
    kills = sweep(freeze, clock_at=GATE, after_each=check_nothing_is_half_done)
    assert kills > 20
    assert the_round().status == RoundStatus.GATED
    assert RoundOrder.objects.count() == 3
    at_the_gate(clear_it)
    at_the_gate(settle_it)
    check_the_outcome_is_that_of_the_story()


def test_a_worker_killed_at_every_point_of_clearing_stores_one_outcome() -> None:
    enter_the_story()
    at_the_gate(freeze)
    kills = sweep(clear_it, clock_at=GATE, after_each=check_nothing_is_half_done)
    assert kills > 10
    assert the_round().status == RoundStatus.CLEARED
    at_the_gate(settle_it)
    check_the_outcome_is_that_of_the_story()


def test_a_worker_killed_at_every_point_of_settling_yields_one_set_of_trades(monkeypatch: pytest.MonkeyPatch) -> None:
    # Two orders are settled together and the third alone: a worker also dies between batches and in the second.
    monkeypatch.setattr(settle, "TOGETHER", 2)
    enter_the_story()
    at_the_gate(freeze)
    at_the_gate(clear_it)
    kills = sweep(settle_it, clock_at=GATE, after_each=check_nothing_is_half_done)
    assert kills > 40
    check_the_outcome_is_that_of_the_story()
    at_the_gate(settle_it)
    at_the_gate(clear_it)
    check_the_outcome_is_that_of_the_story()
