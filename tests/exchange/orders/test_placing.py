"""Placing orders: what they hold, what is refused and why."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.audit.models import AuditRecord
from accounts.events.models import Event
from accounts.foundation.errors import DomainError
from accounts.organisations import services as organisations
from accounts.organisations.models import Organisation
from catalog.offerings.needs import MaxLatency, Needs
from exchange.markets import services as markets
from exchange.markets.errors import MarketSuspended
from exchange.orders.errors import (
    BuyerNotActive,
    NeedsUnsatisfiable,
    OrderInvalid,
    OrderMoveRefused,
    OrderUnchanged,
    OrderUnfunded,
    OverBudget,
    OwnOfferCouldMeet,
)
from exchange.orders.models import Order
from tests.catalog.cast import acting_for, listed_offering, listed_site
from tests.exchange.cast import (
    BUYING,
    GATE,
    HOUR,
    NOW,
    D,
    Story,
    block,
    funds,
    hourly,
    make_market,
    micros,
    organisation_of,
    place_offer,
    place_order,
    yuan,
)


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
    trader = acting_for(organisation_of(story.huailai), BUYING)
    with pytest.raises(OwnOfferCouldMeet) as refused:
        place_order(trader, hourly(story, "9.00", first=11, last=13))
    assert str(offer) in refused.value.detail
    with pytest.raises(OrderUnfunded):  # hours outside of the offer are another matter
        place_order(trader, hourly(story, "9.00", first=12, last=13))


def test_refusals_are_domain_errors_with_codes_of_their_own() -> None:
    codes = [
        error.code
        for error in (OrderInvalid, OrderUnchanged, OrderMoveRefused, OrderUnfunded, OverBudget, NeedsUnsatisfiable)
    ]
    assert len(set(codes)) == len(codes)
    assert DomainError.code not in codes


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
