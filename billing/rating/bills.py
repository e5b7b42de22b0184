"""From charges to a bill: lines rounded once each, shares of printed amounts, tax once per rate.

A customer's bill has capacity, metered extras, what is missing to a minimum, adjustments of the rate card for the
customer's class and the quality of service, what stays due of units handed back, paused or sold back, what is
credited for the latter, the SLA credit and the exchange's fee; a provider's has the same but what concerns units sold
back and the fee, and the commission. A share (adjustment, credit, fee, commission) is taken of an amount that the bill
prints, so that its reader can check it. Vouchers come last and take from the customer's net.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Final, TypeVar
from uuid import UUID

from billing.contracts.terms import TaxTerms, Terms, tax_at
from billing.rating.charges import Charge, ChargeKind
from catalog.measures import price, rounding
from catalog.measures.interval import Interval
from catalog.measures.rounding import PPM

PPM_PER_PERCENT: Final = 10_000
MINIMUM_UNIT: Final = "each"  # what is missing to a minimum is so many whole units of the currency at a price of one


class LineKind(StrEnum):
    """What a line charges for, in the order in which a bill lists it."""

    CAPACITY = "capacity"
    METERED = "metered"
    MINIMUM = "minimum"
    ADJUSTMENT = "adjustment"
    RETURNED = "returned"
    PAUSED = "paused"
    RESOLD = "resold"
    RESALE = "resale"
    SLA_CREDIT = "sla_credit"
    FEE = "fee"
    COMMISSION = "commission"
    VOUCHER = "voucher"


# What a provider supplies and a customer is charged for it; the commission is of all of it but capacity's credit.
SUPPLY: Final = (LineKind.CAPACITY, LineKind.METERED, LineKind.MINIMUM, LineKind.ADJUSTMENT)


@dataclass(frozen=True, slots=True, order=True)
class TaxRate:
    """The group that tax is computed for: an EN 16931 category and a rate."""

    category: str
    rate_ppm: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line. Either a quantity at a price, or `share_ppm` of `share_base_minor`.

    `raw_quantity` of `raw_per_unit` is exact, as on a charge; `amount_minor` is rounded once. `charges` are the
    positions of the charges behind the line, in the order given.
    """

    kind: LineKind
    offering_id: UUID | None
    unit: str
    raw_quantity: Fraction
    raw_per_unit: int
    price_micros: int | None
    base_quantity: int
    share_ppm: int | None
    share_base_minor: int | None
    amount_minor: int
    tax: TaxRate
    starts_at: datetime
    ends_at: datetime
    charges: tuple[int, ...]
    label: str = ""  # the code of a voucher

    @property
    def quantity(self) -> Fraction:
        """The exact quantity in units."""
        return self.raw_quantity / self.raw_per_unit


@dataclass(frozen=True, slots=True)
class TaxTotal:
    """The tax of one group, rounded once on the sum of its lines."""

    tax: TaxRate
    base_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class Bill:
    """Lines in their final order, and what they come to in minor units of the currency."""

    currency: str
    lines: tuple[Line, ...]
    taxes: tuple[TaxTotal, ...]

    @property
    def net_minor(self) -> int:
        """The sum of the lines."""
        return sum(line.amount_minor for line in self.lines)

    @property
    def tax_minor(self) -> int:
        """The sum of the taxes."""
        return sum(total.tax_minor for total in self.taxes)

    @property
    def total_minor(self) -> int:
        """What is to be paid."""
        return self.net_minor + self.tax_minor

    def sum_minor(self, *kinds: LineKind) -> int:
        """The sum of the lines of these kinds."""
        return sum(line.amount_minor for line in self.lines if line.kind in kinds)


def customer_bill(charges: Sequence[Charge], terms: Terms, *, currency: str) -> Bill:
    """Return what the customer owes for the charges: capacity, extras, SLA credit, and the fee on capacity."""
    lines = _supply_lines(charges, terms, terms.sales_taxes, currency=currency)
    fees = _share_lines(lines, LineKind.FEE, terms.fees.buyer_fee_ppm, of=(LineKind.CAPACITY,), sign=1)
    return _bill(currency, [*lines, *fees])


