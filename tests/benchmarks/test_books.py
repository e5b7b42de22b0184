"""The published books: the same from their seeds, well formed, and as tight and as odd as they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.books import adversarial, published, recipe
from exchange.clearing import book as books
from exchange.clearing import parsing
from exchange.clearing.book import Book

# The others take a second or more each: ``python -m benchmarks.books check`` makes all of them.
QUICK = [name for name, book in published.every().items() if book.orders <= 2_000]


def checked(book: Book) -> Book:
    """Return the book as reading its document would give it."""
    return parsing.make_book(
        cells=book.cells, offers=book.offers, orders=book.orders, budgets=book.budgets, grid=book.grid
    )


@pytest.mark.parametrize("name", QUICK)
def test_a_published_book_still_has_its_digest(name: str) -> None:
    assert books.digest(published.every()[name].make()) == published.digests()[name]


def test_every_published_book_has_a_digest_and_no_digest_lacks_its_book() -> None:
    assert list(published.digests()) == list(published.every())


@pytest.mark.parametrize("name", [name for name in QUICK if name.endswith(("-40", "200x50x24-1h", "-4h"))])
def test_a_book_built_without_checks_is_the_book_that_checks_accept(name: str) -> None:
    book = published.every()[name].make()

    assert checked(book) == book


@given(
    st.integers(1, 60), st.integers(1, 20), st.sampled_from([(24, 1), (48, 4), (168, 24)]), st.integers(0, 2**63 - 1)
)
def test_a_realistic_book_of_any_size_and_seed_is_well_formed(
    orders: int, offers: int, shape: tuple[int, int], seed: int
) -> None:
    size = recipe.Size(orders, offers, shape[0], grid=shape[1], anywhere=20)
    book = recipe.book(size, seed)

    assert checked(book) == book
    assert (len(book.orders), len(book.offers)) == (orders, offers)


@given(st.sampled_from(sorted(adversarial.FAMILIES)), st.integers(1, 60), st.integers(0, 2**63 - 1))
def test_an_adversarial_book_of_any_size_and_seed_is_well_formed(family: str, orders: int, seed: int) -> None:
    book = adversarial.FAMILIES[family](orders, seed)

    assert checked(book) == book


def test_supply_is_scaled_to_the_tightness_in_whole_machines() -> None:
    book = published.every()["2000x200x48-4h"].make()
    wanted = sum(order.qmax * (order.hours or order.latest - order.earliest) for order in book.orders)
    offered = sum(offer.qty * (offer.t1 - offer.t0) for offer in book.offers)

    assert wanted / offered == pytest.approx(recipe.TIGHTNESS, rel=0.02)
    assert all(offer.qty % recipe.MACHINE == 0 for offer in book.offers)


def test_orders_come_in_the_shares_and_widths_of_the_recipe() -> None:
    orders = recipe.book(recipe.Size(4_000, 40, 48), 7).orders
    hourly = [order for order in orders if not order.is_block]
    fixed = [order for order in orders if order.single_site and order.latest - order.earliest == order.hours]
    flexible = [order for order in orders if order.is_block and order.latest - order.earliest > order.hours]

    assert len(hourly) / len(orders) == pytest.approx(0.35, abs=0.03)
    assert len(fixed) / len(orders) == pytest.approx(0.20, abs=0.03)
    assert len(flexible) / len(orders) == pytest.approx(0.20, abs=0.03)
    assert all(order.qmin == order.qmax for order in fixed)
    wide = [order for order in flexible if order.qmax > 1]
    assert sum(order.qmin == order.qmax for order in wide) / len(wide) == pytest.approx(0.5, abs=0.12)
    assert sum(order.qmax > 1 for order in fixed) / len(fixed) == pytest.approx(0.60, abs=0.06)
    assert sum(order.qmax > 1 for order in flexible) / len(flexible) == pytest.approx(0.35, abs=0.06)
    assert sum(order.qmax > 1 for order in hourly) / len(hourly) == pytest.approx(0.13, abs=0.04)
    assert max(order.latest - order.earliest for order in hourly) == recipe.LONGEST_HOURLY
