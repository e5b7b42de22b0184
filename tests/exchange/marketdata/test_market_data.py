"""The public tables and pages: right figures, no names, no key, one answer for JSON and CSV."""

import csv
import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.foundation import ids
from accounts.organisations.models import Organisation
from exchange.auctions import clear, gates, settle
from exchange.marketdata import api
from exchange.rounds.models import Round
from tests.exchange import cast
from tests.exchange.cast import GATE, HOUR, D, Story, hourly
from tests.exchange.leases.delivery import Delivery, at, cleared

Call = Callable[..., Any]
TABLES = ("depth", "rounds", "trades", "prices", "index")
FORMATS = ("json", "csv")


def table(call: Call, name: str, **asked: str) -> dict[str, Any]:
    answer = call(None, "get", f"/v1/market-data/ai-cards/{name}", **asked)
    assert answer.status_code == 200, answer.content
    document: dict[str, Any] = json.loads(answer.content)
    return document


def csv_rows(call: Call, name: str, **asked: str) -> list[dict[str, str]]:
    answer = call(None, "get", f"/v1/market-data/ai-cards/{name}", format="csv", **asked)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="ai-cards-{name}.csv"'
    assert answer.streaming
    return list(csv.DictReader(StringIO(b"".join(answer.streaming_content).decode(), newline="")))


@pytest.fixture
def delivery(story: Story) -> Delivery:
    return cleared(story)


def test_depth_is_what_is_offered_and_wanted_by_day_and_price_without_names(call: Call, story: Story) -> None:
    cast.place_offer(story, story.huailai, story.huailai_cards, "8.00")
    cast.place_offer(story, story.zhangbei, story.zhangbei_cards, "8.00", quantity=4)
    cast.place_order(story.lanting, hourly(story, "11.00"))
    cast.place_order(story.qinghe, hourly(story, "11.00", quantity_max=2))
    cast.place_order(story.beichen, cast.block(story, "12.50"))
    rows = table(call, "depth")["rows"]
    assert [(row["side"], row["price"], row["unit_hours"]) for row in rows] == [
        ("demand", "11.000000", 14 * 12),
        ("demand", "12.500000", 16 * 24),
        ("supply", "8.000000", 20 * 24),
    ]
    assert {(row["resource_type"], row["starts_at"], row["ends_at"]) for row in rows} == {
        ("ascend-910b3", "2026-05-02T16:00:00Z", "2026-05-03T16:00:00Z")
    }


def test_depth_counts_a_window_over_midnight_in_both_days(call: Call, story: Story) -> None:
    cast.place_offer(story, story.huailai, story.huailai_cards, "8.00")
    cast.place_order(story.lanting, hourly(story, "11.00", first=20, last=28, quantity_max=1))
    rows = [row for row in table(call, "depth")["rows"] if row["side"] == "demand"]
    assert [(row["starts_at"], row["unit_hours"]) for row in rows] == [
        ("2026-05-02T16:00:00Z", 4),
        ("2026-05-03T16:00:00Z", 4),
    ]


def test_rounds_say_what_they_traded_and_what_proves_it(call: Call, delivery: Delivery) -> None:
    (row,) = [row for row in table(call, "rounds")["rows"] if row["status"] == "published"]
    assert row["round"] == ids.spell("rnd", delivery.round.id)
    assert (row["traded_unit_hours"], row["turnover"]) == (528, "5088.000000")
    assert (row["welfare"], row["bound"]) == ("1872.000000", "1872.000000")
    assert row["book_digest"] == delivery.round.snapshot.public_digest
    assert row["outcome_digest"] == delivery.round.outcome.public_digest


def test_nothing_of_an_unpublished_round_is_in_any_table(call: Call, story: Story) -> None:
    cast.place_offer(story, story.huailai, story.huailai_cards, "8.00")
    cast.place_order(story.lanting, hourly(story, "11.00"))
    gates.close_due(now=at(GATE))
    (row,) = [row for row in table(call, "rounds")["rows"] if row["status"] == "gated"]
    assert (row["welfare"], row["traded_unit_hours"], row["outcome_digest"]) == (None, 0, None)
    assert [table(call, name)["rows"] for name in ("trades", "prices", "index")] == [[], [], []]


def test_trades_have_hours_units_and_prices_and_no_parties(call: Call, delivery: Delivery) -> None:
    rows = table(call, "trades")["rows"]
    assert sum(row["unit_hours"] for row in rows) == 528
    assert {row["price"] for row in rows} == {"9.000000", "10.000000"}
    assert {(row["site"], row["resource_type"]) for row in rows} == {("zjk-1", "ascend-910b3")}


def test_the_index_of_the_storys_day_is_its_average_by_volume(call: Call, delivery: Delivery) -> None:
    days = table(call, "index", **{"from": "2026-05-01T00:00:00Z", "before": "2026-05-05T16:00:00Z"})["rows"]
    assert [(row["day"], row["price"], row["basis"], row["unit_hours"]) for row in days] == [
        ("2026-05-03", "9.636364", "traded", 528),
        ("2026-05-04", "9.636364", "carried", 0),
        ("2026-05-05", "9.636364", "carried", 0),
    ]
    assert {row["method"] for row in days} == {"daily-vwap/1"}


def run_round(story: Story) -> None:
    gates.close_due(now=at(GATE))
    round_ = Round.objects.get(market=story.market, scheduled_at=GATE)
    clear.clear_round(str(round_.id), {}, renew=lambda: None)
    settle.settle_round(str(round_.id), {}, renew=lambda: None)


