"""The bound as an outsider computes it: never below the optimum, and what the engine's own certificate says."""

from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks.books import recipe, tiny
from benchmarks.books.dice import Dice
from benchmarks.clearing.reference import Enumeration, Prices, TooLarge
from exchange.clearing import engine, parsing, proof
from exchange.clearing.book import Attributes, Book, Cell, Offer, Order, OrderKind
from exchange.clearing.needs import satisfies
from exchange.clearing.verify_claim import Run
from tests.exchange.clearing.cast import story


def prices_of(book: Book, dice: Dice) -> dict[str, list[Run]]:
    """Draw prices slot by slot, with gaps, also where nothing is on offer."""
    highest = max((order.limit for order in book.orders), default=0) + 1
    return {
        cell.id: [Run(slot, slot + 1, dice.below(highest)) for slot in range(-1, 8) if dice.chance(80)]
        for cell in book.cells
    }


def slow_bound(book: Book, prices: dict[str, list[Run]]) -> int:
    """Compute the bound slot by slot and start by start."""
    price = {(cell, slot): run.price for cell, runs in prices.items() for run in runs for slot in range(run.t0, run.t1)}
    capacity: dict[tuple[str, int], int] = {}
    for offer in book.offers:
        for slot in range(offer.t0, offer.t1):
            capacity[offer.cell, slot] = capacity.get((offer.cell, slot), 0) + offer.qty
    total = sum(
        offer.qty * max(0, price.get((offer.cell, slot), 0) - offer.reserve)
        for offer in book.offers
        for slot in range(offer.t0, offer.t1)
    )
    for order in book.orders:
        cells = [cell.id for cell in book.cells if satisfies(cell.attributes, order.needs)]
        if order.is_block:
            starts = range(order.earliest, order.latest - order.hours + 1, book.grid)
            total += max([0, *(slow_block(order, cells, start, price, capacity) for start in starts)])
            continue
        for slot in range(order.earliest, order.latest):
            lots = [
                order.limit - price.get((cell, slot), 0)
                for cell in cells
                for _ in range(min(order.qmax, capacity.get((cell, slot), 0)))
            ]
            total += sum(gain for gain in sorted(lots, reverse=True)[: order.qmax] if gain > 0)
    return total


def slow_block(
    order: Order,
    cells: list[str],
    start: int,
    price: dict[tuple[str, int], int],
    capacity: dict[tuple[str, int], int],
) -> int:
    lots: dict[str, list[int]] = {}
    for cell in cells:
        run = [(cell, slot) for slot in range(start, start + order.hours)]
        gain = order.limit * order.hours - sum(price.get(slot, 0) for slot in run)
        lots[cell] = [gain] * min(order.qmax, *(capacity.get(slot, 0) for slot in run))
    choices = list(lots.values()) if order.single_site else [[gain for row in lots.values() for gain in row]]
    best = 0
    for choice in choices:
        ordered = sorted(choice, reverse=True)
        best = max([best, *(sum(ordered[:n]) for n in range(order.qmin, min(order.qmax, len(ordered)) + 1))])
    return best


@given(st.sampled_from(tiny.FAMILIES), st.integers(0, 10**6))
def test_it_is_the_bound_that_counting_slot_by_slot_gives(family: str, seed: int) -> None:
    book = tiny.book(family, seed)
    prices = prices_of(book, Dice(seed))
    assert proof.upper_bound(book, prices) == slow_bound(book, prices)


@given(st.sampled_from(tiny.FAMILIES), st.integers(0, 10**6))
def test_no_allocation_is_worth_more(family: str, seed: int) -> None:
    book = tiny.book(family, seed)
    try:
        best = Enumeration(book).best(Prices.FREE)
    except TooLarge:
        return
    assert best is not None
    assert proof.upper_bound(book, prices_of(book, Dice(seed))) >= best


@given(st.sampled_from(tiny.FAMILIES), st.integers(0, 10**6))
def test_the_engines_vectors_prove_what_the_engine_claims(family: str, seed: int) -> None:
    book = tiny.book(family, seed)
    certificate = engine.clear(book).certificate
    for vector in (certificate.settlement, certificate.duals):
        runs = {cell: [Run(run.t0, run.t1, run.price) for run in of_cell] for cell, of_cell in vector.prices.items()}
        assert proof.upper_bound(book, runs) <= vector.bound


@given(st.integers(1, 10**6), st.booleans(), st.integers(1, 3))
@example(1, True, 2)
def test_of_very_many_starts_only_those_next_to_an_edge_are_looked_at(seed: int, single: bool, grid: int) -> None:
    dice = Dice(seed)
    hours = grid * dice.between(1, 4)
    last = grid * 60
    book = parsing.make_book(
        cells=[Cell("a", "s", Attributes()), Cell("b", "s", Attributes())],
        offers=[
            Offer("o", "p", "a", 0, last, dice.between(1, 5), 1, 1),
            Offer("q", "p", "b", grid * dice.between(1, 9), grid * 50, dice.between(1, 5), 2, 2),
        ],
        orders=[
            Order("x", "u", 3, OrderKind.BLOCK, 6, 20, 0, last, qmin=2, hours=hours, single_site=single),
        ],
        grid=grid,
    )
    prices = {"a": [Run(0, 7, dice.below(30)), Run(7, 20, dice.below(30))], "b": [Run(3, 41, dice.below(30))]}
    assert proof.upper_bound(book, prices) == slow_bound(book, prices)


def test_windows_of_a_million_years_cost_nothing() -> None:
    ages = 10**10
    book = parsing.make_book(
        cells=[Cell("a", "s", Attributes())],
        offers=[Offer("o", "p", "a", -ages, ages, 3, 1, 1)],
        orders=[
            Order("x", "u", 2, OrderKind.BLOCK, 3, 5, -ages, ages, qmin=1, hours=4),
            Order("y", "u", 3, OrderKind.HOURLY, 1, 2, -ages, ages),
        ],
    )
    assert proof.upper_bound(book, {"a": [Run(0, 10, 9)]}) == 3 * 10 * 8 + 3 * 4 * 5 + (2 * ages - 10) * 2


def test_a_book_without_anything_is_worth_nothing() -> None:
    assert proof.upper_bound(parsing.make_book(cells=[], offers=[], orders=[]), {}) == 0


def test_the_story_and_a_realistic_book_are_proven_by_their_own_certificates() -> None:
    for book in (story(), recipe.book(recipe.Size(orders=60, offers=12, slots=48, grid=4), 3)):
        certificate = engine.clear(book).certificate
        proven = [
            proof.upper_bound(book, {c: [Run(r.t0, r.t1, r.price) for r in runs] for c, runs in vector.prices.items()})
            for vector in (certificate.settlement, certificate.duals)
        ]
        assert min(proven) == certificate.bound
