"""Quotes over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.foundation import clock, ids
from exchange.quotes.models import Quote
from exchange.trades.models import Trade
from tests.exchange import cast
from tests.exchange.cast import Story, viewer
from tests.exchange.quotes.cast import ask, sell_at_once

Call = Callable[..., Any]

WANTED: dict[str, Any] = {
    "market": "ai-cards",
    "quantity": 4,
    "starts_at": "2026-05-03T08:00:00+08:00",
    "ends_at": "2026-05-03T10:00:00+08:00",
    "needs": {"min_mem_gb": 64},
    "budget": {"amount": "100.00", "currency": "CNY"},
}


@pytest.fixture
def story(story: Story) -> Story:
    sell_at_once(story, story.huailai, story.huailai_cards, "9.50")
    return story


def test_a_quote_is_asked_for_and_accepted_in_one_call(call: Call, story: Story) -> None:
    asked = call(story.beichen, "post", "/v1/quotes", WANTED)
    assert asked.status_code == 201, asked.json()
    body = asked.json()
    quote = Quote.objects.get()
    assert body == {
        "id": ids.spell("qte", quote.id),
        "market": "ai-cards",
        "buyer": ids.spell("org", quote.buyer_id),
        "project": ids.spell("prj", quote.project_id),
        "status": "open",
        "quantity": 4,
        "starts_at": "2026-05-03T00:00:00Z",
        "ends_at": "2026-05-03T02:00:00Z",
        "unit_hours": 8,
        "single_site": False,
        "needs": {"min_mem_gb": 64},
        "lines": [
            {
                "offering": ids.spell("ofr", story.huailai_cards.id),
                "site": "zjk-1",
                "provider": ids.spell("org", story.huailai.organisation()),
                "starts_at": "2026-05-03T00:00:00Z",
                "ends_at": "2026-05-03T02:00:00Z",
                "quantity": 4,
                "price": "9.500000",
                "return_credit_ppm": 500_000,
                "pause_credit_ppm": 200_000,
                "resale_commission_ppm": 40_000,
            }
        ],
        "currency": "CNY",
        "value": {"amount": "76.00", "currency": "CNY"},
        "fee": {"amount": "0.76", "currency": "CNY"},
        "tax": {"amount": "4.61", "currency": "CNY"},
        "total": {"amount": "81.37", "currency": "CNY"},
        "budget": {"amount": "100.00", "currency": "CNY"},
        "buyer_fee_ppm": 10_000,
        "tax_rate_ppm": 60_000,
        "fee_version": 1,
        "terms_version": 1,
        "hold": None,
        "created_at": "2026-05-01T04:00:00Z",
        "expires_at": "2026-05-01T04:02:00Z",
        "closed_at": None,
    }
    assert call(story.beichen, "get", f"/v1/quotes/{body['id']}").json() == body
    accepted = call(story.beichen, "post", f"/v1/quotes/{body['id']}/accept").json()
    hold = ids.spell("hld", Quote.objects.get().hold_id or quote.id)
    assert accepted == body | {"status": "accepted", "hold": hold, "closed_at": "2026-05-01T04:00:00Z"}
    (trade,) = call(story.beichen, "get", "/v1/trades", quote=body["id"]).json()["data"]
    assert (trade["round"], trade["order"], trade["quote"], trade["offer"]) == (None, None, body["id"], None)
    (sold,) = call(story.huailai, "get", "/v1/trades").json()["data"]
    assert (sold["quote"], sold["offer"]) == (None, ids.spell("off", Trade.objects.get().offer_id))
    (lease,) = call(story.beichen, "get", "/v1/leases", market="ai-cards").json()["data"]
    assert (lease["round"], lease["market"], lease["unit"], lease["quantity"]) == (None, "ai-cards", "card_hours", "4")


def test_the_same_key_holds_and_buys_once(call: Call, story: Story) -> None:
    first = call(story.beichen, "post", "/v1/quotes", WANTED, key="tonight")
    again = call(story.beichen, "post", "/v1/quotes", WANTED, key="tonight")
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    path = f"/v1/quotes/{first.json()['id']}/accept"
    bought = call(story.beichen, "post", path, key="buy")
    assert call(story.beichen, "post", path, key="buy").json() == bought.json()
    assert (Quote.objects.count(), Trade.objects.count()) == (1, 1)


def test_refusals_name_the_field_and_the_quantity_that_would_fit(call: Call, story: Story) -> None:
    short = call(story.beichen, "post", "/v1/quotes", WANTED | {"quantity": 17})
    assert (short.status_code, short.json()["code"], short.json()["available_quantity"]) == (
        409,
        "instant_supply_short",
        16,
    )
    over = call(story.beichen, "post", "/v1/quotes", WANTED | {"budget": {"amount": "70.00", "currency": "CNY"}})
    assert (over.status_code, over.json()["code"], over.json()["largest_quantity"]) == (422, "over_budget", 3)
    poor = call(story.qinghe, "post", "/v1/quotes", WANTED | {"quantity": 16, "starts_at": "2026-05-03T00:00:00+08:00"})
    assert (poor.status_code, poor.json()["code"]) == (422, "over_budget")
    odd = call(story.beichen, "post", "/v1/quotes", WANTED | {"valid_seconds": 301, "needs": {"min_mem": 64}})
    assert odd.status_code == 400
    assert sorted(error["pointer"] for error in odd.json()["errors"]) == ["#/needs/min_mem", "#/valid_seconds"]
    foreign = call(story.beichen, "post", "/v1/quotes", WANTED | {"budget": {"amount": "70.00", "currency": "USD"}})
    assert foreign.json()["errors"][0]["pointer"] == "#/budget/currency"


def test_late_is_a_conflict_and_others_quotes_are_not_there(call: Call, story: Story) -> None:
    path = f"/v1/quotes/{ids.spell('qte', ask(story, story.beichen, 1).id)}"
    assert call(story.lanting, "post", f"{path}/accept").status_code == 404
    assert call(story.lanting, "get", path).status_code == 404
    colleague = viewer(cast.organisation_of(story.beichen))
    assert call(colleague, "get", path).status_code == 200
    assert call(colleague, "post", f"{path}/withdraw").status_code == 403
    with clock.travel(Quote.objects.get().expires_at):
        late = call(story.beichen, "post", f"{path}/accept")
    assert (late.status_code, late.json()["code"]) == (409, "quote_expired")
    assert call(story.beichen, "post", f"{path}/withdraw").json()["status"] == "withdrawn"
    assert call(story.beichen, "post", f"{path}/withdraw").json()["code"] == "quote_not_open"


def test_a_list_costs_the_same_for_one_quote_and_for_many(call: Call, story: Story) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert call(story.beichen, "get", "/v1/quotes").status_code == 200
        return len(seen)

    ask(story, story.beichen, 1)
    one = queries()
    ask(story, story.beichen, 2)
    ask(story, story.beichen, 3)
    assert queries() == one
    listed = call(story.beichen, "get", "/v1/quotes", status="open", market="ai-cards", limit="2").json()
    assert (len(listed["data"]), listed["has_more"]) == (2, True)


def test_an_offers_instant_price_is_set_and_taken_off(call: Call, story: Story) -> None:
    (offer,) = call(story.huailai, "get", "/v1/offers").json()["data"]
    assert (offer["instant_price"], offer["held_unit_hours"]) == ("9.500000", 0)
    changed = call(story.huailai, "patch", f"/v1/offers/{offer['id']}", {"instant_price": "9.00"}).json()
    assert (changed["instant_price"], changed["revision"]) == ("9.000000", 2)
    low = call(story.huailai, "patch", f"/v1/offers/{offer['id']}", {"instant_price": "7.00"})
    assert (low.status_code, low.json()["errors"][0]["pointer"]) == (400, "#/instant_price")
    assert (
        call(story.huailai, "patch", f"/v1/offers/{offer['id']}", {"instant_price": None}).json()["instant_price"]
        is None
    )