def test_a_single_buyer_makes_no_index(call: Call, story: Story) -> None:
    cast.place_offer(story, story.huailai, story.huailai_cards, "8.00", quantity=4)
    cast.place_offer(story, story.zhangbei, story.zhangbei_cards, "8.00", quantity=4)
    for first in (8, 10, 12):
        cast.place_order(story.lanting, hourly(story, "9.00", first=first, last=first + 1, quantity_max=6))
    run_round(story)
    assert len(table(call, "trades")["rows"]) == 6
    assert table(call, "index")["rows"] == []


def test_prices_are_by_cell_and_hour_of_delivery(call: Call, delivery: Delivery) -> None:
    rows = table(call, "prices")["rows"]
    assert [row["starts_at"] for row in rows] == sorted(row["starts_at"] for row in rows)
    assert sum(row["traded_unit_hours"] for row in rows) == 528
    asked = {"from": (D + 8 * HOUR).isoformat(), "before": (D + 9 * HOUR).isoformat()}
    (noon,) = table(call, "prices", **asked)["rows"]
    assert noon["price"] == "10.000000"


def order_something(story: Story) -> None:
    cast.place_order(story.qinghe, hourly(story, "8.80", first=20, last=24, quantity_max=1))


def test_csv_has_the_rows_of_json(call: Call, delivery: Delivery) -> None:
    order_something(delivery.story)
    spelled = {None: "", True: "true", False: "false"}
    for name in TABLES:
        rows = table(call, name)["rows"]
        assert rows, name
        shown = [
            {column: spelled[value] if value is None or value is True or value is False else str(value)}
            for row in rows
            for column, value in row.items()
        ]
        assert [{column: text} for row in csv_rows(call, name) for column, text in row.items()] == shown, name


def test_no_table_names_a_member_or_the_id_of_an_order_or_offer(call: Call, delivery: Delivery) -> None:
    order_something(delivery.story)
    for name in TABLES:
        text = json.dumps(table(call, name))
        for member in Organisation.objects.all():
            assert member.name not in text
            assert ids.spell("org", member.id) not in text
        assert not any(f"{prefix}_" in text for prefix in ("ord", "off", "org", "trd", "ctr"))


def test_what_has_not_changed_is_not_sent_again(call: Call, delivery: Delivery) -> None:
    addresses = [
        (name, f"/v1/market-data/ai-cards/{name}?format={spelling}") for name in TABLES for spelling in FORMATS
    ]
    seen = {}
    for _, address in addresses:
        first = APIClient().get(address)
        assert first["Cache-Control"] == "public, max-age=5"
        assert APIClient().get(address, headers={"If-None-Match": first["ETag"]}).status_code == 304
        seen[address] = first["ETag"]
    order_something(delivery.story)
    gates.close_due(now=at(GATE + 24 * HOUR))
    for name, address in addresses:
        again = APIClient().get(address, headers={"If-None-Match": seen[address]})
        # JSON knows its rows before they are sent; a stream knows that a round has moved.
        expected = 200 if name in {"rounds", "depth"} or address.endswith("csv") else 304
        assert again.status_code == expected, address


def test_a_question_that_cannot_be_read_is_refused_with_the_reason(call: Call, story: Story) -> None:
    for asked, parameter in (
        ({"format": "xml"}, "format"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-05-02T00:00:00Z", "before": "2026-05-01T00:00:00Z"}, "before"),
        ({"from": "2026-01-01T00:00:00Z", "before": "2026-12-01T00:00:00Z"}, "from"),
        ({"member": "x"}, "member"),
    ):
        refused = call(None, "get", "/v1/market-data/ai-cards/trades", **asked)
        assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (400, parameter)
    assert call(None, "get", "/v1/market-data/ai-cards/depth", **{"from": "2026-05-02T00:00:00Z"}).status_code == 400
    assert call(None, "get", "/v1/market-data/nowhere/depth").status_code == 404


def test_a_long_table_is_cut_in_json_and_whole_in_csv(
    call: Call, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "ROWS", 1)
    document = table(call, "trades")
    assert (len(document["rows"]), document["has_more"]) == (1, True)
    assert len(csv_rows(call, "trades")) > 1


def test_a_table_asks_the_same_queries_for_few_rows_and_many(call: Call, story: Story) -> None:
    cast.place_offer(story, story.huailai, story.huailai_cards, "8.00", quantity=2)
    cast.place_order(story.lanting, hourly(story, "9.00", quantity_max=1, first=8, last=9))

    def queries() -> list[int]:
        counts = []
        for name in TABLES:
            with CaptureQueriesContext(connection) as captured:
                table(call, name)
            counts.append(len(captured))
        return counts

    run_round(story)
    few = queries()
    for rest in range(3):
        cast.place_offer(story, story.zhangbei, story.zhangbei_cards, f"8.{rest + 1}0", quantity=4, first=18)
        cast.place_order(story.qinghe, hourly(story, "9.50", quantity_max=2, first=18 + rest, last=19 + rest))
    assert queries() == few


def test_pages_show_a_market_to_visitors_with_its_index_drawn(delivery: Delivery) -> None:
    visitor = Client()
    listed = visitor.get("/market-data").content.decode()
    assert 'href="/market-data/ai-cards"' in listed
    page = visitor.get("/market-data/ai-cards").content.decode()
    assert "daily-vwap/1" in page
    assert "9.636364 CNY" in page
    assert '<path class="series"' in page
    assert "/v1/market-data/ai-cards/trades?format=csv" in page
    assert "Beichen" not in page
    assert visitor.get("/market-data/nowhere").status_code == 404


def test_a_market_without_anything_has_a_page(story: Story) -> None:
    page = Client().get("/market-data/ai-cards").content.decode()
    assert "No day has enough trades for an index yet." in page
    assert "Nothing is offered or wanted for these hours." in page
