"""The search for the best allocation that admits prices: the strict ones first, the merely legal ones as a fallback.

The welfare program gives the best allocation of all; where it admits strict prices, that is the answer. Otherwise
small books are solved again with the prices inside the program, which is exact. Where that would take minutes, books of
few orders are annealed; larger ones go on by dropping the blocks that prices hurt, re-optimising, and putting back what
hurts nobody. Every candidate is rounded to integers and
judged in integers, whatever the solver said of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from exchange.clearing import allocation as allocations
from exchange.clearing import budgets, prices, pricing_program, ties
from exchange.clearing import program as programs
from exchange.clearing.allocation import Allocation, Divider, Placement
from exchange.clearing.annealing import Annealing, Choice
from exchange.clearing.book import Document
from exchange.clearing.enumeration import Enumeration, TooLarge
from exchange.clearing.limits import Limits
from exchange.clearing.model import Group, Market
from exchange.clearing.prices import Assessment
from exchange.clearing.program import Welfare
from exchange.clearing.solver import Solution, Solver, Status

# How far, relatively, a float optimum may lie above the integer welfare that stands for it.
OPTIMUM_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Candidate:
    """An allocation judged in integers."""

    allocation: Allocation
    assessment: Assessment
    welfare: int

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """Strict before legal before neither, then by welfare."""
        return self.assessment.is_strict, self.assessment.is_legal, self.welfare


@dataclass
class Stats:
    """What the search did, for the round's record."""

    method: str = "empty"
    programs: int = 0
    drops: int = 0
    insertions: int = 0
    limited: bool = False

    def to_document(self) -> Document:
        """Return the counts as JSON."""
        return {
            "method": self.method,
            "programs": self.programs,
            "drops": self.drops,
            "insertions": self.insertions,
        }


