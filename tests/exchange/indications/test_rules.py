"""What is indicated adds up to the outcome, cell by cell and order by order."""

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.books import tiny
from exchange.clearing import engine
from exchange.clearing.needs import satisfies
from exchange.indications import rules
from tests.exchange.clearing.cast import story


def test_the_story_says_who_would_be_filled_and_how_far_the_third_is_away() -> None:
    book = story()
    lines, odds = rules.indicate(book, engine.clear(book).outcome)
    by_limit = {each.limit: each for each in odds}
    assert (by_limit[12_500_000].filled, by_limit[11_000_000].filled, by_limit[9_000_000].filled) == (384, 144, 0)
    # Qinghe's 9.00 is 1.00 below the price of the day.
    assert by_limit[9_000_000].best_price == 10_000_000
    assert sum(line.matched for line in lines) == 528
    day = [line for line in lines if line.price == 10_000_000]
    assert [(line.spare, line.unmet) for line in day] == [(4 * 12, 0)]


@given(st.sampled_from(tiny.FAMILIES), st.integers(0, 10**6))
def test_lines_and_odds_add_up_to_the_trades(family: str, seed: int) -> None:
    book = tiny.book(family, seed)
    outcome = engine.clear(book).outcome
    lines, odds = rules.indicate(book, outcome)
    traded = sum(trade.qty * (trade.t1 - trade.t0) for trade in outcome.trades)
    assert sum(line.matched for line in lines) == sum(each.filled for each in odds) == traded
    assert [each.order for each in odds] == [order.id for order in book.orders]
    assert all(0 <= each.filled <= each.wanted for each in odds)
    assert all(min(line.matched, line.spare, line.unmet) >= 0 for line in lines)


@given(st.sampled_from(tiny.FAMILIES), st.integers(0, 10**6))
def test_the_best_price_is_the_cheapest_that_looking_everywhere_finds(family: str, seed: int) -> None:
    book = tiny.book(family, seed)
    outcome = engine.clear(book).outcome
    _, odds = rules.indicate(book, outcome)
    price = {
        (cell, slot): run.price
        for cell, runs in outcome.prices.items()
        for run in runs
        for slot in range(run.t0, run.t1)
    }
    for order, each in zip(book.orders, odds, strict=True):
        cells = [cell.id for cell in book.cells if satisfies(cell.attributes, order.needs)]
        if order.is_block:
            sums = [
                sum(price[cell, slot] for slot in range(start, start + order.hours))
                for cell in cells
                for start in range(order.earliest, order.latest - order.hours + 1)
                if all((cell, slot) in price for slot in range(start, start + order.hours))
            ]
            hours = order.hours
        else:
            hourly = [
                min(price[cell, slot] for cell in cells if (cell, slot) in price)
                for slot in range(order.earliest, order.latest)
                if any((cell, slot) in price for cell in cells)
            ]
            sums, hours = ([sum(hourly)] if hourly else []), len(hourly)
        assert each.best_price == (-(-min(sums) // hours) if sums else None)


def test_an_empty_book_indicates_nothing() -> None:
    book = tiny.book("mixed", 1)
    empty = type(book)((), (), (), {}, 1)
    assert rules.indicate(empty, engine.clear(empty).outcome) == ([], [])