def provider_bill(charges: Sequence[Charge], terms: Terms, *, currency: str) -> Bill:
    """Return what the provider is owed for the charges, less the commission on capacity and extras."""
    lines = _supply_lines(charges, terms, terms.purchase_taxes, currency=currency)
    commission = _share_lines(lines, LineKind.COMMISSION, terms.fees.provider_commission_ppm, of=SUPPLY, sign=-1)
    return _bill(currency, [*lines, *commission])


def taxes_of(lines: Iterable[Line]) -> tuple[TaxTotal, ...]:
    """Sum the lines per tax category and rate, and round each tax once."""
    bases: dict[TaxRate, int] = {}
    for line in lines:
        bases[line.tax] = bases.get(line.tax, 0) + line.amount_minor
    return tuple(TaxTotal(tax, base, rounding.share(base, tax.rate_ppm)) for tax, base in sorted(bases.items()))


@dataclass(frozen=True, slots=True, order=True)
class _PriceGroup:
    """What charges must share to stand on one line."""

    offering_id: UUID
    unit: str
    price_micros: int
    base_quantity: int
    raw_per_unit: int
    tax: TaxRate
    factor_ppm: int = PPM


@dataclass(frozen=True, slots=True, order=True)
class _CreditGroup:
    offering_id: UUID
    share_ppm: int
    tax: TaxRate


_Group = TypeVar("_Group", _PriceGroup, _CreditGroup)


def _supply_lines(charges: Sequence[Charge], terms: Terms, taxes: Sequence[TaxTerms], *, currency: str) -> list[Line]:
    """Return the lines that customer and provider see alike: capacity, extras, adjustments and SLA credits."""
    groups = _grouped(charges, terms, taxes)
    metered = [
        (group, _priced_line(LineKind.METERED, group, positions, charges, currency))
        for group, positions in _in_order(groups.metered, charges, terms)
    ]
    return [
        *(
            _priced_line(LineKind.CAPACITY, *one, charges, currency)
            for one in _in_order(groups.delivered, charges, terms)
        ),
        *(line for _, line in metered),
        *(
            _priced_line(LineKind.MINIMUM, *one, charges, currency)
            for one in _in_order(groups.minimums, charges, terms)
        ),
        *_adjustment_lines(metered),
        *(
            _value_line(kind, *one, charges, currency, sign=sign)
            for kind, sign in _SHARED.values()
            for one in _in_order(groups.shared.get(kind, {}), charges, terms)
        ),
    ]


# Charges of whose value a line has a share, in the order of the lines: added to the bill, or taken from it.
_SHARED: Final = {
    ChargeKind.RETURNED: (LineKind.RETURNED, 1),
    ChargeKind.PAUSED: (LineKind.PAUSED, 1),
    ChargeKind.RESOLD: (LineKind.RESOLD, 1),
    ChargeKind.RESALE: (LineKind.RESALE, -1),
    ChargeKind.UNDELIVERED: (LineKind.SLA_CREDIT, -1),
}


@dataclass(frozen=True, slots=True)
class _Groups:
    """Positions of charges by the line that they stand on."""

    delivered: dict[_PriceGroup, list[int]] = field(default_factory=dict)
    metered: dict[_PriceGroup, list[int]] = field(default_factory=dict)
    minimums: dict[_PriceGroup, list[int]] = field(default_factory=dict)
    shared: dict[LineKind, dict[_CreditGroup, list[int]]] = field(default_factory=dict)