class Search:
    """One search over one market."""

    def __init__(self, market: Market, solver: Solver, limits: Limits) -> None:
        self.market = market
        self.solver = solver
        self.limits = limits
        self.stats = Stats()
        self.divider = Divider(market)
        # Nothing traded is a strict allocation, if a poor one.
        self.strict = self.legal = self._judge(Allocation())

    def run(self) -> Candidate:
        """Return the best candidate found; it is at least legal, because the empty allocation is."""
        found = self._with_even_trades(self._without_idle_blocks(self._find()))
        if found.allocation.placements and self.limits.moves:
            found = self._prefer_earlier(found)
        return found

    def _find(self) -> Candidate:
        welfare = programs.build(self.market)
        if not welfare.program.objective:
            return self.strict
        if welfare.ticks > self.limits.float_ticks and self._enumerate():
            return self.strict
        if (
            welfare.program.binaries > self.limits.program_binaries
            or max(welfare.program.upper) > self.limits.program_lots
        ):
            self.stats.method, self.stats.limited = "insertions", True
            self._drop_and_insert(None, {})
            self._anneal(self.best, {})
            return self.best
        solution = self._optimise(welfare)
        first = self._consider_answer(welfare, solution)
        self.stats.method = "welfare"
        if self._is_done(welfare, solution):
            return self.strict
        if self._search_with_prices(welfare, solution, first):
            return self.strict
        return self.best

    @property
    def best(self) -> Candidate:
        """The best strict candidate, or the best legal one if strictness would cost too much of the welfare.

        Only demand that is not convex (single-site hourly orders, budgets that bind) can make it cost that much.
        """
        worth = self.strict.welfare * 100 >= self.legal.welfare * self.limits.strict_share
        return self.strict if worth else self.legal

    def _enumerate(self) -> bool:
        """Try every allocation in integers; return whether the book was small enough for that."""
        if len(self.market.book.orders) > self.limits.enumerated_orders:
            return False
        try:
            allocation = Enumeration(self.market, self.limits.enumeration_steps).run()
        except TooLarge:
            return False
        self.stats.method = "enumeration"
        self._consider(self._judge(allocation))
        return True

    def _optimise(self, welfare: Welfare, *, presolve: bool = True) -> Solution:
        self.stats.programs += 1
        size = max(1, welfare.program.binaries)
        work = self.limits.budget_work if self.market.book.budgets and not self._has_few_orders else self.limits.work
        solution = self.solver.optimise(
            welfare.program,
            nodes=max(1, min(self.limits.nodes, work // size**2)),
            gap=0.0 if size <= self.limits.without_gap else self.limits.gap,
            presolve=presolve,
        )
        self.stats.limited |= solution.status is not Status.OPTIMAL
        return solution

    def _search_with_prices(self, welfare: Welfare, solution: Solution, first: Candidate | None) -> bool:
        """Search with the prices; return whether the best strict candidate may stand without a look at legal ones."""
        sites = _sites(welfare, solution)
        priced = pricing_program.build(self.market)
        slow = self._has_few_orders and self._is_slow(priced)
        if slow:
            self._anneal(first, sites)
            if self._is_near(welfare, solution):
                self.stats.method, self.stats.limited = "annealing", True
                return True
        enough = slow and priced.program.binaries > self.limits.slow_binaries and self.best is self.strict
        if not enough and self._solve_with_prices(priced):
            return True
        if self._has_few_orders and first is not None:
            self.stats.method, self.stats.limited = "annealing", True
            if not slow:
                self._anneal(first, sites)
            self._repair(first, sites)
            self._repair_legally(first, sites)
            self._insert_all(sites)
        else:
            self.stats.method = "drops"
            self._drop_and_insert(first, sites)
        return False

    @property
    def _has_few_orders(self) -> bool:
        """Return whether the book is small enough to anneal."""
        return len(self.market.book.orders) <= self.limits.annealed_orders

    def _is_slow(self, priced: Welfare) -> bool:
        """Return whether payments are what the program with prices would spend its time on."""
        program = priced.program
        most = max(
            (lots for lots, integral in zip(program.upper, program.integral, strict=True) if integral), default=0
        )
        capped = bool(self.market.book.budgets)
        return program.binaries > self.limits.quick_binaries and (capped or most > self.limits.few_lots)

    def _anneal(self, start: Candidate | None, sites: Mapping[int, int]) -> None:
        """Change a candidate at random, and repair where that ends."""
        states = min(self.limits.annealed_states, 25 * len(self.market.book.orders) ** 2)
        if start is None or not states or not self._has_few_orders:
            return
        choice = Choice({placement.order: placement for placement in start.allocation.placements}, sites)
        for state in Annealing(self.market).run(choice, states=states):
            candidate = self._judge(state.allocation)
            self._consider(candidate)
            self._repair(candidate, state.choice.sites)

    def _is_near(self, welfare: Welfare, solution: Solution) -> bool:
        """Return whether the best strict candidate is so close to the best one without prices that it may stand."""
        near = welfare.money(self.strict.welfare) * 1_000 >= solution.objective * self.limits.near
        return near and solution.status is Status.OPTIMAL and solution.fits(welfare.program)

    def _solve_with_prices(self, welfare: Welfare) -> bool:
        """Solve the program with prices inside; return whether it ended with an answer that stands in integers.

        HiGHS 1.15.1 has been seen to call a fractional point of this program optimal; without its presolve it did
        not. An answer that claims more than the integers show is asked for again that way.
        """
        if welfare.program.binaries > self.limits.exact_binaries:
            return False
        self.stats.method = "strict program"
        for presolve in (True, False):
            solution = self._optimise(welfare, presolve=presolve)
            self._consider_answer(welfare, solution)
            if self._is_done(welfare, solution):
                return solution.status is Status.OPTIMAL
            if solution.status is not Status.OPTIMAL:
                return False
        return False

    def _is_done(self, welfare: Welfare, solution: Solution) -> bool:
        """Return whether the best strict candidate is as good as the solver's answer claims to be."""
        reached = welfare.money(self.strict.welfare)
        claimed = solution.objective - OPTIMUM_TOLERANCE * (1 + abs(solution.objective))
        return solution.fits(welfare.program) and reached >= claimed

    def _consider_answer(self, welfare: Welfare, solution: Solution) -> Candidate | None:
        """Judge an answer as it stands and with its divisible rest re-optimised; return the better of the two."""
        if not solution.fits(welfare.program):
            return None
        raw = programs.allocation(welfare, solution.values)
        sites = _sites(welfare, solution)
        options = [self._judge(self.divider.complete(raw.placements, sites=sites))]
        if is_feasible(self.market, raw):
            options.append(self._judge(raw))
        for option in options:
            self._consider(option)
        return max(options, key=lambda option: option.rank)

    def _judge(self, allocation: Allocation) -> Candidate:
        return Candidate(
            allocation, prices.assess(self.market, allocation), allocations.welfare(self.market, allocation)
        )

    def _without_idle_blocks(self, found: Candidate) -> Candidate:
        """Return the candidate without the blocks that add nothing to its welfare, the latest given up first."""
        for placement in reversed(prices.unrewarded(self.market, found.allocation, found.assessment)):
            kept = tuple(other for other in found.allocation.placements if other is not placement)
            without = self._judge(self.divider.complete(kept, sites=self._sites_of(found)))
            if without.rank >= found.rank:
                found = without
        return found

    def _with_even_trades(self, found: Candidate) -> Candidate:
        """Return the candidate with hourly demand served wherever spare supply is within its limit, also at no gain."""
        sites = ties.spare_sites(self.market, found.assessment) | self._sites_of(found)
        served = self._judge(self.divider.complete(found.allocation.placements, sites=sites))
        return served if served.rank >= found.rank else found

    def _sites_of(self, found: Candidate) -> dict[int, int]:
        orders = self.market.book.orders
        return {order: cell for order, cell, _ in found.allocation.fills if orders[order].single_site}

    def _prefer_earlier(self, found: Candidate) -> Candidate:
        """Return an allocation of the same welfare and standing that favours earlier orders, starts and cells."""
        best = [found]
        sites = self._sites_of(found)

        def attempt(placements: tuple[Placement, ...]) -> bool:
            if not allocations.fits(self.market, placements):
                return False
            candidate = self._judge(self.divider.complete(placements, sites=sites))
            same = candidate.rank == found.rank
            if same:
                best.append(candidate)
            return same

        ties.prefer_earlier(self.market, lambda: best[-1].allocation.placements, attempt, moves=self.limits.moves)
        return best[-1]

    def _consider(self, candidate: Candidate) -> None:
        if candidate.assessment.is_strict and candidate.welfare > self.strict.welfare:
            self.strict = candidate
        if candidate.assessment.is_legal and candidate.welfare > self.legal.welfare:
            self.legal = candidate

    def _drop_and_insert(self, first: Candidate | None, sites: Mapping[int, int]) -> None:
        """Exclude the worst-hurt block and solve again, a few times; repair each answer by drops and insertions."""
        excluded: list[Group] = []
        candidate = first
        for _ in range(self.limits.passes):
            if candidate is None:
                break
            self._repair(candidate, sites)
            self._repair_legally(candidate, sites)
            losses = candidate.assessment.hurt_at_lo
            if candidate.assessment.is_strict or not losses:
                break
            excluded.append(_worst(losses).group)
            groups = [group for group in self.market.groups if group not in excluded]
            welfare = programs.build(self.market, groups=groups)
            solution = self._optimise(welfare)
            candidate = self._consider_answer(welfare, solution)
            sites = _sites(welfare, solution)
        self._repair(self._judge(self.divider.complete((), sites=sites)), sites)
        self._insert_all(sites)

    def _repair(self, candidate: Candidate, sites: Mapping[int, int]) -> None:
        """Drop the worst-hurt block until nobody is hurt; then bar hourly orders of buyers beyond their budget."""
        barred: frozenset[int] = frozenset()
        while not candidate.assessment.is_strict:
            victim = self._victim(candidate, barred)
            if victim is None:
                break
            if isinstance(victim, Placement):
                kept = tuple(other for other in candidate.allocation.placements if other is not victim)
            else:
                kept, barred = candidate.allocation.placements, barred | {victim}
            self.stats.drops += 1
            candidate = self._judge(self.divider.complete(kept, sites=sites, barred=barred))
            self._consider(candidate)

    def _repair_legally(self, candidate: Candidate, sites: Mapping[int, int]) -> None:
        """Give up only what loses, or cannot be paid, at the lowest legal prices: the merely legal answer."""
        while not candidate.assessment.is_legal:
            losses = candidate.assessment.hurt_at_pi_min
            if losses:
                victim = _worst(losses)
                kept = tuple(other for other in candidate.allocation.placements if other is not victim)
                candidate = self._judge(self.divider.complete(kept, sites=sites))
            else:
                candidate = self._judge(budgets.affordable(self.market, candidate.allocation, candidate.assessment))
            self.stats.drops += 1
        self._consider(candidate)

    def _victim(self, candidate: Candidate, barred: frozenset[int]) -> Placement | int | None:
        assessment = candidate.assessment
        if assessment.hurt_at_lo:
            return _worst(assessment.hurt_at_lo)
        orders = self.market.book.orders
        for buyer in assessment.over_budget_at_lo:
            own = [place for place in candidate.allocation.placements if orders[place.order].buyer == buyer]
            if own:
                return own[-1]
            hourly = {order for order, _, _ in candidate.allocation.fills if orders[order].buyer == buyer}
            if hourly - barred:
                return max(hourly - barred)
        return None

    def _insert_all(self, sites: Mapping[int, int]) -> None:
        """Put back, one by one, blocks that raise welfare and keep the best candidate's standing."""
        left = self.limits.insertions
        for group, lots in self._insertable():
            if left == 0:
                return
            if group.order in {placement.order for placement in self.best.allocation.placements}:
                continue
            left -= 1
            added = Placement(group, lots)
            placements = (*self.best.allocation.placements, added)
            if not allocations.fits(self.market, placements):
                continue
            before = self.best
            self._consider(self._judge(self.divider.complete(placements, sites=sites)))
            self.stats.insertions += self.best is not before

    def _insertable(self) -> Iterable[tuple[Group, tuple[tuple[int, int], ...]]]:
        """Return groups with whole levels by falling surplus at the current prices, canonical order on ties."""
        market, best = self.market, self.best
        vector = prices.untraded(market, best.allocation) | {
            key: interval.lo for key, interval in best.assessment.intervals.items()
        }
        ranked = []
        for place, group in enumerate(market.groups):
            order = market.book.orders[group.order]
            found = max(
                (
                    min(order.qmax, alternative.cap)
                    * (order.limit * order.hours - _cost(market, vector, alternative.cell, group)),
                    -alternative.cell,
                    min(order.qmax, alternative.cap),
                )
                for alternative in group.alternatives
            )
            if found[0] > 0 and found[2] >= order.qmin:
                ranked.append((-found[0], place, group, ((-found[1], found[2]),)))
        return [(group, lots) for _, _, group, lots in sorted(ranked, key=lambda entry: entry[:2])]


def is_feasible(market: Market, allocation: Allocation) -> bool:
    """Return whether an allocation stays inside the capacity, the quantities and the sites of its orders."""
    got: dict[tuple[int, int], int] = {}
    sites: dict[int, set[int]] = {}
    for (index, cell, period), lots in allocation.fills.items():
        got[index, period] = got.get((index, period), 0) + lots
        sites.setdefault(index, set()).add(cell)
    return (
        all(lots <= market.book.orders[index].qmax for (index, _), lots in got.items())
        and all(len(cells) == 1 or not market.book.orders[index].single_site for index, cells in sites.items())
        and all(
            lots <= market.capacity[cell][period]
            for (cell, period), lots in allocations.demand_by_cell(market, allocation).items()
        )
    )


def _sites(welfare: Welfare, solution: Solution) -> Mapping[int, int]:
    return programs.chosen_sites(welfare, solution.values) if solution.fits(welfare.program) else {}


def _worst(losses: Iterable[prices.Loss]) -> Placement:
    """Return the placement with the largest loss; ties drop the later order first."""
    return max(losses, key=lambda loss: (loss.micros, loss.placement.order)).placement


def _cost(market: Market, vector: Mapping[tuple[int, int], int], cell: int, group: Group) -> int:
    return sum(
        vector.get((cell, period), 0) * market.periods[period].hours for period in range(group.first, group.last)
    )
