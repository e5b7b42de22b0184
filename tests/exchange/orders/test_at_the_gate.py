"""Orders at the gate and after it: locked, filled, rolled over, expired; what their holds become."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction

from accounts.actors.actor import Actor
from accounts.foundation import clock
from billing.ledger import services as holds
from exchange.orders import gate
from exchange.orders import services as orders
from exchange.orders.errors import (
    OrderChangedMeanwhile,
    OrderMoveRefused,
    OrderPartlyFilled,
)
from exchange.orders.gate import Decision
from exchange.orders.models import Order
from exchange.orders.rules import OrderStatus
from tests.exchange.cast import (
    GATE,
    NOW,
    Story,
    block,
    end_round,
    funds,
    hourly,
    micros,
    place_order,
    yuan,
)


def test_a_locked_order_waits_for_its_round(story: Story) -> None:
    order = place_order(story.beichen, block(story, "12.50"))
    assert [locked.id for locked in gate.lock_for_gate(story.market.id, gate_at=GATE)] == [order.id]
    changes: list[Callable[[], object]] = [
        lambda: orders.cancel(story.beichen, order.id, now=NOW),
        lambda: orders.amend(story.beichen, order.id, limit_micros=micros("13.00"), now=NOW),
    ]
    for change in changes:
        with pytest.raises(OrderMoveRefused):
            change()
    gate.reopen([order.id])
    orders.cancel(story.beichen, order.id, now=NOW)


def test_a_gate_locks_what_was_accepted_before_it_in_the_order_of_entry(story: Story) -> None:
    first = place_order(story.beichen, block(story, "12.50"))
    second = place_order(story.lanting, hourly(story, "11.00"))
    with clock.travel(GATE):
        third = place_order(story.qinghe, hourly(story, "9.00", quantity_max=8, first=32, last=44))
    locked = gate.lock_for_gate(story.market.id, gate_at=GATE)
    assert [order.id for order in locked] == [first.id, second.id]
    third.refresh_from_db()
    assert third.status == OrderStatus.OPEN


def decide(order: Order, cleared_minor: int, *, filled: int, open_: int) -> Order:
    """Write what a round did to one locked order."""
    decisions = [Decision(order, cleared_minor, filled_unit_hours=filled, open_unit_hours=open_)]
    gate.settle_holds(decisions, now=GATE)
    (decided,) = gate.record_outcomes(Actor.system("test"), decisions, now=GATE)
    return decided


def test_a_filled_order_keeps_the_hold_of_its_contracts(story: Story) -> None:
    order = place_order(story.beichen, block(story, "12.50"))
    gate.lock_for_gate(story.market.id, gate_at=GATE)
    decided = decide(order, yuan("3905.55"), filled=384, open_=0)
    assert (decided.status, decided.closed_at) == ("filled", GATE)
    assert funds(story.beichen) == (yuan("6000.00"), yuan("3905.55"), yuan("2094.45"))


def test_an_unfilled_order_gives_its_hold_back(story: Story) -> None:
    order = place_order(story.qinghe, hourly(story, "9.00", quantity_max=8))
    gate.lock_for_gate(story.market.id, gate_at=GATE)
    decided = decide(order, 0, filled=0, open_=0)
    assert decided.status == "unfilled"
    assert funds(story.qinghe) == (yuan("1000.00"), 0, yuan("1000.00"))


def test_a_rolling_order_goes_on_with_its_number_and_the_hold_of_the_rest(story: Story) -> None:
    order = place_order(story.lanting, hourly(story, "11.00", rolls_over=True, extras_reserve_minor=yuan("10.00")))
    assert funds(story.lanting)[1] == yuan("1705.83")
    gate.lock_for_gate(story.market.id, gate_at=GATE)
    # 44 of 144 card-hours were filled, 10 more passed by: 90 go on, worst case 990.00 + 9.90 + 59.99.
    rolled = decide(order, yuan("480.00"), filled=44, open_=90)
    assert (rolled.status, rolled.seq, rolled.open_unit_hours, rolled.closed_unit_hours) == ("open", order.seq, 90, 10)
    assert funds(story.lanting)[1] == yuan("480.00") + yuan("1059.89")
    end_round(story)
    with clock.travel(GATE):
        with pytest.raises(OrderPartlyFilled):
            orders.amend(story.lanting, order.id, quantity_max=6, now=GATE)
        raised = orders.amend(story.lanting, order.id, limit_micros=micros("11.10"), now=GATE)
        assert raised.seq == order.seq
        assert funds(story.lanting)[1] == yuan("480.00") + yuan("1069.53")  # 999.00 + 9.99 + 60.54
        cancelled = orders.cancel(story.lanting, order.id, now=GATE)
    assert (cancelled.status, cancelled.filled_unit_hours) == ("cancelled", 44)
    assert funds(story.lanting)[1] == yuan("480.00")


def test_an_order_read_before_a_whole_round_is_not_closed_by_what_was_read(story: Story) -> None:
    read = place_order(story.lanting, hourly(story, "11.00", rolls_over=True))
    gate.lock_for_gate(story.market.id, gate_at=GATE)
    # All that 44 card-hours at the limit freed went to a contract: the hold is as large as before.
    freed_minor = gate.freed_minor(read, open_unit_hours=100, is_filled=True)
    decide(read, freed_minor, filled=44, open_=100)
    before = funds(story.lanting)
    with pytest.raises(OrderChangedMeanwhile), transaction.atomic():
        orders.close(story.lanting, read, OrderStatus.CANCELLED, now=GATE)
    assert funds(story.lanting) == before


def test_an_open_order_expires_when_no_gate_can_deliver_it(story: Story) -> None:
    placed = place_order(story.beichen, block(story, "12.50", hours=4, quantity_max=1, rolls_over=True))
    evening = place_order(story.lanting, hourly(story, "11.00", rolls_over=True, quantity_max=1))
    system = Actor.system("test")
    assert gate.expire_due(system, story.market, now=NOW) == 0
    # The gate of the day after D at noon reaches 12:30, that is 13:00, of a day on which both are over.
    assert gate.expire_due(system, story.market, now=GATE + timedelta(days=1)) == 2
    for order in (placed, evening):
        order.refresh_from_db()
        assert order.status == "expired"
    assert funds(story.beichen)[1] == funds(story.lanting)[1] == 0


def test_a_block_expires_once_its_last_start_has_passed(story: Story) -> None:
    # Gate at noon of D, first delivery 13:00: a block of 12 hours in a row no longer fits into D.
    long = place_order(story.beichen, block(story, "12.50", hours=12, quantity_max=1, rolls_over=True))
    short = place_order(story.beichen, block(story, "12.50", hours=11, quantity_max=1, rolls_over=True))
    assert gate.expire_due(Actor.system("test"), story.market, now=GATE) == 1
    long.refresh_from_db()
    short.refresh_from_db()
    assert (long.status, short.status) == ("expired", "open")


def test_a_change_of_a_hold_by_an_invoice_does_not_disturb_a_later_change(story: Story) -> None:
    """A contract of the first fill is invoiced while the rest of the order is still open."""
    order = place_order(story.lanting, hourly(story, "11.00", rolls_over=True))
    gate.lock_for_gate(story.market.id, gate_at=GATE)
    decide(order, yuan("480.00"), filled=44, open_=90)
    end_round(story)
    holds.change_hold(order.hold_id, by_minor=-yuan("480.00"), now=GATE)
    with clock.travel(GATE):
        orders.cancel(story.lanting, order.id, now=GATE)
    assert funds(story.lanting)[1] == 0
