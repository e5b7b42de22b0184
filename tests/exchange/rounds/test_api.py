"""Rounds, their documents and prices over HTTP: public to members, with names left out."""

import json
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actors.actor import Capability
from accounts.foundation import ids
from accounts.organisations.models import Organisation
from exchange.auctions import gates
from exchange.clearing import parsing, verify
from exchange.rounds.models import Round
from tests.catalog.cast import acting_for
from tests.exchange import cast
from tests.exchange.cast import GATE, Story
from tests.exchange.leases.delivery import at, cleared

Call = Callable[..., Any]


def address(round_: Round, document: str = "") -> str:
    return f"/v1/rounds/{ids.spell('rnd', round_.id)}{document}"


def test_a_round_says_when_it_closes_and_what_it_found(call: Call, story: Story) -> None:
    delivery = cleared(story)
    shown = call(story.qinghe, "get", address(delivery.round)).json()
    assert (shown["market"], shown["status"], shown["welfare"]) == ("ai-cards", "published", "1872.000000")
    assert shown["scheduled_at"] == "2026-05-02T04:00:00Z"
    assert shown["locks_at"] == "2026-05-02T03:50:00Z"
    assert shown["snapshot_digest"] == delivery.round.snapshot.digest
    assert shown["outcome_digest"] == delivery.round.outcome.digest


def test_nothing_of_a_round_is_shown_before_it_is_published(call: Call, story: Story) -> None:
    cast.place_offer(story, story.huailai, story.huailai_cards, "8.00")
    gates.close_due(now=at(GATE))
    frozen = Round.objects.get(scheduled_at=GATE)
    shown = call(story.beichen, "get", address(frozen)).json()
    assert (shown["status"], shown["welfare"], shown["outcome_digest"]) == ("gated", None, None)
    assert shown["snapshot_digest"] == frozen.snapshot.digest
    for document in ("/book", "/outcome", "/certificate", "/prices"):
        refused = call(story.beichen, "get", address(frozen, document))
        assert (refused.status_code, refused.json()["code"]) == (404, "round_document_not_published")


def test_the_published_book_names_nobody_and_still_verifies(call: Call, story: Story) -> None:
    delivery = cleared(story)
    book = call(story.beichen, "get", address(delivery.round, "/book")).json()
    outcome = call(story.beichen, "get", address(delivery.round, "/outcome")).json()
    assert not verify.verify(parsing.read_book(book["book"]), outcome["outcome"]).violations
    text = json.dumps([book["book"], outcome])
    for known in (*story_ids(story), *(ids.spell("org", row.id) for row in Organisation.objects.all())):
        assert known not in text
    (mine,) = book["own"].values()
    assert mine.startswith("ord_")
    assert call(story.qinghe, "get", address(delivery.round, "/book")).json()["own"] != book["own"]


def story_ids(story: Story) -> list[str]:
    orders = [ids.spell("ord", order.id) for order in story.market.orders.all()]
    return orders + [ids.spell("off", offer.id) for offer in story.market.offers.all()]


def test_prices_are_listed_by_cell_and_time_with_the_same_number_of_queries(call: Call, story: Story) -> None:
    delivery = cleared(story)
    prices = call(story.qinghe, "get", "/v1/prices", cell="zjk-1/ascend-910b3/roce").json()["data"]
    assert {row["price"] for row in prices} >= {"9.000000", "10.000000"}
    assert sum(int(row["traded_quantity"]) for row in prices) == 528
    of_round = call(story.qinghe, "get", address(delivery.round, "/prices")).json()["data"]
    assert of_round == prices

    def queries_for(limit: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            call(story.qinghe, "get", "/v1/prices", limit=limit)
        return len(captured)

    assert queries_for(1) == queries_for(3)


def test_members_see_rounds_strangers_do_not_and_only_the_operator_gives_one_up(call: Call, story: Story) -> None:
    cast.place_offer(story, story.huailai, story.huailai_cards, "8.00")
    gates.close_due(now=at(GATE))
    frozen = Round.objects.get(scheduled_at=GATE)
    assert call(None, "get", "/v1/rounds").status_code == 401
    assert call(None, "get", "/v1/prices").status_code == 401
    assert len(call(story.huailai, "get", "/v1/rounds", status="gated").json()["data"]) == 1
    assert call(story.huailai, "post", address(frozen, "/void"), {"reason": "no"}).status_code == 403
    desk = acting_for(Organisation.objects.get(can_operate=True), frozenset({Capability.OPERATE}))
    empty = call(desk, "post", address(frozen, "/void"), {})
    assert (empty.status_code, empty.json()["errors"][0]["pointer"]) == (400, "#/reason")
    voided = call(desk, "post", address(frozen, "/void"), {"reason": "The site is on fire."}).json()
    assert (voided["status"], voided["void_reason"]) == ("void", "The site is on fire.")
