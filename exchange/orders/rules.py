"""What an order may say and cost, the life it leads, and what a change does to its place in the queue."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from accounts.foundation.errors import FieldProblem
from billing.contracts import rules as contract_rules
from catalog.measures.interval import HOUR
from catalog.measures.money import format_minor
from catalog.offerings.needs import Needs
from exchange.markets import rules as market_rules
from exchange.markets.rules import MarketTerms
from exchange.orders.errors import OrderMoveRefused

# Far above any order, and a sum that the ledger can hold.
MAX_AMOUNT_MINOR: Final = 10**15


class OrderKind(StrEnum):
    """How an order's hours hang together."""

    BLOCK = "block"
    HOURLY = "hourly"


class LimitSource(StrEnum):
    """Where a limit price comes from: a buyer named it, or an import drew it from a documented distribution."""

    DECLARED = "declared"
    SYNTHETIC = "synthetic"


class OrderStatus(StrEnum):
    """Where an order stands. An order refused at entry changes nothing and leaves no row."""

    OPEN = "open"
    LOCKED = "locked"
    FILLED = "filled"
    PARTLY_FILLED = "partly_filled"
    UNFILLED = "unfilled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


# In plain strings, for queries and constraints.
LIVE: Final = (OrderStatus.OPEN.value, OrderStatus.LOCKED.value)

