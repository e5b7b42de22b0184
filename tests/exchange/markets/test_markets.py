"""Opening, suspending and resuming markets."""

from collections.abc import Callable

import pytest

from accounts.actors.errors import NotAllowed
from accounts.foundation import ids
from exchange.markets import queries
from exchange.markets import services as markets
from exchange.markets.errors import MarketExists, MarketMoveRefused, MarketRulesInvalid, MarketSuspended, MarketUnknown
from exchange.markets.models import Market
from tests.catalog.cast import listed_offering
from tests.exchange import cast
from tests.exchange.cast import NOW, TERMS, Story


def test_a_market_keeps_the_terms_it_was_opened_with(story: Story) -> None:
    assert queries.by_code("ai-cards").terms == TERMS
    assert queries.trading(story.market.id) == story.market


def test_a_code_is_taken_once(story: Story) -> None:
    with pytest.raises(MarketExists):
        cast.make_market(story.operator)


def test_contradicting_rules_open_no_market(story: Story) -> None:
    with pytest.raises(MarketRulesInvalid) as refused:
        cast.make_market(story.operator, "odd", no_cancel_seconds=86_400, grid_slots=7)
    assert {problem.pointer for problem in refused.value.problems} == {"/no_cancel_seconds", "/grid_slots"}
    assert Market.objects.count() == 1


def test_only_the_operator_opens_and_suspends(story: Story) -> None:
    with pytest.raises(NotAllowed):
        cast.make_market(story.huailai, "mine")
    with pytest.raises(NotAllowed):
        markets.suspend(story.huailai, story.market.id, reason="mine", now=NOW)


def test_a_market_is_suspended_and_resumed_but_not_twice(story: Story) -> None:
    markets.suspend(story.operator, story.market.id, reason="odd prices", now=NOW)
    with pytest.raises(MarketSuspended):
        queries.trading(story.market.id)
    with pytest.raises(MarketMoveRefused):
        markets.suspend(story.operator, story.market.id, reason="again", now=NOW)
    markets.resume(story.operator, story.market.id, reason="checked", now=NOW)
    assert queries.trading(story.market.id).status == "open"


def test_an_unknown_market_is_not_found(story: Story) -> None:
    asked: list[Callable[[], object]] = [
        lambda: queries.by_code("nothing"),
        lambda: queries.trading(ids.new_id()),
        lambda: markets.suspend(story.operator, ids.new_id(), reason="odd", now=NOW),
    ]
    for ask in asked:
        with pytest.raises(MarketUnknown):
            ask()


def test_the_market_trades_listed_offerings_of_its_class_and_unit(story: Story) -> None:
    assert set(queries.listed_offerings(story.market)) == {story.huailai_cards, story.zhangbei_cards}
    machines = listed_offering(
        story.operator, story.huailai, story.huailai_cards.site, resource_type="ascend-910b3-x8", name="Machine"
    )
    assert machines not in queries.listed_offerings(story.market)
    assert not queries.trades(story.market, machines)
    assert queries.trades(story.market, story.huailai_cards)
