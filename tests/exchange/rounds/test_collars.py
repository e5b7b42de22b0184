"""The collar of a kind: around what was last traded, inside the market's bounds, asked of what is new."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from exchange.markets import rules
from exchange.offers import services as offers
from exchange.offers.errors import OfferInvalid
from exchange.orders import services as orders
from exchange.orders.errors import OrderInvalid
from exchange.rounds import collars
from exchange.rounds.models import Round, RoundPrice
from exchange.rounds.rules import RoundStatus
from tests.exchange import cast
from tests.exchange.cast import (
    GATE,
    HOUR,
    NOW,
    TERMS,
    D,
    Story,
    hourly,
    micros,
    offer_spec,
    place_offer,
    place_order,
)

Call = Callable[..., Any]


@given(
    reference=st.integers(1, 10**9), percent=st.integers(1, 1_000), tick=st.sampled_from([1, 1_000, 10_000, 250_000])
)
def test_a_collar_is_the_ticks_within_the_per_cent_and_the_bounds(reference: int, percent: int, tick: int) -> None:
    terms = replace(TERMS, tick_micros=tick, collar_min_micros=tick, collar_max_micros=tick * 4_000)
    lowest, highest = rules.collar(terms, reference, percent=percent)
    taken = [
        price
        for price in range(terms.collar_min_micros, terms.collar_max_micros + 1, tick)
        if abs(price - reference) * 100 <= percent * reference
    ]
    assert (lowest, highest) == ((taken[0], taken[-1]) if taken else (tick, tick * 4_000))


@pytest.fixture
def collared(story: Story) -> Story:
    """The story in a market whose collar is 20 per cent, where a round has traded 12 hours at 9 and 36 at 10."""
    market = cast.make_market(story.operator, "collared", collar_percent=20)
    published(market, "zjk-1/ascend-910b3/roce", [("9.00", 12), ("10.00", 36)])
    return cast.Story(**{**vars(story), "market": market})


def published(market: Any, cell: str, prices: list[tuple[str, int]], *, at: Any = NOW - HOUR) -> None:
    # As publishing writes them; what is tested here only reads them.
    row = Round.objects.create(
        market=market,
        scheduled_at=at - HOUR,
        locks_at=at - HOUR,
        status=RoundStatus.OPEN,
        rules_version=1,
        created_at=at - HOUR,
    )
    RoundPrice.objects.bulk_create(
        RoundPrice(
            round=row,
            market=market,
            cell=cell,
            starts_at=D + n * HOUR,
            ends_at=D + (n + 1) * HOUR,
            price_micros=micros(price),
            traded_unit_hours=hours,
            published_at=at,
        )
        for n, (price, hours) in enumerate(prices)
    )


def test_the_reference_is_what_the_last_round_to_trade_the_kind_traded(collared: Story) -> None:
    market = collared.market
    (collar,) = collars.collars(market, now=NOW)
    # (9 x 12 + 10 x 36) / 48 = 9.75, and a fifth around it on ticks of a fen.
    assert (collar.reference_micros, collar.lowest_micros, collar.highest_micros) == (
        micros("9.75"),
        micros("7.80"),
        micros("11.70"),
    )
    published(market, "zjk-1/ascend-910b3/roce", [("12.00", 4), ("99.00", 0)], at=NOW)
    assert collars.collars(market, now=NOW)[0].reference_micros == micros("12.00")
    assert collars.collars(market, now=NOW + 8 * 24 * HOUR) == [], "what is older than a week is no reference"
    assert collars.collars(collared.market, now=NOW, kinds=["h20"]) == []


def test_a_price_outside_the_collar_is_refused_with_the_range_and_one_inside_is_taken(collared: Story) -> None:
    for price in ("7.79", "11.71"):
        with pytest.raises(OrderInvalid) as refused:
            place_order(collared.beichen, hourly(collared, price, quantity_max=1))
        (problem,) = refused.value.problems
        assert problem.pointer == "/limit_price"
        assert "expected a price from 7.80 to 11.70 CNY" in problem.detail
        with pytest.raises(OfferInvalid) as declined:
            offers.place(
                collared.huailai, offer_spec(collared, collared.huailai_cards, price), now=NOW, lists_capacity=True
            )
        assert {problem.pointer for problem in declined.value.problems} == {"/reserve_price"}
    offer = place_offer(collared, collared.huailai, collared.huailai_cards, "7.80")
    order = place_order(collared.beichen, hourly(collared, "11.70", quantity_max=1))
    with pytest.raises(OfferInvalid):
        offers.amend(collared.huailai, offer.id, now=NOW, reserve_micros=micros("7.70"))
    with pytest.raises(OrderInvalid):
        orders.amend(collared.beichen, order.id, now=NOW, limit_micros=micros("12.00"))


def test_what_stands_in_the_book_keeps_its_price_when_the_reference_moves(collared: Story) -> None:
    offer = place_offer(collared, collared.huailai, collared.huailai_cards, "8.00")
    order = place_order(collared.beichen, hourly(collared, "11.00", quantity_max=1))
    published(collared.market, "zjk-1/ascend-910b3/roce", [("20.00", 1)], at=NOW)
    assert orders.amend(collared.beichen, order.id, now=NOW, quantity_max=2).limit_micros == micros("11.00")
    assert offers.amend(collared.huailai, offer.id, now=NOW, quantity=20 - 8).reserve_micros == micros("8.00")


def test_an_order_that_several_kinds_could_fill_may_say_what_any_of_them_allows(collared: Story) -> None:
    assert collars.terms_for(collared.market, ["ascend-910b3", "h20"], now=NOW) == collared.market.terms
    published(collared.market, "zjk-1/h20/ib", [("30.00", 8)], at=NOW - 2 * HOUR)
    terms = collars.terms_for(collared.market, ["ascend-910b3", "h20"], now=NOW)
    assert (terms.collar_min_micros, terms.collar_max_micros) == (micros("7.80"), micros("36.00"))


def test_a_preview_refuses_alike_and_everybody_sees_the_collars(call: Call, collared: Story) -> None:
    place_offer(collared, collared.huailai, collared.huailai_cards, "8.00")
    draft = {
        "market": "collared",
        "kind": "hourly",
        "quantity": 1,
        "earliest_at": D.isoformat(),
        "latest_at": (D + 2 * HOUR).isoformat(),
        "needs": {},
        "limit_price": "12.00",
    }
    refused = call(collared.beichen, "post", "/v1/orders/preview", draft)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "#/limit_price")
    assert call(collared.beichen, "post", "/v1/orders/preview", draft | {"limit_price": "11.70"}).status_code == 200
    (row,) = call(None, "get", "/v1/market-data/collared/collars").json()["rows"]
    assert (row["reference"], row["lowest"], row["highest"]) == ("9.750000", "7.800000", "11.700000")
    assert call(collared.beichen, "get", "/v1/markets/collared").json()["collar_percent"] == 20
    assert "within 20 per cent" in Client().get("/market-data/collared").content.decode()


def test_a_market_without_a_collar_asks_the_database_nothing(story: Story, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert collars.terms_for(story.market, ["ascend-910b3"], now=GATE) == story.market.terms
