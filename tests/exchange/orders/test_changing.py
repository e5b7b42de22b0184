"""Amending and cancelling orders: places in the queue, phases, who may; holds follow every change."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.actors.actor import Actor
from accounts.actors.errors import NotAllowed
from accounts.foundation import clock
from catalog.measures.rounding import half_up_exact
from exchange.orders import queries
from exchange.orders import services as orders
from exchange.orders.errors import (
    OrderMoveRefused,
    OrderNotFound,
    OrderUnchanged,
    OrderUnfunded,
)
from exchange.orders.models import Order
from exchange.rounds.errors import NoCancelPhase
from tests.exchange.cast import (
    GATE,
    HOUR,
    NOW,
    D,
    Story,
    block,
    funds,
    hourly,
    micros,
    organisation_of,
    place_order,
    viewer,
    yuan,
)

NO_CANCEL = GATE - timedelta(minutes=5)


def test_cancelling_releases_everything(story: Story) -> None:
    order = place_order(story.beichen, block(story, "12.50"))
    cancelled = orders.cancel(story.beichen, order.id, now=NOW)
    assert (cancelled.status, cancelled.open_unit_hours, cancelled.closed_at) == ("cancelled", 0, NOW)
    assert funds(story.beichen) == (yuan("6000.00"), 0, yuan("6000.00"))
    with pytest.raises(OrderMoveRefused):
        orders.cancel(story.beichen, order.id, now=NOW)


def test_nothing_is_cancelled_or_lowered_in_the_no_cancel_phase(story: Story) -> None:
    order = place_order(story.beichen, block(story, "12.50"))
    with clock.travel(NO_CANCEL):
        changes: list[Callable[[], object]] = [
            lambda: orders.cancel(story.beichen, order.id, now=NO_CANCEL),
            lambda: orders.amend(story.beichen, order.id, limit_micros=micros("12.00"), now=NO_CANCEL),
            lambda: orders.amend(story.beichen, order.id, quantity_max=15, quantity_min=15, now=NO_CANCEL),
        ]
        for change in changes:
            with pytest.raises(NoCancelPhase):
                change()
        raised = orders.amend(story.beichen, order.id, limit_micros=micros("12.60"), now=NO_CANCEL)
        late = place_order(story.lanting, hourly(story, "11.00"))
    assert (raised.seq, raised.revision) == (order.seq, 2)
    assert late.created_at == NO_CANCEL
    assert funds(story.beichen)[1] == yuan("5179.99")  # 4,838.40 + 48.38 + 293.21


def test_a_higher_limit_keeps_the_place_and_a_lower_one_takes_a_new_one(story: Story) -> None:
    order = place_order(story.beichen, block(story, "12.00"))
    raised = orders.amend(story.beichen, order.id, limit_micros=micros("12.50"), now=NOW)
    assert raised.seq == order.seq
    assert funds(story.beichen)[1] == yuan("5138.88")
    lowered = orders.amend(story.beichen, order.id, limit_micros=micros("10.00"), now=NOW)
    assert lowered.seq > order.seq
    assert funds(story.beichen)[1] == yuan("4111.10")
    assert [row.seq for row in lowered.revisions.order_by("revision")] == [order.seq, order.seq, lowered.seq]


def test_another_quantity_changes_the_hours_wanted_and_the_hold(story: Story) -> None:
    order = place_order(story.beichen, block(story, "12.50"))
    smaller = orders.amend(story.beichen, order.id, quantity_max=8, quantity_min=4, now=NOW)
    assert (smaller.total_unit_hours, smaller.quantity_min) == (192, 4)
    assert funds(story.beichen)[1] == yuan("2569.44")
    with pytest.raises(OrderUnfunded) as refused:
        orders.amend(story.beichen, order.id, quantity_max=24, now=NOW)
    assert refused.value.facts["largest_quantity"] == 18
    assert funds(story.beichen)[1] == yuan("2569.44")


def test_a_change_that_changes_nothing_is_refused(story: Story) -> None:
    order = place_order(story.beichen, block(story, "12.50"))
    with pytest.raises(OrderUnchanged):
        orders.amend(story.beichen, order.id, limit_micros=micros("12.50"), now=NOW)


def test_colleagues_may_look_and_strangers_see_nothing(story: Story) -> None:
    order = place_order(story.beichen, block(story, "12.50"))
    colleague = viewer(organisation_of(story.beichen))
    assert queries.get(colleague, order.id) == order
    changes: list[Callable[[], object]] = [
        lambda: orders.cancel(colleague, order.id, now=NOW),
        lambda: orders.amend(colleague, order.id, limit_micros=micros("13.00"), now=NOW),
        lambda: place_order(colleague, block(story, "12.50")),
    ]
    for change in changes:
        with pytest.raises(NotAllowed):
            change()
    reads: list[Callable[[], object]] = [
        lambda: queries.get(story.lanting, order.id),
        lambda: orders.cancel(story.lanting, order.id, now=NOW),
        lambda: orders.amend(story.lanting, order.id, limit_micros=micros("13.00"), now=NOW),
        lambda: queries.get(story.lanting, UUID(int=0)),
    ]
    for read in reads:
        with pytest.raises(OrderNotFound):
            read()
    with pytest.raises(NotAllowed):
        queries.visible_to(Actor(None, None, None, frozenset(), "nobody"))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["place", "limit", "quantity", "window", "extras", "cancel"]),
        st.integers(0, 4),
        st.integers(1, 30),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=settings().max_examples // 3)  # each is a whole life in the database
@given(steps=STEPS)
def test_whatever_happens_a_wallet_holds_the_worst_case_of_its_open_orders(
    story: Story, steps: list[tuple[str, int, int]]
) -> None:
    """A random life of a few orders, with the sum of their worst cases recomputed after every step."""
    placed: list[Order] = []
    for step in steps:
        with suppress(OrderUnfunded, OrderUnchanged, OrderMoveRefused):
            take(story, placed, *step)
        check_holds(story)
    for order in Order.objects.filter(closed_at__isnull=True):
        orders.cancel(story.beichen, order.id, now=NOW)
    assert funds(story.beichen)[1] == 0


def take(story: Story, placed: list[Order], verb: str, which: int, size: int) -> None:
    if verb == "place" or not placed:
        placed.append(place_order(story.beichen, block(story, f"{size}.00", quantity_max=which + 1)))
        return
    order = placed[which % len(placed)]
    if verb == "cancel":
        orders.cancel(story.beichen, order.id, now=NOW)
        return
    changes: dict[str, dict[str, Any]] = {
        "limit": {"limit_micros": micros(f"{size}.50")},
        "quantity": {"quantity_max": size, "quantity_min": 1},
        "window": {"earliest_at": D + (size - 1) * HOUR, "hours": 1, "latest_at": D + size * HOUR},
        "extras": {"extras_reserve_minor": size * 100},
    }
    orders.amend(story.beichen, order.id, now=NOW, **changes[verb])


def check_holds(story: Story) -> None:
    total = 0
    for order in Order.objects.filter(buyer_id=story.beichen.organisation()):
        if order.closed_at is None:
            hours = order.hours or 0
            value = Fraction(order.quantity_max * hours * order.limit_micros, 10_000)
            fee = half_up_exact(Fraction(half_up_exact(value), 100))
            tax = half_up_exact(Fraction(6 * (half_up_exact(value) + fee), 100))
            total += half_up_exact(value) + fee + tax + order.extras_reserve_minor
    assert funds(story.beichen)[1] == total
