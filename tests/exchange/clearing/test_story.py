"""The market day that everybody refers to, number by number."""

from exchange.clearing import engine
from exchange.clearing.outcome import PriceRun, Trade
from tests.exchange.clearing.cast import YUAN, ZHANGJIAKOU, story


def test_the_story_clears_at_nine_by_night_and_ten_by_day() -> None:
    outcome = engine.clear(story()).outcome

    assert outcome.prices == {
        ZHANGJIAKOU: (PriceRun(0, 8, 9 * YUAN), PriceRun(8, 20, 10 * YUAN), PriceRun(20, 24, 9 * YUAN))
    }


def test_the_story_hands_the_cheap_cards_to_the_block_and_the_dear_ones_to_the_hours() -> None:
    outcome = engine.clear(story()).outcome

    assert outcome.trades == (
        Trade("B1", "S1", 0, 8, 16, 9 * YUAN),
        Trade("B1", "S1", 8, 20, 16, 10 * YUAN),
        Trade("B1", "S1", 20, 24, 16, 9 * YUAN),
        Trade("B2", "S2", 8, 20, 12, 10 * YUAN),
    )


def test_the_story_is_worth_1872_yuan_and_proves_that_nothing_is_worth_more() -> None:
    result = engine.clear(story())

    assert result.outcome.welfare == 1_872_000_000
    assert result.outcome.bound == 1_872_000_000
    assert result.certificate.duals.bound == 1_872_000_000


def test_the_story_leaves_nobody_discontent() -> None:
    result = engine.clear(story())

    assert result.strict
    assert not result.degraded
    assert result.residuals == ()
    assert result.rejected_blocks == ()
