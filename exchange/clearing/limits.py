"""Where the search over books of few orders stops."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Where the search stops; counts only, never seconds."""

    large_orders: int = 400  # books of more orders are searched on arrays, if their sums fit into 64 bits
    exact_binaries: int = 6_000  # prices go into the program while it has at most so many integral columns
    without_gap: int = 1_500  # programs of at most so many integral columns are solved to the end
    # Nodes of one program times the square of its integral columns. Where budgets bind nothing but the program with
    # prices finds strict allocations at all of books that are too large to anneal, so it may take longer there.
    work: int = 300_000_000
    budget_work: int = 3_000_000_000
    nodes: int = 50_000
    gap: float = 2e-5  # relative, of larger programs
    program_binaries: int = 40_000  # above this even the root of a program takes minutes: insertions only
    program_lots: int = 500_000_000  # integers beyond this are no integers to the solver, which may never end
    # Where budgets bind or lots are many, programs with prices of more than ``quick_binaries`` integral columns are
    # slow and those of more than ``slow_binaries`` take minutes: books of few orders are annealed before. That answer
    # stands if it reaches ``near`` thousandths of the best welfare without prices, or is all that minutes could give.
    quick_binaries: int = 400
    slow_binaries: int = 800
    few_lots: int = 1_000
    near: int = 995
    annealed_orders: int = 100
    annealed_states: int = 40_000  # and at most 25 times the square of the orders
    passes: int = 5
    insertions: int = 2_000
    moves: int = 300  # of blocks among allocations of equal welfare
    # Strict prices are preferred to merely legal ones while they keep this share of the welfare, in percent.
    strict_share: int = 90
    divisible: bool = True  # books that fall apart into single products are matched without any search
    slots: int = 64  # books with at most so many slots on offer and few orders are solved slot by slot
    slotwise_orders: int = 40
    # Prices over a wider range are hard for floats to tell apart: then books of few orders that take few steps are
    # enumerated.
    float_ticks: int = 100_000
    enumerated_orders: int = 10
    enumeration_steps: int = 400_000


DEFAULT = Limits()
