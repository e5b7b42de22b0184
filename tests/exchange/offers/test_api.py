"""Offers, capacity and markets over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.foundation import ids
from accounts.organisations.models import Organisation
from exchange.markets.models import Market
from exchange.offers.models import Offer
from tests.exchange.cast import Story, place_offer, viewer

Call = Callable[..., Any]

DAY = {"starts_at": "2026-05-03T00:00:00+08:00", "ends_at": "2026-05-04T00:00:00+08:00"}


def s1(story: Story) -> dict[str, Any]:
    """The story's first offer."""
    return {
        "market": "ai-cards",
        "offering": ids.spell("ofr", story.huailai_cards.id),
        "quantity": 16,
        "reserve_price": "8.00",
        **DAY,
    }


def test_an_offer_is_placed_amended_and_withdrawn(call: Call, story: Story) -> None:
    placed = call(story.huailai, "post", "/v1/offers", s1(story))
    assert placed.status_code == 201, placed.json()
    offer = Offer.objects.get()
    assert placed.json() == {
        "id": ids.spell("off", offer.id),
        "market": "ai-cards",
        "offering": ids.spell("ofr", story.huailai_cards.id),
        "provider": ids.spell("org", offer.provider_id),
        "status": "open",
        "in_round": False,
        "quantity": 16,
        "starts_at": "2026-05-02T16:00:00Z",
        "ends_at": "2026-05-03T16:00:00Z",
        "currency": "CNY",
        "reserve_price": "8.000000",
        "instant_price": None,
        "pause_credit_ppm": 200_000,
        "return_credit_ppm": 500_000,
        "resale_commission_ppm": 40_000,
        "origin": None,
        "total_unit_hours": 384,
        "held_unit_hours": 0,
        "sold_unit_hours": 0,
        "open_unit_hours": 384,
        "closed_unit_hours": 0,
        "seq": offer.seq,
        "revision": 1,
        "created_at": "2026-05-01T04:00:00Z",
        "revised_at": "2026-05-01T04:00:00Z",
        "closed_at": None,
    }
    address = f"/v1/offers/{placed.json()['id']}"
    amended = call(story.huailai, "patch", address, {"quantity": 8, "reserve_price": "7.50"}).json()
    assert (amended["quantity"], amended["reserve_price"], amended["seq"]) == (8, "7.500000", offer.seq)
    revisions = call(story.huailai, "get", f"{address}/revisions").json()["data"]
    assert [(row["revision"], row["reserve_price"]) for row in revisions] == [(2, "7.500000"), (1, "8.000000")]
    withdrawn = call(story.huailai, "post", f"{address}/withdraw")
    assert (withdrawn.status_code, withdrawn.json()["status"]) == (200, "withdrawn")
    assert call(story.huailai, "get", "/v1/offers", status="open").json()["data"] == []
    assert len(call(story.huailai, "get", "/v1/offers", status="withdrawn").json()["data"]) == 1


def test_too_much_is_refused_and_can_be_listed_in_the_same_step(call: Call, story: Story) -> None:
    more = {**s1(story), "quantity": 20}
    refused = call(story.huailai, "post", "/v1/offers", more)
    assert (refused.status_code, refused.json()["code"]) == (409, "capacity_short")
    assert call(story.huailai, "post", "/v1/offers", {**more, "lists_capacity": True}).status_code == 201


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"quantity": 0}, "#/quantity"),
        ({"quantity": True}, "#/quantity"),
        ({"reserve_price": "-1.00"}, "#/reserve_price"),
        ({"reserve_price": "8.001"}, "#/reserve_price"),
        ({"starts_at": "2026-05-03T00:00"}, "#/starts_at"),
        ({"ends_at": "2026-05-03T00:00:00+08:00"}, "#/ends_at"),
        ({"offering": "ord_01jd"}, "#/offering"),
        ({"seq": 1}, "#/seq"),
        ({"pause_credit_ppm": 1_000_001}, "#/pause_credit_ppm"),
    ],
)
def test_a_wrong_field_is_named(call: Call, story: Story, change: dict[str, Any], pointer: str) -> None:
    refused = call(story.huailai, "post", "/v1/offers", {**s1(story), **change})
    assert refused.status_code == 400, refused.json()
    assert pointer in [error["pointer"] for error in refused.json()["errors"]]


