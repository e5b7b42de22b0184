"""Rounds, their documents and prices over HTTP: public, with names left out."""

import hashlib
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.actors.actor import Capability
from accounts.foundation import ids
from accounts.organisations.models import Organisation
from exchange.auctions import gates
from exchange.clearing import engine, parsing
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
    assert shown["outcome_digest"] == delivery.round.outcome.public_digest


def test_nothing_of_a_round_is_shown_before_it_is_published(call: Call, story: Story) -> None:
    cast.place_offer(story, story.huailai, story.huailai_cards, "8.00")
    gates.close_due(now=at(GATE))
    frozen = Round.objects.get(scheduled_at=GATE)
    shown = call(story.beichen, "get", address(frozen)).json()
    assert (shown["status"], shown["welfare"], shown["outcome_digest"]) == ("gated", None, None)
    assert shown["snapshot_digest"] == frozen.snapshot.digest
    # What will be published is named before anything is decided.
    assert shown["book_digest"] == frozen.snapshot.public_digest
    assert len(shown["book_digest"]) == 64
    for document in ("/book", "/outcome", "/certificate", "/record", "/own", "/prices"):
        refused = call(story.beichen, "get", address(frozen, document))
        assert (refused.status_code, refused.json()["code"]) == (404, "round_document_not_published")


def download(call: Call, round_: Round, folder: Path) -> dict[str, Path]:
    """Save what a visitor downloads, byte for byte."""
    found = {}
    for name in ("book", "outcome", "certificate"):
        found[name] = folder / f"{name}.json"
        found[name].write_bytes(call(None, "get", address(round_, f"/{name}")).content)
    return found


def test_the_published_documents_name_nobody_and_pass_the_offline_check_as_downloaded(
    call: Call, story: Story, tmp_path: Path
) -> None:
    delivery = cleared(story)
    record = call(None, "get", address(delivery.round, "/record")).json()
    files = download(call, delivery.round, tmp_path)
    for name, path in files.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == record[f"{name}_digest"]
    printed = StringIO()
    arguments = [str(files["book"]), str(files["outcome"]), "--certificate", str(files["certificate"]), "--strict"]
    call_command("verify_outcome", *arguments, stdout=printed)
    assert f"book      SHA-256 {record['book_digest']}" in printed.getvalue()
    assert f"outcome   SHA-256 {record['outcome_digest']}" in printed.getvalue()
    assert "bound     1872000000 claimed, 1872000000 proven by the certificate" in printed.getvalue()
    assert (record["welfare"], record["degraded"], record["strict"]) == ("1872.000000", False, True)
    text = " ".join(path.read_text() for path in files.values()) + json.dumps(record)
    for known in (*story_ids(story), *(ids.spell("org", row.id) for row in Organisation.objects.all())):
        assert known not in text


def test_anybody_who_clears_the_published_book_again_finds_the_published_outcome(
    call: Call, story: Story, tmp_path: Path
) -> None:
    delivery = cleared(story)
    files = download(call, delivery.round, tmp_path)
    again = engine.clear(parsing.parse_book(files["book"].read_bytes()))
    assert again.outcome.canonical_bytes() == files["outcome"].read_bytes()


def test_members_find_their_own_rows_and_nobody_elses(call: Call, story: Story) -> None:
    delivery = cleared(story)
    assert call(None, "get", address(delivery.round, "/own")).status_code == 401
    mine = call(story.beichen, "get", address(delivery.round, "/own")).json()["own"]
    ((public, own),) = mine.items()
    assert own == ids.spell("ord", story.market.orders.get(buyer_id=story.beichen.organisation()).id)
    book = call(None, "get", address(delivery.round, "/book")).json()
    assert public in {row["id"] for row in book["orders"]}
    assert call(story.qinghe, "get", address(delivery.round, "/own")).json() == {"own": {}}
    (offered,) = call(story.huailai, "get", address(delivery.round, "/own")).json()["own"].values()
    assert offered.startswith("off_")


def test_documents_are_kept_by_caches_and_not_sent_twice(call: Call, story: Story) -> None:
    delivery = cleared(story)
    for document in ("/book", "/outcome", "/certificate", "/record", "", "/prices"):
        first = call(None, "get", address(delivery.round, document))
        assert first["Cache-Control"].startswith("public, max-age="), document
        second = APIClient().get(address(delivery.round, document), headers={"If-None-Match": first["ETag"]})
        assert (second.status_code, second.content, second["ETag"]) == (304, b"", first["ETag"]), document
        other = APIClient().get(address(delivery.round, document), headers={"If-None-Match": '"other"'})
        assert (other.status_code, other.content) == (200, first.content), document


def test_who_asks_too_often_is_told_when_to_come_back(call: Call, story: Story, settings: Any) -> None:
    settings.PUBLIC_REQUESTS_PER_MINUTE = 3
    client = APIClient(REMOTE_ADDR=f"192.0.2.{story.market.id.int % 250}-{story.market.id}")
    answers = [client.get("/v1/rounds") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert 1 <= int(answers[-1]["Retry-After"]) <= 61
    assert answers[-1]["Cache-Control"] == "no-store"
    assert APIClient(REMOTE_ADDR="198.51.100.7").get("/v1/rounds").status_code == 200
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert client.get("/v1/rounds").status_code == 200


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


def test_everybody_sees_rounds_and_only_the_operator_gives_one_up(call: Call, story: Story) -> None:
    cast.place_offer(story, story.huailai, story.huailai_cards, "8.00")
    gates.close_due(now=at(GATE))
    frozen = Round.objects.get(scheduled_at=GATE)
    assert call(None, "get", "/v1/rounds").status_code == 200
    assert call(None, "get", "/v1/prices").status_code == 200
    assert len(call(story.huailai, "get", "/v1/rounds", status="gated").json()["data"]) == 1
    assert call(story.huailai, "post", address(frozen, "/void"), {"reason": "no"}).status_code == 403
    desk = acting_for(Organisation.objects.get(can_operate=True), frozenset({Capability.OPERATE}))
    empty = call(desk, "post", address(frozen, "/void"), {})
    assert (empty.status_code, empty.json()["errors"][0]["pointer"]) == (400, "#/reason")
    # A key is no person.
    refused = call(desk, "post", address(frozen, "/void"), {"reason": "The site is on fire."})
    assert (refused.status_code, refused.json()["code"]) == (403, "void_needs_person")
    first, second = cast.two_operators()
    asked = call(first, "post", address(frozen, "/void"), {"reason": "The site is on fire."})
    assert (asked.status_code, asked.json()["state"]) == (201, "asked")
    alone = call(first, "post", address(frozen, "/void/confirm"), {})
    assert (alone.status_code, alone.json()["code"]) == (403, "void_needs_second_person")
    voided = call(second, "post", address(frozen, "/void/confirm"), {}).json()
    assert (voided["status"], voided["void_reason"]) == ("void", "The site is on fire.")
