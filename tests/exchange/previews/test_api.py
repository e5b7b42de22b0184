"""Previews over HTTP: what they say, that they write nothing, and that what they propose can be posted."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.audit.models import AuditRecord
from accounts.events.models import Event
from accounts.foundation import clock
from accounts.jobs import services as jobs
from exchange.auctions import gates
from exchange.offers import services as offers
from exchange.orders.models import Order
from exchange.rounds.models import Round
from exchange.trades.models import Trade
from tests.catalog import cast as catalog_cast
from tests.exchange import cast
from tests.exchange.cast import GATE, NOW, Story, hourly, place_offer, place_order, viewer

Call = Callable[..., Any]

DRAFT: dict[str, Any] = {
    "market": "ai-cards",
    "kind": "block",
    "quantity": 16,
    "hours": 24,
    "earliest_at": "2026-05-03T00:00:00+08:00",
    "latest_at": "2026-05-04T00:00:00+08:00",
    "single_site": True,
    "needs": {"min_mem_gb": 64},
    "limit_price": "12.50",
}


def look(call: Call, story: Story, **changes: Any) -> dict[str, Any]:
    answer = call(story.beichen, "post", "/v1/orders/preview", DRAFT | changes)
    assert answer.status_code == 200, answer.json()
    return dict(answer.json())


def written() -> tuple[int, ...]:
    return tuple(model._default_manager.count() for model in (Order, AuditRecord, Event, Round))


def test_a_preview_is_a_body_to_post_its_cost_and_its_share_of_the_book(call: Call, story: Story) -> None:
    place_offer(story, story.huailai, story.huailai_cards, "8.00")
    before = written()
    seen = look(call, story)
    assert written() == before, "a preview leaves nothing behind"
    assert seen["body"] == {
        "market": "ai-cards",
        "kind": "block",
        "quantity": 16,
        "hours": 24,
        "earliest_at": "2026-05-02T16:00:00Z",
        "latest_at": "2026-05-03T16:00:00Z",
        "single_site": True,
        "needs": {"min_mem_gb": 64},
        "limit_price": "12.500000",
        "rolls_over": False,
    }
    assert seen["worst_case"]["total"] == seen["hold"] == {"amount": "5138.88", "currency": "CNY"}
    assert seen["share"] == {
        "cells": 1,
        "listed_cells": 1,
        "supply_unit_hours": 384,
        "ahead_unit_hours": 0,
        "left_unit_hours": 384,
        "wanted_unit_hours": 384,
        "match": {
            "quantity": 16,
            "unit_hours": 384,
            "starts_at": "2026-05-02T16:00:00Z",
            "ends_at": "2026-05-03T16:00:00Z",
        },
        "outlook": "covered",
    }
    # 384 x 8.00 = 3,072.00 with 30.72 fee and 186.16 VAT (186.1632).
    assert seen["estimate"]["source"] == "open_reserve"
    assert seen["estimate"]["price"] == "8.000000"
    assert seen["estimate"]["cost"]["total"] == {"amount": "3288.88", "currency": "CNY"}
    assert (seen["return_credits_ppm"], seen["pause_credits_ppm"]) == ([500_000], [200_000])
    assert (seen["refusals"], seen["reasons"], seen["alternatives"]) == ([], [], [])
    placed = call(story.beichen, "post", "/v1/orders", seen["body"])
    assert placed.status_code == 201, placed.json()
    assert placed.json()["hold"]["amount"] == seen["hold"]


def test_demand_ahead_is_counted_against_the_draft_and_demand_behind_is_not(call: Call, story: Story) -> None:
    place_offer(story, story.huailai, story.huailai_cards, "8.00")
    place_order(story.lanting, hourly(story, "13.00", quantity_max=2))
    place_order(story.qinghe, hourly(story, "9.00", quantity_max=2))
    seen = look(call, story, min_quantity=4)
    assert (seen["share"]["match"]["quantity"], seen["share"]["outlook"]) == (14, "partly_covered")
    assert seen["share"]["ahead_unit_hours"] == 24
    assert look(call, story)["share"]["outlook"] == "contested"


def test_the_estimate_is_the_last_rounds_price_where_there_is_one(call: Call, story: Story) -> None:
    spec = cast.offer_spec(story, story.huailai_cards, "8.00", last=72)
    offers.place(story.huailai, spec, now=NOW, lists_capacity=True)
    place_order(story.lanting, hourly(story, "11.00", quantity_max=4, first=56, last=68))
    with clock.travel(GATE):
        gates.close_due(now=GATE)
        while jobs.run_due(limit=10, now=GATE):
            pass
        seen = look(
            call, story, quantity=4, earliest_at="2026-05-05T00:00:00+08:00", latest_at="2026-05-06T00:00:00+08:00"
        )
    assert seen["estimate"]["source"] == "last_round"
    assert seen["estimate"]["as_of"] == "2026-05-02T04:00:00Z"
    assert seen["estimate"]["lowest"] == "8.000000"
    assert seen["share"]["match"]["quantity"] == 4


def test_the_estimate_names_its_source_the_indication_the_last_round_and_the_index(call: Call, story: Story) -> None:
    place_offer(story, story.huailai, story.huailai_cards, "8.00")
    place_offer(story, story.zhangbei, story.zhangbei_cards, "10.00")
    place_order(story.beichen, cast.block(story, "12.50"))
    place_order(story.lanting, hourly(story, "11.00"))
    lock = GATE - timedelta(seconds=story.market.no_cancel_seconds)
    for instant in (lock, GATE):
        with clock.travel(instant):
            gates.close_due(now=instant)
            while jobs.run_due(limit=10, now=instant):
                pass
            # Everywhere 10.00 by day; 9.00 at night, where only half of the cards are wanted.
            estimate = look(call, story, quantity=1, earliest_at="2026-05-03T13:00:00+08:00", hours=11)["estimate"]
            assert (estimate["lowest"], estimate["highest"]) == ("9.000000", "10.000000")
            assert estimate["source"] == ("indicative" if instant == lock else "last_round")
    with clock.travel(GATE):
        # No round has priced the day after; the index carries 5,088.00 over 528 unit-hours.
        later = look(
            call, story, quantity=1, earliest_at="2026-05-04T00:00:00+08:00", latest_at="2026-05-05T00:00:00+08:00"
        )
    assert (later["estimate"]["source"], later["estimate"]["price"]) == ("index", "9.636364")
    assert later["estimate"]["as_of"] == "2026-05-02T16:00:00Z"


def test_what_placing_would_refuse_is_said_and_a_draft_that_is_no_order_is_refused(call: Call, story: Story) -> None:
    place_offer(story, story.huailai, story.huailai_cards, "8.00")
    seen = look(call, story, limit_price="20.00", budget={"amount": "1000.00", "currency": "CNY"})
    assert [refusal["code"] for refusal in seen["refusals"]] == ["over_budget", "order_unfunded"]
    assert seen["refusals"][0]["facts"]["largest_quantity"] == 1
    odd = call(story.beichen, "post", "/v1/orders/preview", DRAFT | {"hours": 48})
    assert (odd.status_code, odd.json()["errors"][0]["pointer"]) == (400, "#/hours")
    colleague = viewer(cast.organisation_of(story.beichen))
    assert call(colleague, "post", "/v1/orders/preview", DRAFT).status_code == 403
    assert call(None, "post", "/v1/orders/preview", DRAFT).status_code == 401


def test_own_offers_are_no_supply_and_are_said(call: Call, story: Story) -> None:
    organisation = cast.organisation_of(story.huailai)
    organisation.can_buy = True
    organisation.save(update_fields=["can_buy"])
    cast.fund(organisation, "9000")
    place_offer(story, story.huailai, story.huailai_cards, "8.00")
    both = catalog_cast.acting_for(organisation, cast.BUYING | cast.SELLING)
    seen = call(both, "post", "/v1/orders/preview", DRAFT).json()
    assert [refusal["code"] for refusal in seen["refusals"]] == ["own_offer_could_meet"]
    assert seen["share"]["outlook"] == "nothing"


# A draft that nothing fits, the aspect that would help, and the quantity that it then gets.
UNFIT = [
    ({"limit_price": "7.00"}, "price", 16),
    ({"limit_price": "7.99", "quantity": 4}, "price", 4),
    ({"needs": {"min_green_pct": 95}}, "green", 16),
    ({"needs": {"min_security": 4}}, "security", 16),
    ({"needs": {"min_mem_gb": 128}}, "memory", 16),
    ({"needs": {"region": ["cn-ningxia"]}}, "region", 16),
    ({"needs": {"model": ["nvidia-h800"]}}, "model", 16),
    ({"quantity": 20}, "quantity", 16),
    ({"quantity": 20, "min_quantity": 18, "limit_price": "9.00"}, "minimum", 16),
    (
        {"hours": 4, "earliest_at": "2026-05-04T00:00:00+08:00", "latest_at": "2026-05-04T06:00:00+08:00"},
        "window",
        16,
    ),
    (
        {
            "kind": "hourly",
            "hours": None,
            "single_site": False,
            "earliest_at": "2026-05-04T02:00:00+08:00",
            "latest_at": "2026-05-04T06:00:00+08:00",
        },
        "window",
        16,
    ),
]


@pytest.mark.parametrize(("changes", "aspect", "quantity"), UNFIT, ids=lambda value: str(value)[:60])
def test_an_alternative_that_is_named_fits_when_it_is_posted_and_is_filled(
    call: Call, story: Story, changes: dict[str, Any], aspect: str, quantity: int
) -> None:
    place_offer(story, story.huailai, story.huailai_cards, "8.00")
    body = {name: value for name, value in (DRAFT | changes).items() if value is not None}
    seen = call(story.beichen, "post", "/v1/orders/preview", body).json()
    assert seen["share"]["match"]["quantity"] == 0
    (named,) = [one for one in seen["alternatives"] if one["aspect"] == aspect]
    assert named["match"]["quantity"] == quantity
    assert seen["reasons"][0]["pointer"], seen["reasons"]
    changed = {name: value for name, value in (seen["body"] | named["change"]).items() if value is not None}
    placed = call(story.beichen, "post", "/v1/orders", changed)
    assert placed.status_code == 201, placed.json()
    assert placed.json()["hold"]["amount"] == named["hold"]
    with clock.travel(GATE):
        gates.close_due(now=GATE)
        while jobs.run_due(limit=10, now=GATE):
            pass
    assert sum(Trade.objects.values_list("unit_hours", flat=True)) >= named["match"]["unit_hours"]


def test_reasons_are_ranked_and_count_cells(call: Call, story: Story) -> None:
    place_offer(story, story.huailai, story.huailai_cards, "8.00")
    seen = look(call, story, limit_price="7.00", needs={"min_green_pct": 95, "min_mem_gb": 64})
    assert seen["share"]["outlook"] == "nothing"
    assert [(reason["aspect"], reason["unit_hours"]) for reason in seen["reasons"]] == [("green", 0)]
    assert seen["reasons"][0]["detail"] == "min_green_pct = 95 excludes 1 of 1 listed cells"
    assert seen["alternatives"] == [], "no single change is enough"


def test_a_preview_reads_the_same_number_of_times_from_a_small_and_a_larger_book(call: Call, story: Story) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            look(call, story)
        return len(seen)

    place_offer(story, story.huailai, story.huailai_cards, "8.00", quantity=2)
    place_order(story.lanting, hourly(story, "11.00", quantity_max=1))
    small = queries()
    for _ in range(5):
        place_offer(story, story.huailai, story.huailai_cards, "8.00", quantity=2)
        place_order(story.lanting, hourly(story, "11.00", quantity_max=1))
    assert queries() == small
