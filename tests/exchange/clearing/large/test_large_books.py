"""Books on arrays: the same mechanism as on objects, compared with it and with enumeration."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.books import adversarial, recipe, tiny
from benchmarks.books.dice import Dice
from benchmarks.clearing.reference import Enumeration, Prices, TooLarge
from exchange.clearing import certificate, engine, model, verify
from exchange.clearing.book import Book
from exchange.clearing.engine import Result
from exchange.clearing.large import certificate as large_certificate
from exchange.clearing.large import division, neighbourhoods
from exchange.clearing.large import market as markets
from exchange.clearing.large import program as programs
from exchange.clearing.large.cuts import Cutter
from exchange.clearing.large.market import Market
from exchange.clearing.large.neighbourhoods import Answer, Batch, Effort
from exchange.clearing.large.program import Part
from exchange.clearing.large.search import QUICK, Search
from exchange.clearing.large.search import Limits as LargeLimits
from exchange.clearing.large.state import State
from exchange.clearing.limits import DEFAULT
from exchange.clearing.solver import Highs

ON_ARRAYS = replace(DEFAULT, large_orders=0)
FAMILIES = st.sampled_from(tiny.FAMILIES)
# Their demand is not convex, so that strict prices need not exist for the best allocation.
CONVEX = [family for family in tiny.FAMILIES if family not in {"budgets", "single_hourly"}]


def clear(book: Book) -> Result:
    """Clear a book of any size on arrays."""
    return engine.clear(book, limits=ON_ARRAYS, large_limits=QUICK)


def built(book: Book) -> Market:
    """Return the arrays of a book that has to fit into them."""
    market = markets.build(book)
    assert market is not None
    return market


@given(FAMILIES, st.integers(0, 10**6))
def test_no_hard_rule_is_broken_and_no_welfare_is_claimed_beyond_the_optimum(family: str, seed: int) -> None:
    book = tiny.book(family, seed)
    try:
        best = Enumeration(book).best(Prices.LEGAL)
    except TooLarge:
        return
    result = clear(book)
    report = verify.verify(book, json.loads(result.outcome.canonical_bytes()))

    assert best is not None
    assert not report.hard
    assert result.outcome.welfare <= best <= result.outcome.bound


@pytest.mark.parametrize("family", CONVEX)
def test_prices_are_strict_and_the_welfare_close_to_the_best_that_strict_prices_allow(family: str) -> None:
    found = reached = required = 0
    for seed in range(30):
        book = tiny.book(family, seed)
        try:
            best = Enumeration(book).best(Prices.STRICT)
        except TooLarge:
            continue
        result = clear(book)
        assert result.strict, seed
        assert best is not None
        found += result.outcome.welfare
        required += best
        reached += result.outcome.welfare == best

    # Blocks are given up one by one here; the search with prices inside is for books of fewer orders.
    assert found >= 0.97 * required
    assert reached >= 25


@given(FAMILIES, st.integers(0, 10**6))
def test_the_choices_of_blocks_are_those_of_the_objects(family: str, seed: int) -> None:
    book = tiny.book(family, seed)
    if markets.build(book) is None:
        return
    market, objects = built(book), model.build(book, slotwise=False)
    runs = market.runs
    every = {
        (int(runs.order[run]), _slot(market, runs.first[run]), market.cells[cell], int(cap))
        for run, cell, cap in zip(market.every.run, market.every.cell, market.every.cap, strict=True)
        if not market.orders.single_site[runs.order[run]] or cap >= market.orders.qmin[runs.order[run]]
    }
    groups = market.groups
    kept = {
        (int(groups.order[group]), _slot(market, groups.first[group]), market.cells[cell], int(cap))
        for group, cell, cap in zip(groups.group, groups.cell, groups.cap, strict=True)
    }
    known = {
        (group.order, objects.periods[group.first].t0, alternative.cell, alternative.cap)
        for group in objects.every_group
        for alternative in group.alternatives
    }
    worthwhile = {
        (group.order, objects.periods[group.first].t0, alternative.cell, alternative.cap)
        for group in objects.groups
        for alternative in group.alternatives
    }

    assert known <= every
    assert kept <= worthwhile


def _slot(market: Market, period: int) -> int:
    return int(market.axis.begin[period])


@given(FAMILIES, st.integers(0, 10**6))
def test_any_prices_prove_the_same_bound_as_on_objects(family: str, seed: int) -> None:
    book, dice = tiny.book(family, seed), Dice(seed)
    if markets.build(book) is None:
        return
    market, objects = built(book), model.build(book, slotwise=False)
    spans = [(period.t0, period.t1) for period in objects.periods]
    if spans != list(zip(market.axis.begin.tolist(), market.axis.end.tolist(), strict=True)):
        return  # starts that no compatible cell could serve cut the axis finer here
    cheapest = market.stacks.reserve[:, :, 0]
    highest = max(order.limit for order in book.orders) + 1
    prices = cheapest + np.array([[dice.below(highest) for _ in row] for row in cheapest], dtype=np.int64)
    period_of = {period.t0: place for place, period in enumerate(objects.periods)}
    same = {
        (market.cells[cell], period_of[_slot(market, period)]): int(prices[cell, period])
        for cell, period in zip(*np.nonzero(market.stacks.capacity), strict=True)
    }

    assert large_certificate.upper_bound(market, prices) == certificate.upper_bound(objects, same)


@pytest.mark.parametrize("name", sorted(adversarial.FAMILIES))
def test_adversarial_books_are_cleared_legally(name: str) -> None:
    book = adversarial.FAMILIES[name](12, 3)
    result = clear(book)

    assert not verify.verify(book, json.loads(result.outcome.canonical_bytes())).hard
    assert result.outcome.welfare <= result.outcome.bound


def test_a_book_beyond_64_bits_goes_the_way_of_arbitrary_integers() -> None:
    book = adversarial.maximum_limits(6, 1)

    assert markets.build(book) is None
    assert clear(book).stats.to_document()["method"] != "neighbourhoods"


@pytest.fixture(scope="module")
def realistic() -> Book:
    """A book of 500 orders, which the default limits clear on arrays."""
    return recipe.book(recipe.Size(orders=500, offers=60, slots=48, grid=4), 5)


def test_a_realistic_book_is_cleared_strictly_and_close_to_its_proven_bound(realistic: Book) -> None:
    result = engine.clear(realistic, large_limits=QUICK)

    assert result.strict
    assert not result.degraded
    # The bound is that of the relaxation, several percent above the integer optimum of a book this small.
    assert result.outcome.welfare >= 0.92 * result.outcome.bound
    assert result.outcome.welfare > 0


def test_who_computes_the_batches_of_a_wave_and_when_changes_no_byte(realistic: Book) -> None:
    solver, market = Highs(), built(realistic)

    def backwards(state: State, batches: Sequence[Batch], effort: Effort) -> list[Answer | None]:
        answers = [neighbourhoods.solve(market, state, batch, effort, solver) for batch in reversed(batches)]
        return answers[::-1]

    limits = LargeLimits(waves=(Effort(choices=60, reach=0.2),) * 3, larger=(), whole_binaries=0)
    here = engine.clear(realistic, large_limits=limits)
    there = engine.clear(realistic, large_limits=limits, run=backwards)
    shuffled = engine.clear(
        replace(realistic, orders=realistic.orders[::-1], offers=realistic.offers[::-1]), large_limits=limits
    )

    assert here.outcome.canonical_bytes() == there.outcome.canonical_bytes() == shuffled.outcome.canonical_bytes()


def test_batches_of_a_wave_share_no_cell_no_block_and_no_room_of_an_hourly_order(realistic: Book) -> None:
    market = built(realistic)
    waves: list[Sequence[Batch]] = []

    def watch(state: State, batches: Sequence[Batch], effort: Effort) -> list[Answer | None]:
        waves.append(batches)
        return [None for _ in batches]

    limits = LargeLimits(waves=(Effort(choices=60, reach=0.2),), larger=(), whole_binaries=0)
    Search(market, Highs(), limits, watch).run()
    batches = waves[0]
    assert len(batches) > 3
    order = market.groups.order[market.groups.group]
    blocks = [set(order[batch.alternatives].tolist()) for batch in batches]
    cells = [
        {*market.groups.cell[batch.alternatives].tolist(), *market.hourly.cell[batch.choices].tolist()}
        for batch in batches
    ]
    assert sum(map(len, blocks)) == len(set().union(*blocks))
    assert sum(map(len, cells)) == len(set().union(*cells))
    room: dict[tuple[int, int], int] = {}
    for batch in batches:
        own = {
            (int(market.hourly.order[choice]), int(market.hourly.period[choice])): int(most)
            for choice, most in zip(batch.choices, batch.most, strict=True)
        }
        for key, most in own.items():
            room[key] = room.get(key, 0) + most
    assert all(most <= market.orders.qmax[buyer] for (buyer, _), most in room.items())


def test_the_core_is_one_batch_without_the_blocks_that_run_as_relaxed_and_gains(realistic: Book) -> None:
    market, solver = built(realistic), Highs()
    waves: list[tuple[State, Sequence[Batch], list[Answer | None]]] = []

    def watch(state: State, batches: Sequence[Batch], effort: Effort) -> list[Answer | None]:
        waves.append(
            (state, batches, [neighbourhoods.solve(market, state, batch, effort, solver) for batch in batches])
        )
        return waves[-1][2]

    program = programs.build(Part(market, market.groups, market.hourly, market.stacks.lots), integral=False)
    solution = solver.relaxation(program.arrays).solve()
    relaxed = np.asarray(solution.values)[program.lots]
    limits = LargeLimits(waves=(Effort(core=True, reach=0.0),), larger=(), whole_binaries=0, cuts=0, repairs=0)
    Search(market, solver, limits, watch).run()
    state, batches, answers = waves[0]
    order = market.groups.order[market.groups.group]
    agreed = {int(own) for own in np.unique(order) if (np.abs(relaxed - state.lots)[order == own] < 1e-6).all()}

    assert len(batches) == 1
    moved = set(order[batches[0].alternatives].tolist())
    assert moved
    assert agreed & set(order[state.lots > 0].tolist())
    assert not moved & agreed
    assert answers[0] is not None
    after = neighbourhoods.merged(state, answers)
    assert after.is_feasible
    assert after.welfare == state.welfare + answers[0].gain > state.welfare


@given(st.integers(0, 10**6))
def test_the_division_of_the_rest_is_worth_what_the_obvious_one_is(seed: int) -> None:
    book = tiny.book("crowded", seed)
    hourly = replace(book, orders=tuple(order for order in book.orders if not order.is_block))
    if not hourly.orders:
        return
    market = built(hourly)
    state = division.Divider(market, Highs()).divide(np.zeros(len(market.groups.cell), dtype=np.int64))
    best = Enumeration(hourly).best(Prices.FREE)

    assert state.is_feasible
    assert state.welfare == best


def test_among_equal_limits_the_earlier_order_is_served() -> None:
    book = adversarial.all_ties(30, 2)
    hourly = replace(book, orders=tuple(order for order in book.orders if not order.is_block))
    market = built(hourly)
    state = division.Divider(market, Highs()).divide(np.zeros(len(market.groups.cell), dtype=np.int64))
    got = np.zeros((len(hourly.orders), len(market.axis.begin)), dtype=np.int64)
    np.add.at(got, (market.hourly.order, market.hourly.period), state.fills)
    choices: dict[tuple[int, int], set[int]] = defaultdict(set)
    for buyer, period, cell in zip(market.hourly.order, market.hourly.period, market.hourly.cell, strict=True):
        choices[int(buyer), int(period)].add(int(cell))
    for (late, period), cells in choices.items():
        for early in range(late):
            same = choices.get((early, period)) == cells and hourly.orders[early].limit == hourly.orders[late].limit
            if same and got[late, period]:
                assert got[early, period] == hourly.orders[early].qmax


def test_stats_tell_what_each_wave_reached(realistic: Book) -> None:
    found = Search(built(realistic), Highs(), QUICK)
    found.run()

    assert found.stats.waves == sorted(found.stats.waves)
    assert found.stats.waves[-1] <= found.stats.relaxation * (1 + 1e-6)


@given(FAMILIES, st.integers(0, 10**6))
def test_cuts_take_away_no_whole_allocation(family: str, seed: int) -> None:
    book = tiny.book(family, seed)
    try:
        best = Enumeration(book, combinations=2_000).best(Prices.LEGAL)
    except TooLarge:
        return
    market = markets.build(book)
    if not best or market is None:
        return
    program = programs.build(Part(market, market.groups, market.hourly, market.stacks.lots), integral=False)
    relaxation, cutter = Highs().relaxation(program.arrays), Cutter(program)
    solution = relaxation.solve()
    for _ in range(5):
        values = solution.within(program.arrays)
        assert values is not None
        rows = cutter.cuts(values)
        if rows is None:
            break
        relaxation.add_rows(rows)
        sharper = relaxation.solve()
        assert sharper.objective <= solution.objective + 1e-6 * abs(solution.objective)
        solution = sharper

    assert solution.objective * program.unit >= best - 1e-6 * abs(best) - 1