def test_owner_colleague_stranger_and_nobody(call: Call, story: Story) -> None:
    offer = place_offer(story, story.huailai, story.huailai_cards, "8.00")
    address, missing = (f"/v1/offers/{ids.spell('off', id_)}" for id_ in (offer.id, ids.new_id()))
    lesser = viewer(Organisation.objects.get(id=offer.provider_id))
    for path in (address, f"{address}/revisions", f"/v1/capacity/{ids.spell('ofr', offer.offering_id)}"):
        assert call(story.huailai, "get", path).status_code == 200
        assert call(lesser, "get", path).status_code == 200
        assert call(story.operator, "get", path).status_code == 200
        assert call(story.beichen, "get", path).status_code == 403
        assert call(None, "get", path).status_code == 401
    foreign = call(story.zhangbei, "get", address)
    assert foreign.status_code == 404
    assert foreign.content == call(story.zhangbei, "get", missing).content
    writes: tuple[tuple[str, str, object], ...] = (
        ("post", f"{address}/withdraw", None),
        ("patch", address, {"reserve_price": "7.00"}),
    )
    for method, path, body in writes:
        assert call(lesser, method, path, body).status_code == 403
        assert call(story.zhangbei, method, path, body).status_code == 404
        assert call(None, method, path, body).status_code == 401
    for path, body in (("/v1/offers", s1(story)), ("/v1/capacity", {})):
        assert call(lesser, "post", path, body).status_code == 403
        assert call(None, "post", path, body).status_code == 401
    assert call(story.zhangbei, "get", "/v1/offers").json()["data"] == []
    offer.refresh_from_db()
    assert (offer.status, offer.revision) == ("open", 1)


def test_capacity_is_listed_and_read_by_the_hour(call: Call, story: Story) -> None:
    offering = ids.spell("ofr", story.huailai_cards.id)
    listed = call(story.huailai, "post", "/v1/capacity", {"offering": offering, "quantity": 20, **DAY})
    assert (listed.status_code, len(listed.json()["data"])) == (200, 24)
    hours = call(
        story.huailai, "get", f"/v1/capacity/{offering}", starts_from="2026-05-03T08:00:00+08:00", limit=2
    ).json()
    assert hours["has_more"]
    assert hours["data"][0] == {
        "offering": offering,
        "starts_at": "2026-05-03T00:00:00Z",
        "listed": 20,
        "offered": 0,
        "held": 0,
        "sold": 0,
        "free": 20,
    }
    place_offer(story, story.huailai, story.huailai_cards, "8.00")
    short = call(story.huailai, "post", "/v1/capacity", {"offering": offering, "quantity": 15, **DAY})
    assert (short.status_code, short.json()["code"]) == (409, "capacity_committed")
    foreign = call(story.zhangbei, "post", "/v1/capacity", {"offering": offering, "quantity": 1, **DAY})
    assert foreign.status_code == 404


def test_everybody_who_acts_reads_the_markets_and_their_next_gate(call: Call, story: Story) -> None:
    for actor in (story.beichen, story.huailai, story.operator):
        market = call(actor, "get", "/v1/markets/ai-cards").json()
        assert market["next_gate_at"] == "2026-05-02T04:00:00Z"
        assert market["cancel_deadline_at"] == "2026-05-02T03:50:00Z"
        assert market["first_delivery_at"] == "2026-05-02T05:00:00Z"
        assert market["last_delivery_at"] == "2026-05-16T04:00:00Z"
        assert (market["tick"], market["highest_price"]) == ("0.010000", "100.000000")
    assert call(None, "get", "/v1/markets").status_code == 401
    assert call(story.beichen, "get", "/v1/markets/tulips").status_code == 404
    assert [row["code"] for row in call(story.beichen, "get", "/v1/markets", status="open").json()["data"]] == [
        "ai-cards"
    ]


def test_the_operator_opens_suspends_and_resumes_a_market(call: Call, story: Story) -> None:
    opened = {
        "code": "hpc-nodes",
        "name": "HPC nodes",
        "service_class": "super_compute",
        "unit": "node_hours",
        "currency": "CNY",
        "epoch": "2026-01-01",
        "grid_slots": 4,
        "tick": "0.01",
        "lowest_price": "0.00",
        "highest_price": "500.00",
        "gate_interval_seconds": 3600,
        "no_cancel_seconds": 300,
        "horizon_hours": 168,
    }
    assert call(story.huailai, "post", "/v1/markets", opened).status_code == 403
    answer = call(story.operator, "post", "/v1/markets", opened)
    assert (answer.status_code, answer.json()["grid_slots"]) == (201, 4)
    assert call(story.operator, "post", "/v1/markets", opened).status_code == 409
    wrong = call(story.operator, "post", "/v1/markets", {**opened, "code": "x y", "timezone": "Mars/Olympus"})
    assert {error["pointer"] for error in wrong.json()["errors"]} == {"#/code", "#/timezone"}
    for verb, status in (("suspend", "suspended"), ("resume", "open")):
        moved = call(story.operator, "post", f"/v1/markets/hpc-nodes/{verb}", {"reason": "a drill"})
        assert (moved.status_code, moved.json()["status"]) == (200, status)
        assert call(story.huailai, "post", f"/v1/markets/hpc-nodes/{verb}", {"reason": "mine"}).status_code == 403
    assert Market.objects.count() == 2