MOVES: Final[Mapping[OrderStatus, frozenset[OrderStatus]]] = MappingProxyType(
    {
        OrderStatus.OPEN: frozenset({OrderStatus.LOCKED, OrderStatus.CANCELLED, OrderStatus.EXPIRED}),
        # Back to open: a void round, or hours left that the order wants to see in the next one.
        OrderStatus.LOCKED: frozenset(
            {
                OrderStatus.OPEN,
                OrderStatus.FILLED,
                OrderStatus.PARTLY_FILLED,
                OrderStatus.UNFILLED,
            }
        ),
        OrderStatus.FILLED: frozenset(),
        OrderStatus.PARTLY_FILLED: frozenset(),
        OrderStatus.UNFILLED: frozenset(),
        OrderStatus.CANCELLED: frozenset(),
        OrderStatus.EXPIRED: frozenset(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTerms:
    """What an order says that a change of it may change.

    A block has `quantity_min` and `hours`; an hourly order has neither. `limit_micros` is per unit-hour without
    fees and tax; `budget_minor` and `extras_reserve_minor` are in the market's currency.
    """

    quantity_max: int
    quantity_min: int | None
    hours: int | None
    earliest_at: datetime
    latest_at: datetime
    needs: Needs
    limit_micros: int
    budget_minor: int | None = None
    extras_reserve_minor: int = 0
    rolls_over: bool = False

    @property
    def hours_at_most(self) -> int:
        """The hours that can be delivered: those of the block, or all of an hourly order's window."""
        return (self.latest_at - self.earliest_at) // HOUR if self.hours is None else self.hours

    @property
    def unit_hours(self) -> int:
        """The most that can be delivered."""
        return self.quantity_max * self.hours_at_most


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSpec:
    """An order to be placed. Without a project it goes to the organisation's default one."""

    market_id: UUID
    kind: OrderKind
    terms: OrderTerms
    single_site: bool = False
    project_id: UUID | None = None
    limit_source: LimitSource = LimitSource.DECLARED


@dataclass(frozen=True, slots=True)
class Rates:
    """What comes on top of the capacity's value: the version of the fee schedule, its fee and the tax, in ppm."""

    fee_version: int
    buyer_fee_ppm: int
    tax_rate_ppm: int


def check_move(current: str, target: OrderStatus) -> None:
    """Raise OrderMoveRefused unless an order may go from one status to the other."""
    if target not in MOVES[OrderStatus(current)]:
        raise OrderMoveRefused(current)


# --- Checks ------------------------------------------------------------------------------------


def spec_problems(market: MarketTerms, spec: OrderSpec, *, gate_at: datetime) -> Iterator[FieldProblem]:
    """Check a whole new order; `gate_at` is the first gate it takes part in."""
    terms = spec.terms
    yield from terms_problems(market, spec.kind, terms)
    yield from market_rules.reach_problems(
        market, terms.earliest_at, terms.latest_at, gate_at=gate_at, start="/earliest_at", end="/latest_at"
    )
    if spec.single_site and spec.kind is OrderKind.HOURLY:
        # Not convex: one cell over all slots breaks the strict prices that the market promises (clearing rules).
        yield FieldProblem(
            "/single_site", "expected false for an hourly order, whose hours stand alone; a block can be single-site"
        )


def terms_problems(market: MarketTerms, kind: OrderKind, terms: OrderTerms) -> Iterator[FieldProblem]:
    """Check an order's price, quantities, window and amounts against the market, apart from its gates."""
    if terms.limit_micros < 1:
        yield FieldProblem("/limit_price", f"expected a price above 0, got {terms.limit_micros}")
    else:
        yield from market_rules.price_problems(market, terms.limit_micros, pointer="/limit_price")
    yield from market_rules.quantity_problems(market, terms.quantity_max, pointer="/quantity")
    yield from market_rules.window_problems(
        market, terms.earliest_at, terms.latest_at, start="/earliest_at", end="/latest_at"
    )
    yield from _kind_problems(market, kind, terms)
    if terms.budget_minor is not None and not 1 <= terms.budget_minor <= MAX_AMOUNT_MINOR:
        yield _amount_problem("/budget", 1, terms.budget_minor, market.currency)
    if not 0 <= terms.extras_reserve_minor <= MAX_AMOUNT_MINOR:
        yield _amount_problem("/extras_reserve", 0, terms.extras_reserve_minor, market.currency)


def new_edge_problems(
    market: MarketTerms, before: OrderTerms, after: OrderTerms, *, gate_at: datetime
) -> Iterator[FieldProblem]:
    """Check that the edges of a window that a change moves can be delivered by the gate."""
    reach = market_rules.horizon(market, gate_at)
    earliest_at = reach.first_at if after.earliest_at == before.earliest_at else after.earliest_at
    latest_at = reach.last_at if after.latest_at == before.latest_at else after.latest_at
    yield from market_rules.reach_problems(
        market, earliest_at, latest_at, gate_at=gate_at, start="/earliest_at", end="/latest_at"
    )


def _kind_problems(market: MarketTerms, kind: OrderKind, terms: OrderTerms) -> Iterator[FieldProblem]:
    if kind is OrderKind.HOURLY:
        for pointer, value in (("/min_quantity", terms.quantity_min), ("/hours", terms.hours)):
            if value is not None:
                yield FieldProblem(pointer, f"expected nothing for an hourly order, got {value}")
        return
    if terms.quantity_min is None:
        yield FieldProblem("/min_quantity", "expected the smallest number of units for a block, got nothing")
    elif terms.quantity_min > terms.quantity_max:
        yield FieldProblem(
            "/min_quantity", f"expected at most the quantity of {terms.quantity_max}, got {terms.quantity_min}"
        )
    else:
        yield from market_rules.quantity_problems(market, terms.quantity_min, pointer="/min_quantity")
    if terms.hours is None:
        yield FieldProblem("/hours", "expected the number of hours in a row for a block, got nothing")
        return
    window = (terms.latest_at - terms.earliest_at) // HOUR
    if terms.hours < 1 or terms.hours % market.grid_slots:
        yield FieldProblem("/hours", f"expected a multiple of {market.grid_slots} hours, got {terms.hours}")
    elif terms.hours > window > 0:
        yield FieldProblem("/hours", f"expected at most the {window} hours of the window, got {terms.hours}")


def _amount_problem(pointer: str, low: int, amount_minor: int, currency: str) -> FieldProblem:
    shown = [format_minor(amount, currency) for amount in (low, MAX_AMOUNT_MINOR, amount_minor)]
    return FieldProblem(pointer, f"expected from {shown[0]} to {shown[1]} {currency}, got {shown[2]}")


# --- What it may cost --------------------------------------------------------------------------


def worst_case_minor(unit_hours: int, limit_micros: int, rates: Rates, *, currency: str) -> int:
    """Return what unit-hours cost at most: their value at the limit with fee and tax, each rounded once."""
    value_minor = contract_rules.value_at(unit_hours, 1, limit_micros, currency=currency)
    return contract_rules.worst_case(value_minor, fee_ppm=rates.buyer_fee_ppm, tax_ppm=rates.tax_rate_ppm).total_minor


def requirement_minor(terms: OrderTerms, rates: Rates, *, currency: str) -> int:
    """Return what is held for an order: its worst case and the reserve for metered extras."""
    worst_minor = worst_case_minor(terms.unit_hours, terms.limit_micros, rates, currency=currency)
    return worst_minor + terms.extras_reserve_minor


def largest_quantity(terms: OrderTerms, rates: Rates, *, within_minor: int, lot_units: int, currency: str) -> int:
    """Return the largest quantity, in whole lots up to the order's own, that the amount covers; 0 for none."""
    low, high = 0, terms.quantity_max // lot_units
    while low < high:  # the requirement never falls as the quantity grows
        middle = (low + high + 1) // 2
        unit_hours = middle * lot_units * terms.hours_at_most
        worst_minor = worst_case_minor(unit_hours, terms.limit_micros, rates, currency=currency)
        if worst_minor + terms.extras_reserve_minor <= within_minor:
            low = middle
        else:
            high = middle - 1
    return low * lot_units


# --- Changes -----------------------------------------------------------------------------------


def is_improvement(before: OrderTerms, after: OrderTerms) -> bool:
    """Whether a change lowers and withdraws nothing: such a change is taken until the gate."""
    return (
        after.limit_micros >= before.limit_micros
        and after.quantity_max >= before.quantity_max
        and (after.quantity_min or 0) <= (before.quantity_min or 0)
        and after.earliest_at <= before.earliest_at
        and after.latest_at >= before.latest_at
        and (after.hours, after.needs) == (before.hours, before.needs)
    )


def keeps_place(before: OrderTerms, after: OrderTerms) -> bool:
    """Whether an order keeps its `seq`: its limit rises or stays, and nothing else that the market sees changes."""
    return after.limit_micros >= before.limit_micros and demanded(before) == demanded(after)


def demanded(terms: OrderTerms) -> tuple[Any, ...]:
    """Return what an order asks of the market, apart from the price."""
    return (terms.quantity_max, terms.quantity_min, terms.hours, terms.earliest_at, terms.latest_at, terms.needs)


# --- After a round -----------------------------------------------------------------------------


def status_after_round(*, total: int, filled: int, open_: int) -> OrderStatus:
    """Return what becomes of an order, in unit-hours over all rounds: with open hours left it goes on."""
    assert 0 <= filled <= filled + open_ <= total, (total, filled, open_)
    if open_:
        return OrderStatus.OPEN
    if filled == total:
        return OrderStatus.FILLED
    return OrderStatus.PARTLY_FILLED if filled else OrderStatus.UNFILLED
