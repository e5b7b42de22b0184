"""Orders over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actors.actor import Actor
from accounts.foundation import clock, ids
from accounts.organisations.models import Organisation
from accounts.projects.models import Project
from exchange.orders.models import Order
from tests.exchange.cast import GATE, Story, block, place_order, viewer

Call = Callable[..., Any]

B1: dict[str, Any] = {
    "market": "ai-cards",
    "kind": "block",
    "quantity": 16,
    "hours": 24,
    "earliest_at": "2026-05-03T00:00:00+08:00",
    "latest_at": "2026-05-04T00:00:00+08:00",
    "single_site": True,
    "needs": {"min_mem_gb": 64, "region": ["cn-jingjinji"]},
    "limit_price": "12.50",
    "budget": {"amount": "5200.00", "currency": "CNY"},
}
B2: dict[str, Any] = {
    "market": "ai-cards",
    "kind": "hourly",
    "quantity": 12,
    "earliest_at": "2026-05-03T08:00:00+08:00",
    "latest_at": "2026-05-03T20:00:00+08:00",
    "limit_price": "11.00",
}


def colleague(actor: Actor) -> Actor:
    return viewer(Organisation.objects.get(id=actor.organisation()))


def test_an_order_is_placed_and_shown_as_it_was_entered(call: Call, story: Story) -> None:
    placed = call(story.beichen, "post", "/v1/orders", B1)
    assert placed.status_code == 201, placed.json()
    body = placed.json()
    order = Order.objects.get()
    assert body == {
        "id": ids.spell("ord", order.id),
        "market": "ai-cards",
        "buyer": ids.spell("org", order.buyer_id),
        "project": ids.spell("prj", order.project_id),
        "kind": "block",
        "status": "open",
        "quantity": 16,
        "min_quantity": 16,
        "all_or_none": True,
        "hours": 24,
        "earliest_at": "2026-05-02T16:00:00Z",
        "latest_at": "2026-05-03T16:00:00Z",
        "single_site": True,
        "needs": {"min_mem_gb": 64, "region": ["cn-jingjinji"]},
        "currency": "CNY",
        "limit_price": "12.500000",
        "limit_source": "declared",
        "budget": {"amount": "5200.00", "currency": "CNY"},
        "extras_reserve": {"amount": "0.00", "currency": "CNY"},
        "rolls_over": False,
        "hold": {"id": ids.spell("hld", order.hold_id), "amount": {"amount": "5138.88", "currency": "CNY"}},
        "buyer_fee_ppm": 10_000,
        "tax_rate_ppm": 60_000,
        "fee_version": 1,
        "terms_version": 1,
        "total_unit_hours": 384,
        "filled_unit_hours": 0,
        "open_unit_hours": 384,
        "closed_unit_hours": 0,
        "seq": order.seq,
        "revision": 1,
        "created_at": "2026-05-01T04:00:00Z",
        "revised_at": "2026-05-01T04:00:00Z",
        "closed_at": None,
    }
    assert call(story.beichen, "get", f"/v1/orders/{body['id']}").json() == body


def test_the_same_key_places_one_order(call: Call, story: Story) -> None:
    first = call(story.lanting, "post", "/v1/orders", B2, key="night-shift")
    again = call(story.lanting, "post", "/v1/orders", B2, key="night-shift")
    other = call(story.lanting, "post", "/v1/orders", {**B2, "quantity": 1}, key="night-shift")
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Order.objects.count() == 1


def test_a_refused_order_says_why_and_changes_nothing(call: Call, story: Story) -> None:
    unfunded = call(story.qinghe, "post", "/v1/orders", {**B1, "budget": {"amount": "9000.00", "currency": "CNY"}})
    assert unfunded.status_code == 402
    assert unfunded.json()["code"] == "order_unfunded"
    assert unfunded.json()["largest_quantity"] == 3
    assert unfunded.json()["available"] == {"amount": "1000.00", "currency": "CNY"}
    over = call(story.beichen, "post", "/v1/orders", {**B1, "budget": {"amount": "100.00", "currency": "CNY"}})
    assert (over.status_code, over.json()["code"], over.json()["largest_quantity"]) == (422, "over_budget", 0)
    needs = call(story.beichen, "post", "/v1/orders", {**B1, "needs": {"min_mem_gb": 80}})
    assert (needs.status_code, needs.json()["code"]) == (422, "needs_unsatisfiable")
    assert needs.json()["errors"] == [
        {"detail": "min_mem_gb = 80 excludes the only listed cell", "pointer": "#/needs/min_mem_gb"}
    ]
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"quantity": "16"}, "#/quantity"),
        ({"quantity": 1.5}, "#/quantity"),
        ({"quantity": 10**30}, "#/quantity"),
        ({"limit_price": "1e3"}, "#/limit_price"),
        ({"limit_price": "NaN"}, "#/limit_price"),
        ({"limit_price": "１２"}, "#/limit_price"),
        ({"limit_price": 12.5}, "#/limit_price"),
        ({"limit_price": "12.505"}, "#/limit_price"),
        ({"limit_price": "0"}, "#/limit_price"),
        ({"earliest_at": "2026-05-03T00:00:00"}, "#/earliest_at"),
        ({"earliest_at": "2026-05-03T00:00:30+08:00"}, "#/earliest_at"),
        ({"latest_at": "2199-05-03T00:00:00+08:00"}, "#/latest_at"),
        ({"needs": {"cards": 4}}, "#/needs/cards"),
        ({"needs": {"model": []}}, "#/needs/model"),
        ({"needs": {"model": [1]}}, "#/needs/model/0"),
        ({"needs": "H100"}, "#/needs"),
        ({"budget": {"amount": "12.005", "currency": "CNY"}}, "#/budget/amount"),
        ({"budget": {"amount": "12.00", "currency": "USD"}}, "#/budget/currency"),
        ({"kind": "market"}, "#/kind"),
        ({"single_site": "yes"}, "#/single_site"),
        ({"project": "prj_1"}, "#/project"),
        ({"state": "filled"}, "#/state"),
        ({"buyer": "org_1"}, "#/buyer"),
    ],
)
def test_a_wrong_field_is_named(call: Call, story: Story, change: dict[str, Any], pointer: str) -> None:
    refused = call(story.beichen, "post", "/v1/orders", {**B1, **change})
    assert refused.status_code == 400, refused.json()
    assert pointer in [error["pointer"] for error in refused.json()["errors"]]
    assert not Order.objects.exists()


def test_an_unknown_market_or_project_is_not_found(call: Call, story: Story) -> None:
    assert call(story.beichen, "post", "/v1/orders", {**B1, "market": "tulips"}).status_code == 404
    foreign = Project.objects.get(organisation_id=story.lanting.organisation())
    other = call(story.beichen, "post", "/v1/orders", {**B1, "project": ids.spell("prj", foreign.id)})
    missing = call(story.beichen, "post", "/v1/orders", {**B1, "project": ids.spell("prj", ids.new_id())})
    assert (other.status_code, other.json()) == (404, missing.json())


def test_amending_and_cancelling_move_the_hold(call: Call, story: Story) -> None:
    address = f"/v1/orders/{call(story.beichen, 'post', '/v1/orders', B1).json()['id']}"
    amended = call(story.beichen, "patch", address, {"limit_price": "12.60", "budget": None, "rolls_over": True})
    assert amended.status_code == 200, amended.json()
    assert amended.json()["hold"]["amount"]["amount"] == "5179.99"
    assert (amended.json()["budget"], amended.json()["revision"]) == (None, 2)
    halved = call(story.beichen, "patch", address, {"quantity": 8, "min_quantity": 8, "needs": {}})
    assert (halved.json()["total_unit_hours"], halved.json()["needs"]) == (192, {})
    assert call(story.beichen, "patch", address, {}).json()["code"] == "order_unchanged"
    revisions = call(story.beichen, "get", f"{address}/revisions").json()["data"]
    assert [(row["revision"], row["quantity"], row["limit_price"]) for row in revisions] == [
        (3, 8, "12.600000"),
        (2, 16, "12.600000"),
        (1, 16, "12.500000"),
    ]
    cancelled = call(story.beichen, "post", f"{address}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert cancelled.json()["hold"]["amount"]["amount"] == "0.00"
    assert call(story.beichen, "post", f"{address}/cancel").status_code == 409


def test_past_the_gate_an_order_of_its_round_stays_as_it_is(call: Call, story: Story) -> None:
    address = f"/v1/orders/{call(story.beichen, 'post', '/v1/orders', B1).json()['id']}"
    with clock.travel(GATE):
        for method, path, body in (
            ("post", f"{address}/cancel", None),
            ("patch", address, {"limit_price": "13.00"}),
        ):
            refused = call(story.beichen, method, path, body)
            assert refused.status_code == 409, refused.json()


def test_owner_colleague_stranger_and_nobody(call: Call, story: Story) -> None:
    order = place_order(story.beichen, block(story, "12.50"))
    address, missing = (f"/v1/orders/{ids.spell('ord', id_)}" for id_ in (order.id, ids.new_id()))
    lesser = colleague(story.beichen)
    reads = (address, f"{address}/revisions")
    writes: tuple[tuple[str, str, object], ...] = (
        ("post", f"{address}/cancel", None),
        ("patch", address, {"limit_price": "12.60"}),
    )
    for path in reads:
        assert call(story.beichen, "get", path).status_code == 200
        assert call(lesser, "get", path).status_code == 200
        assert call(story.operator, "get", path).status_code == 200
        assert call(story.huailai, "get", path).status_code == 403
        assert call(None, "get", path).status_code == 401
    foreign = call(story.lanting, "get", address)
    assert foreign.status_code == 404
    assert foreign.content == call(story.lanting, "get", missing).content
    for method, path, body in writes:
        assert call(lesser, method, path, body).status_code == 403
        assert call(story.lanting, method, path, body).status_code == 404
        assert call(story.operator, method, path, body).status_code == 403
        assert call(None, method, path, body).status_code == 401
    assert call(lesser, "post", "/v1/orders", B1).status_code == 403
    assert call(None, "post", "/v1/orders", B1).status_code == 401
    assert call(None, "get", "/v1/orders").status_code == 401
    assert call(story.lanting, "get", "/v1/orders").json()["data"] == []
    order.refresh_from_db()
    assert (order.status, order.revision) == ("open", 1)


def test_lists_are_filtered_and_walked_with_the_same_number_of_queries(call: Call, story: Story) -> None:
    def queries_for_list() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert call(story.beichen, "get", "/v1/orders", limit=50).status_code == 200
        return len(captured)

    one = block(story, "1.00", quantity_max=1, hours=1)
    first = place_order(story.beichen, one)
    with_one = queries_for_list()
    for _ in range(19):
        place_order(story.beichen, one)
    assert queries_for_list() == with_one
    call(story.beichen, "post", f"/v1/orders/{ids.spell('ord', first.id)}/cancel")
    cancelled = call(story.beichen, "get", "/v1/orders", status="cancelled", market="ai-cards").json()
    assert [row["id"] for row in cancelled["data"]] == [ids.spell("ord", first.id)]
    page = call(story.beichen, "get", "/v1/orders", limit=15).json()
    rest = call(story.beichen, "get", "/v1/orders", limit=15, cursor=page["next_cursor"]).json()
    assert (len(page["data"]), len(rest["data"]), rest["has_more"]) == (15, 5, False)
    wrong = call(story.beichen, "get", "/v1/orders", status="asleep", colour="red")
    assert wrong.status_code == 400
