"""What a contract may do, and what it may cost at most."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import Final
from uuid import UUID

from billing.contracts.terms import SlotTerms, Terms
from catalog.measures import price, rounding
from catalog.measures.interval import Interval
from catalog.measures.rounding import PPM


class ContractStatus(StrEnum):
    """Where a contract is in its life."""

    SCHEDULED = "scheduled"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"
    SETTLED = "settled"
    TERMINATED = "terminated"


class TerminationReason(StrEnum):
    """Why a contract ended before its time."""

    PROVIDER_FAILURE = "provider_failure"
    BUYER_DEFAULT = "buyer_default"
    MUTUAL = "mutual"
    OPERATOR = "operator"


# Ended by these, the provider owes no delivery any more; ended by a failure of its own, it does.
RELEASES_PROVIDER: Final = frozenset(
    {TerminationReason.BUYER_DEFAULT, TerminationReason.MUTUAL, TerminationReason.OPERATOR}
)

MOVES: Final[Mapping[ContractStatus, frozenset[ContractStatus]]] = {
    ContractStatus.SCHEDULED: frozenset({ContractStatus.ACTIVE, ContractStatus.ENDED, ContractStatus.TERMINATED}),
    ContractStatus.ACTIVE: frozenset({ContractStatus.PAUSED, ContractStatus.ENDED, ContractStatus.TERMINATED}),
    ContractStatus.PAUSED: frozenset({ContractStatus.ACTIVE, ContractStatus.ENDED, ContractStatus.TERMINATED}),
    ContractStatus.ENDED: frozenset({ContractStatus.SETTLED}),
    ContractStatus.SETTLED: frozenset(),
    ContractStatus.TERMINATED: frozenset({ContractStatus.SETTLED}),
}

# No more of these is owed: the last invoice may be drawn.
OVER: Final = frozenset({ContractStatus.ENDED, ContractStatus.TERMINATED, ContractStatus.SETTLED})


def may_move(current: ContractStatus, wanted: ContractStatus) -> bool:
    """Whether the move is one of the table's."""
    return wanted in MOVES[current]


@dataclass(frozen=True, slots=True)
class WorstCase:
    """The most that capacity can cost its buyer, in minor units, each part rounded once."""

    value_minor: int
    fee_minor: int
    tax_minor: int

    @property
    def total_minor(self) -> int:
        """Value, fee and tax together: what is held."""
        return self.value_minor + self.fee_minor + self.tax_minor


def worst_case(value_minor: int, *, fee_ppm: int, tax_ppm: int) -> WorstCase:
    """Add the fee on a capacity value and the tax on both: 4,800.00 at 1 % and 6 % holds 5,138.88."""
    fee_minor = rounding.share(value_minor, fee_ppm)
    return WorstCase(value_minor, fee_minor, rounding.share(value_minor + fee_minor, tax_ppm))


def share_of_hold(value_minor: int, agreed: Terms) -> WorstCase:
    """Return what a contract of this value can cost under its terms, at the highest tax rate in its time."""
    tax_ppm = max(tax.rate_ppm for tax in agreed.sales_taxes)
    return worst_case(value_minor, fee_ppm=agreed.fees.buyer_fee_ppm, tax_ppm=tax_ppm)


def value_at(quantity: int, hours: Fraction | int, price_micros: int, *, currency: str) -> int:
    """Return what `quantity` units for `hours` hours cost at one price, rounded once, in minor units."""
    return price.amount_minor(Fraction(quantity) * hours, price_micros, currency=currency)


def value_of(slots: Iterable[SlotTerms], *, currency: str) -> int:
    """Return the value of a price schedule in minor units, grouped and rounded as its invoice lines will be."""
    unit_hours: dict[tuple[UUID, str, int], Fraction] = {}
    for slot in slots:
        key = (slot.offering_id, slot.unit, slot.price_micros)
        unit_hours[key] = unit_hours.get(key, Fraction(0)) + slot.quantity * slot.interval.hours
    return sum(
        price.amount_minor(quantity, price_micros, currency=currency)
        for (_, _, price_micros), quantity in unit_hours.items()
    )


def in_order(slots: Iterable[SlotTerms]) -> tuple[SlotTerms, ...]:
    """Return the slots in the one order that documents and digests use: by offering, then by time."""
    return tuple(sorted(slots, key=lambda slot: (slot.offering_id, slot.starts_at)))


def first_overlap(slots: Sequence[SlotTerms]) -> tuple[SlotTerms, SlotTerms] | None:
    """Return two slots of one offering that share an instant, or None: a schedule has one price at a time."""
    for left, right in pairwise(in_order(slots)):
        if left.offering_id == right.offering_id and left.interval.overlaps(right.interval):
            return left, right
    return None


@dataclass(frozen=True, slots=True)
class Released:
    """So many units that were handed back, from then to then."""

    interval: Interval
    quantity: int


def owed(slot: SlotTerms, releases: Iterable[Released]) -> tuple[SlotTerms, ...]:
    """Return what is left of a run of the schedule beside what was handed back of it: runs of one quantity, by time."""
    releases = tuple(releases)
    edges = {edge for one in releases for edge in (one.interval.start, one.interval.end)}
    left = []
    for piece in slot.interval.split(sorted(edges)):
        quantity = slot.quantity - sum(one.quantity for one in releases if one.interval.covers(piece))
        assert quantity >= 0, (slot, releases)
        if quantity:
            left.append(replace(slot, starts_at=piece.start, ends_at=piece.end, quantity=quantity))
    return tuple(left)


def least(owed_runs: Iterable[SlotTerms], interval: Interval, promised: Iterable[Released] = ()) -> int:
    """Return the fewest units that are owed at some time of an interval beside those promised to others.

    The runs are of one offering and do not overlap.
    """
    promised = tuple(promised)
    within = [
        replace(run, starts_at=part.start, ends_at=part.end)
        for run in owed_runs
        if (part := run.interval.intersect(interval)) is not None
    ]
    left = [piece for run in within for piece in owed(run, promised)]
    missing = interval.subtract(piece.interval for piece in left)
    return 0 if missing else min(piece.quantity for piece in left)


def credited(parts: Iterable[tuple[SlotTerms, Released]], *, currency: str) -> Fraction:
    """Return what is credited for units handed back, exact, in minor units."""
    return sum(
        (
            price.exact_amount(part.quantity * part.interval.hours, slot.price_micros, currency=currency)
            * (slot.return_credit_ppm or 0)
            / PPM
            for slot, part in parts
        ),
        Fraction(0),
    )