def _grouped(charges: Sequence[Charge], terms: Terms, taxes: Sequence[TaxTerms]) -> _Groups:
    groups = _Groups()
    measured: dict[_PriceGroup, list[int]] = {}
    priced_by_kind = {
        ChargeKind.DELIVERED: groups.delivered,
        ChargeKind.METERED: groups.metered,
        ChargeKind.TARIFF: groups.metered,
        ChargeKind.MINIMUM: groups.minimums,
        ChargeKind.MEASURED: measured,
    }
    for position, charge in enumerate(charges):
        tax = tax_at(taxes, charge.placed_at)
        tax_rate = TaxRate(tax.category, tax.rate_ppm)
        offering = terms.offering(charge.offering_id)
        if charge.kind in _SHARED:
            share_ppm = offering.sla_credit_ppm if charge.kind is ChargeKind.UNDELIVERED else charge.due_ppm
            group = _CreditGroup(charge.offering_id, share_ppm, tax_rate)
            line_kind, _ = _SHARED[charge.kind]
            groups.shared.setdefault(line_kind, {}).setdefault(group, []).append(position)
            continue
        adjusted = charge.kind not in {ChargeKind.DELIVERED, ChargeKind.MINIMUM}  # a round's price is the market's
        line = _PriceGroup(
            charge.offering_id,
            charge.unit,
            charge.price_micros,
            charge.base_quantity,
            charge.raw_per_unit,
            tax_rate,
            offering.factor_ppm(charge.unit, charge.placed_at) if adjusted else PPM,
        )
        priced_by_kind[charge.kind].setdefault(line, []).append(position)
    _add_evidence(groups.metered, measured)
    return groups


def _add_evidence(metered: dict[_PriceGroup, list[int]], measured: Mapping[_PriceGroup, list[int]]) -> None:
    """Put readings behind the first line that their meter's tariff made, else on a line of their own that costs 0."""
    for group in sorted(measured):
        same = [line for line in metered if (line.offering_id, line.unit, line.tax) == _meter(group)]
        metered.setdefault(min(same, default=group), []).extend(measured[group])


def _meter(group: _PriceGroup) -> tuple[UUID, str, TaxRate]:
    return (group.offering_id, group.unit, group.tax)


def _adjustment_lines(metered: Sequence[tuple[_PriceGroup, Line]]) -> list[Line]:
    """Return what a customer class or quality of service makes of the rate card, per offering, factor and tax rate."""
    bases: dict[tuple[UUID, int, TaxRate], list[Line]] = {}
    for group, line in metered:
        if group.factor_ppm != PPM and line.amount_minor:
            bases.setdefault((group.offering_id, group.factor_ppm, group.tax), []).append(line)
    return [
        _share_line(
            LineKind.ADJUSTMENT,
            share_ppm=abs(factor_ppm - PPM),
            base_minor=sum(line.amount_minor for line in behind),
            sign=1 if factor_ppm > PPM else -1,
            tax=tax,
            offering_id=offering_id,
            behind=[Interval(line.starts_at, line.ends_at) for line in behind],
            positions=(),
        )
        for (offering_id, factor_ppm, tax), behind in sorted(bases.items(), key=lambda item: item[0])
    ]


def _in_order(
    groups: Mapping[_Group, list[int]], charges: Sequence[Charge], terms: Terms
) -> list[tuple[_Group, tuple[int, ...]]]:
    """Order groups by offering as in the contract, by when each begins, by tier, then by what tells them apart."""
    place = {offering.offering_id: index for index, offering in enumerate(terms.offerings)}
    begins = {group: min(charges[position].interval.start for position in items) for group, items in groups.items()}
    ordered = sorted(
        groups, key=lambda group: (place[group.offering_id], begins[group], _tier(group, begins[group], terms), group)
    )
    return [(group, tuple(groups[group])) for group in ordered]


def _tier(group: _PriceGroup | _CreditGroup, instant: datetime, terms: Terms) -> tuple[str, int]:
    """Return the place of a price among the tiers of its meter; the first for whatever has none."""
    if isinstance(group, _CreditGroup):
        return ("", 0)
    rate = terms.offering(group.offering_id).rate(group.unit, instant)
    prices = [tier.price_micros for tier in rate.tiers] if rate is not None else []
    return (group.unit, prices.index(group.price_micros) if group.price_micros in prices else 0)


