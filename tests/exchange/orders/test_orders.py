"""Placing, amending and cancelling orders: holds, refusals, places in the queue, phases."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.actors.actor import Actor
from accounts.actors.errors import NotAllowed
from accounts.audit.models import AuditRecord
from accounts.events.models import Event
from accounts.foundation import clock
from accounts.foundation.errors import DomainError
from accounts.organisations import services as organisations
from accounts.organisations.models import Organisation
from billing.ledger import queries as ledger
from billing.ledger import services as holds
from catalog.measures.rounding import half_up_exact
from catalog.offerings.needs import MaxLatency, Needs
from exchange.markets import services as markets
from exchange.markets.errors import MarketSuspended
from exchange.orders import gate, queries
from exchange.orders import services as orders
from exchange.orders.errors import (
    BuyerNotActive,
    NeedsUnsatisfiable,
    OrderInvalid,
    OrderMoveRefused,
    OrderNotFound,
    OrderPartlyFilled,
    OrderUnchanged,
    OrderUnfunded,
    OverBudget,
    OwnOfferCouldMeet,
)
from exchange.orders.models import Order
from exchange.orders.rules import OrderStatus
from exchange.rounds.errors import NoCancelPhase
from tests.catalog.cast import acting_for, listed_offering, listed_site
from tests.exchange.cast import (
    BUYING,
    GATE,
    HOUR,
    NOW,
    D,
    Story,
    block,
    end_round,
    hourly,
    make_market,
    micros,
    place_offer,
    place_order,
    viewer,
    yuan,
)

NO_CANCEL = GATE - timedelta(minutes=5)


def funds(actor: Actor) -> tuple[int, int, int]:
    """Return balance, held and available in fen."""
    row = ledger.funds(actor.organisation(), "CNY")
    return row.balance_minor, row.held_minor, row.available_minor


def test_the_orders_of_the_story_hold_their_worst_case(story: Story) -> None:
    first = place_order(story.beichen, block(story, "12.50"))
    second = place_order(story.lanting, hourly(story, "11.00"))
    third = place_order(story.qinghe, hourly(story, "9.00", quantity_max=8))
    assert funds(story.beichen) == (yuan("6000.00"), yuan("5138.88"), yuan("861.12"))
    assert funds(story.lanting) == (yuan("2000.00"), yuan("1695.83"), yuan("304.17"))
    assert funds(story.qinghe) == (yuan("1000.00"), yuan("925.00"), yuan("75.00"))
    assert first.seq < second.seq < third.seq
    assert [order.total_unit_hours for order in (first, second, third)] == [384, 144, 96]
    assert first.is_all_or_none
    assert not second.is_all_or_none


def test_a_placed_order_leaves_its_revision_its_trail_and_its_event(story: Story) -> None:
    order = place_order(story.beichen, block(story, "12.50"))
    revision = order.revisions.get()
    assert (revision.revision, revision.seq, revision.limit_micros) == (1, order.seq, micros("12.50"))
    assert AuditRecord.objects.get(subject_id=order.id).action == "order.placed"
    event = Event.objects.get(subject_id=order.id)
    assert (event.type, event.organisation_id) == ("order.placed", story.beichen.organisation_id)
    assert (order.fee_version, order.buyer_fee_ppm, order.tax_rate_ppm) == (1, 10_000, 60_000)
    assert order.created_at == NOW


def test_an_order_beyond_the_funds_is_refused_with_what_would_fit(story: Story) -> None:
    with pytest.raises(OrderUnfunded) as refused:
        place_order(story.beichen, block(story, "20.00"))
    # 11 cards cost 5,280.00 + 52.80 + 319.97; 12 would cost 6,166.66.
    assert refused.value.facts["largest_quantity"] == 11
    assert refused.value.facts["needed"] == {"amount": "8222.21", "currency": "CNY"}
    assert refused.value.facts["available"] == {"amount": "6000.00", "currency": "CNY"}
    assert refused.value.detail.endswith("The largest quantity that would fit is 11.")
    assert not Order.objects.exists()
    assert funds(story.beichen) == (yuan("6000.00"), 0, yuan("6000.00"))
    place_order(story.beichen, block(story, "20.00", quantity_max=11))


def test_a_budget_is_all_in_and_hard(story: Story) -> None:
    with pytest.raises(OverBudget) as refused:
        place_order(story.beichen, block(story, "12.50", budget_minor=yuan("4900.00")))
    assert refused.value.facts["largest_quantity"] == 15
    assert [problem.pointer for problem in refused.value.problems] == ["/budget"]
    exact = place_order(story.beichen, block(story, "12.50", budget_minor=yuan("5138.88")))
    assert exact.budget_minor == yuan("5138.88")


def test_the_reserve_for_extras_counts_against_budget_and_funds(story: Story) -> None:
    fields = {"extras_reserve_minor": yuan("100.00"), "quantity_max": 1}
    with pytest.raises(OverBudget):
        place_order(story.beichen, block(story, "12.50", budget_minor=yuan("400.00"), **fields))
    place_order(story.beichen, block(story, "12.50", budget_minor=yuan("450.00"), **fields))
    assert funds(story.beichen)[1] == yuan("421.18")  # 300.00 + 3.00 + 18.18 + 100.00


def test_needs_that_no_cell_meets_are_refused_with_ranked_reasons(story: Story) -> None:
    needs = Needs(min_memory_gb=80, min_green_percent=90, regions=("cn-jingjinji",))
    with pytest.raises(NeedsUnsatisfiable) as refused:
        place_order(story.beichen, block(story, "12.50", needs=needs))
    assert [(problem.pointer, problem.detail) for problem in refused.value.problems] == [
        ("/needs/min_green_pct", "min_green_pct = 90 excludes the only listed cell"),
        ("/needs/min_mem_gb", "min_mem_gb = 80 excludes the only listed cell"),
    ]
    assert not Order.objects.exists()


def test_a_latency_that_nobody_states_excludes_the_cell(story: Story) -> None:
    needs = Needs(max_latency=MaxLatency("beijing", 5))
    with pytest.raises(NeedsUnsatisfiable, match="5 ms to beijing"):
        place_order(story.beichen, block(story, "12.50", needs=needs))


def test_an_hourly_order_cannot_be_single_site(story: Story) -> None:
    spec = replace(hourly(story, "11.00"), single_site=True)
    with pytest.raises(OrderInvalid) as refused:
        place_order(story.lanting, spec)
    assert [problem.pointer for problem in refused.value.problems] == ["/single_site"]


def test_every_wrong_field_is_named_at_once(story: Story) -> None:
    wrong = block(
        story,
        "200.00",
        quantity_max=0,
        quantity_min=1,
        earliest_at=GATE,
        latest_at=GATE + timedelta(days=30),
        hours=0,
    )
    with pytest.raises(OrderInvalid) as refused:
        place_order(story.beichen, wrong)
    pointers = {problem.pointer for problem in refused.value.problems}
    assert pointers == {"/limit_price", "/quantity", "/min_quantity", "/hours", "/earliest_at", "/latest_at"}


def test_an_order_that_costs_nothing_at_most_is_refused(story: Story) -> None:
    tiny = make_market(story.operator, "tiny", tick_micros=1)
    spec = replace(block(story, "1.00", quantity_max=1, hours=1, limit_micros=1), market_id=tiny.id)
    with pytest.raises(OrderInvalid):
        place_order(story.beichen, spec)


def test_a_suspended_market_or_buyer_takes_no_order(story: Story) -> None:
    markets.suspend(story.operator, story.market.id, reason="maintenance", now=NOW)
    with pytest.raises(MarketSuspended):
        place_order(story.beichen, block(story, "12.50"))
    markets.resume(story.operator, story.market.id, reason="done", now=NOW)
    organisations.suspend(story.operator, story.beichen.organisation(), now=NOW)
    with pytest.raises(BuyerNotActive):
        place_order(story.beichen, block(story, "12.50"))


def test_a_seller_cannot_buy_from_itself(story: Story) -> None:
    offer = place_offer(story, story.huailai, story.huailai_cards, "8.00", first=8, last=12)
    Organisation.objects.filter(id=story.huailai.organisation()).update(can_buy=True)
    trader = acting_for(_organisation(story.huailai), BUYING)
    with pytest.raises(OwnOfferCouldMeet) as refused:
        place_order(trader, hourly(story, "9.00", first=11, last=13))
    assert str(offer) in refused.value.detail
    with pytest.raises(OrderUnfunded):  # hours outside of the offer are another matter
        place_order(trader, hourly(story, "9.00", first=12, last=13))


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
    colleague = viewer(_organisation(story.beichen))
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


def test_a_filled_order_keeps_the_hold_of_its_contracts(story: Story) -> None:
    order = place_order(story.beichen, block(story, "12.50"))
    gate.lock_for_gate(story.market.id, gate_at=GATE)
    gate.settle_hold(order, cleared_minor=yuan("3905.55"), open_unit_hours=0, is_filled=True, now=GATE)
    decided = gate.record_outcome(Actor.system("test"), order.id, filled_unit_hours=384, open_unit_hours=0, now=GATE)
    assert (decided.status, decided.closed_at) == ("filled", GATE)
    assert funds(story.beichen) == (yuan("6000.00"), yuan("3905.55"), yuan("2094.45"))


def test_an_unfilled_order_gives_its_hold_back(story: Story) -> None:
    order = place_order(story.qinghe, hourly(story, "9.00", quantity_max=8))
    gate.lock_for_gate(story.market.id, gate_at=GATE)
    gate.settle_hold(order, cleared_minor=0, open_unit_hours=0, is_filled=False, now=GATE)
    decided = gate.record_outcome(Actor.system("test"), order.id, filled_unit_hours=0, open_unit_hours=0, now=GATE)
    assert decided.status == "unfilled"
    assert funds(story.qinghe) == (yuan("1000.00"), 0, yuan("1000.00"))


def test_a_rolling_order_goes_on_with_its_number_and_the_hold_of_the_rest(story: Story) -> None:
    order = place_order(story.lanting, hourly(story, "11.00", rolls_over=True, extras_reserve_minor=yuan("10.00")))
    assert funds(story.lanting)[1] == yuan("1705.83")
    gate.lock_for_gate(story.market.id, gate_at=GATE)
    # 44 of 144 card-hours were filled, 10 more passed by: 90 go on, worst case 990.00 + 9.90 + 59.99.
    gate.settle_hold(order, cleared_minor=yuan("480.00"), open_unit_hours=90, is_filled=True, now=GATE)
    rolled = gate.record_outcome(Actor.system("test"), order.id, filled_unit_hours=44, open_unit_hours=90, now=GATE)
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
    gate.settle_hold(order, cleared_minor=yuan("480.00"), open_unit_hours=90, is_filled=True, now=GATE)
    gate.record_outcome(Actor.system("test"), order.id, filled_unit_hours=44, open_unit_hours=90, now=GATE)
    end_round(story)
    holds.change_hold(order.hold_id, by_minor=-yuan("480.00"), now=GATE)
    with clock.travel(GATE):
        orders.cancel(story.lanting, order.id, now=GATE)
    assert funds(story.lanting)[1] == 0


def test_refusals_are_domain_errors_with_codes_of_their_own() -> None:
    codes = [
        error.code
        for error in (OrderInvalid, OrderUnchanged, OrderMoveRefused, OrderUnfunded, OverBudget, NeedsUnsatisfiable)
    ]
    assert len(set(codes)) == len(codes)
    assert DomainError.code not in codes


def _organisation(actor: Actor) -> Organisation:
    return Organisation.objects.get(id=actor.organisation())


def test_a_window_reaches_the_last_hour_of_the_horizon(story: Story) -> None:
    last = D + 13 * 24 * HOUR - 12 * HOUR + 24 * HOUR
    assert last == GATE + timedelta(days=14)
    place_order(story.beichen, block(story, "12.50", quantity_max=1, earliest_at=D, latest_at=last, hours=1))
    with pytest.raises(OrderInvalid):
        place_order(story.beichen, block(story, "12.50", quantity_max=1, latest_at=last + HOUR, hours=1))


def test_reasons_are_ranked_by_how_many_cells_a_need_excludes(story: Story) -> None:
    site = listed_site(story.operator, "gz-1", name="Gui'an 1", hub="cn-guizhou", green_percent=60)
    listed_offering(story.operator, story.huailai, site, resource_type="h20", name="H20")
    needs = Needs(min_memory_gb=90, min_green_percent=80, min_security=4)
    with pytest.raises(NeedsUnsatisfiable) as refused:
        place_order(story.beichen, block(story, "12.50", needs=needs))
    assert [problem.detail for problem in refused.value.problems] == [
        "min_security = 4 excludes all 2 listed cells",
        "min_green_pct = 80 excludes 1 of 2 listed cells",
        "min_mem_gb = 90 excludes 1 of 2 listed cells",
    ]


def test_an_order_never_holds_somebody_elses_funds(story: Story) -> None:
    mine = place_order(story.beichen, block(story, "1.00", quantity_max=1))
    theirs = place_order(story.lanting, hourly(story, "1.00", quantity_max=1))
    for change in ({"buyer": theirs.buyer}, {"project": theirs.project}, {"currency": "USD"}):
        with pytest.raises(IntegrityError, match="differs from its hold"), transaction.atomic():
            Order.objects.filter(id=mine.id).update(**change)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["place", "limit", "quantity", "window", "extras", "cancel"]),
        st.integers(0, 4),
        st.integers(1, 30),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=15)
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
