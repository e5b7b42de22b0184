"""Gomory's cuts on programs small enough to enumerate: no whole point is cut off, and no bound is too low."""

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.books import tiny
from benchmarks.books.dice import Dice
from benchmarks.clearing.reference import Enumeration, Prices, TooLarge
from exchange.clearing.large import market as markets
from exchange.clearing.large import program as programs
from exchange.clearing.large.gomory import Amount, Gomory
from exchange.clearing.large.program import Part
from exchange.clearing.large.root import Root, Rounds
from exchange.clearing.large.tables import Floats
from exchange.clearing.solver import Arrays, Highs, Status

BINARIES, LOTS, MOST = 6, 2, 3


def small_program(seed: int) -> Arrays:
    """Return a maximisation over binaries and lots with rows of all kinds; nothing at all fits into it."""
    dice = Dice(seed)
    columns, rows = BINARIES + LOTS, dice.between(2, 5)
    matrix = np.array([[dice.between(-3, 7) for _ in range(columns)] for _ in range(rows)], dtype=float)
    matrix *= np.array([[dice.between(0, 2) > 0 for _ in range(columns)] for _ in range(rows)])
    lower, upper = np.full(rows, -np.inf), np.array([float(dice.between(1, 9)) for _ in range(rows)])
    for row in range(rows):
        kind = dice.between(0, 4)
        if kind == 0:
            lower[row], upper[row] = 0.0, np.inf
        elif kind == 1:
            lower[row], upper[row] = 0.0, 0.0
    row_of, column_of = np.nonzero(matrix)
    by_column = np.argsort(column_of, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(column_of, minlength=columns))])
    return Arrays(
        objective=np.array([float(dice.between(1, 20)) for _ in range(columns)]),
        upper=np.array([1.0] * BINARIES + [float(MOST)] * LOTS),
        integral=np.arange(columns) < BINARIES,
        row_lower=lower,
        row_upper=upper,
        start=start.astype(np.int32),
        index=row_of[by_column].astype(np.int32),
        value=matrix[row_of, column_of][by_column],
    )


def whole_points(arrays: Arrays) -> Floats:
    """Return every feasible point with whole binaries and lots in quarters."""
    quarters = [step / 4 for step in range(4 * MOST + 1)]
    points = np.array(list(product(*[(0.0, 1.0)] * BINARIES, *[quarters] * LOTS)))
    matrix = np.zeros((len(arrays.row_lower), len(arrays.objective)))
    column = np.repeat(np.arange(len(arrays.objective)), np.diff(arrays.start))
    matrix[arrays.index, column] = arrays.value
    activity = points @ matrix.T
    return points[((activity >= arrays.row_lower - 1e-9) & (activity <= arrays.row_upper + 1e-9)).all(axis=1)]


@given(st.integers(0, 10**6))
def test_no_whole_point_is_cut_off_and_the_vertex_is(seed: int) -> None:
    arrays = small_program(seed)
    points, relaxation, gomory = whole_points(arrays), Highs().relaxation(arrays), Gomory(arrays)
    best = (points @ arrays.objective).max()
    solution = relaxation.solve()
    for _ in range(6):
        assert solution.status is Status.OPTIMAL
        assert solution.objective >= best - 1e-6
        values = np.asarray(solution.values)
        rows = gomory.cuts(relaxation, values, amount=Amount())
        if rows is None:
            break
        for row, upper in enumerate(rows.upper):
            entries = slice(rows.start[row], rows.start[row + 1])
            reached = points[:, rows.index[entries]] @ rows.value[entries]
            assert reached.max() <= upper + 1e-6
            assert values[rows.index[entries]] @ rows.value[entries] > upper
            assert np.abs(rows.value[entries]).max() <= 1 + 1e-9
        relaxation.add_rows(rows)
        gomory.add(rows)
        solution = relaxation.solve()


def test_cuts_take_off_most_of_what_rounding_gains() -> None:
    gained = room = 0.0
    for seed in range(60):
        arrays = small_program(seed)
        relaxation, gomory = Highs().relaxation(arrays), Gomory(arrays)
        solution = first = relaxation.solve()
        room += first.objective - (whole_points(arrays) @ arrays.objective).max()
        for _ in range(6):
            rows = gomory.cuts(relaxation, np.asarray(solution.values), amount=Amount())
            if rows is None:
                break
            relaxation.add_rows(rows)
            gomory.add(rows)
            solution = relaxation.solve()
        gained += first.objective - solution.objective

    assert 0.5 * room < gained <= room + 1e-6


def test_no_more_cuts_and_no_longer_ones_than_asked_for() -> None:
    for seed in range(40):
        arrays = small_program(seed)
        relaxation = Highs().relaxation(arrays)
        values = np.asarray(relaxation.solve().values)
        rows = Gomory(arrays).cuts(relaxation, values, amount=Amount(kept=1, length=3))
        assert rows is None or (len(rows.upper) == 1 and len(rows.index) <= 3)


@given(st.sampled_from(tiny.FAMILIES), st.integers(0, 10**6))
def test_the_root_of_a_book_is_worth_no_less_than_its_best_allocation(family: str, seed: int) -> None:
    book = tiny.book(family, seed)
    try:
        best = Enumeration(book, combinations=2_000).best(Prices.LEGAL)
    except TooLarge:
        return
    market = markets.build(book)
    if best is None or market is None:
        return
    relaxed = programs.build(Part(market, market.groups, market.hourly, market.stacks.lots), integral=False)
    root = Root(relaxed, Highs())
    if not len(root.program.arrays.objective):
        return
    uncut = Highs().relaxation(root.program.arrays).solve().objective * root.program.unit
    assert root.sharpen(Rounds()) is not None

    assert best - 1e-6 * abs(best) - 1 <= root.bound <= uncut + 1e-6 * abs(uncut) + 1