def _priced_line(
    kind: LineKind, group: _PriceGroup, positions: tuple[int, ...], charges: Sequence[Charge], currency: str
) -> Line:
    behind = [charges[position] for position in positions]
    # Readings behind a tariff's line are its evidence; what it counts are the tariff's quantities.
    counted = (charge.raw_quantity for charge in behind if charge.kind is not ChargeKind.MEASURED)
    raw_quantity = sum(counted, Fraction(0))
    amount_minor = price.amount_minor(
        raw_quantity / group.raw_per_unit, group.price_micros, base_quantity=group.base_quantity, currency=currency
    )
    return Line(
        kind=kind,
        offering_id=group.offering_id,
        unit=MINIMUM_UNIT if kind is LineKind.MINIMUM else group.unit,
        raw_quantity=raw_quantity,
        raw_per_unit=group.raw_per_unit,
        price_micros=group.price_micros,
        base_quantity=group.base_quantity,
        share_ppm=None,
        share_base_minor=None,
        amount_minor=amount_minor,
        tax=group.tax,
        starts_at=min(charge.interval.start for charge in behind),
        ends_at=max(charge.interval.end for charge in behind),
        charges=positions,
    )


def _value_line(
    kind: LineKind,
    group: _CreditGroup,
    positions: tuple[int, ...],
    charges: Sequence[Charge],
    currency: str,
    *,
    sign: int,
) -> Line:
    """Return a share of a value: credited of what was missing, or still due of what was handed back or paused."""
    behind = [charges[position] for position in positions]
    value = sum(
        (price.exact_amount(charge.quantity, charge.price_micros, currency=currency) for charge in behind), Fraction(0)
    )
    return _share_line(
        kind,
        share_ppm=group.share_ppm,
        base_minor=rounding.half_up_exact(value),
        sign=sign,
        tax=group.tax,
        offering_id=group.offering_id,
        behind=[charge.interval for charge in behind],
        positions=positions,
    )


def _share_lines(
    lines: Sequence[Line], kind: LineKind, share_ppm: int, *, of: tuple[LineKind, ...], sign: int
) -> list[Line]:
    """Return one line per tax rate with the exchange's share of the lines of these kinds; none for a share of 0."""
    if not share_ppm:
        return []
    bases: dict[TaxRate, list[Line]] = {}
    for line in lines:
        if line.kind in of:
            bases.setdefault(line.tax, []).append(line)
    return [
        _share_line(
            kind,
            share_ppm=share_ppm,
            base_minor=sum(line.amount_minor for line in behind),
            sign=sign,
            tax=tax,
            offering_id=None,
            behind=[Interval(line.starts_at, line.ends_at) for line in behind],
            positions=(),
        )
        for tax, behind in sorted(bases.items(), key=lambda item: item[0])
    ]


def _share_line(
    kind: LineKind,
    *,
    share_ppm: int,
    base_minor: int,
    sign: int,
    tax: TaxRate,
    offering_id: UUID | None,
    behind: Sequence[Interval],
    positions: tuple[int, ...],
) -> Line:
    return Line(
        kind=kind,
        offering_id=offering_id,
        unit="percent",
        raw_quantity=Fraction(share_ppm),
        raw_per_unit=PPM_PER_PERCENT,
        price_micros=None,
        base_quantity=1,
        share_ppm=share_ppm,
        share_base_minor=base_minor,
        amount_minor=sign * rounding.share(base_minor, share_ppm),
        tax=tax,
        starts_at=min(interval.start for interval in behind),
        ends_at=max(interval.end for interval in behind),
        charges=positions,
    )


def _bill(currency: str, lines: Sequence[Line]) -> Bill:
    return Bill(currency, tuple(lines), taxes_of(lines))
