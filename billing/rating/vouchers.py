"""What vouchers take from a customer's bill: within their scope and worth, never more than there is to pay."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from uuid import UUID

from billing.contracts.terms import Terms
from billing.rating.bills import MINIMUM_UNIT, SUPPLY, Bill, Line, LineKind, TaxRate, taxes_of
from catalog.measures import rounding
from catalog.measures.money import exponent
from catalog.measures.price import MICROS


@dataclass(frozen=True, slots=True)
class VoucherTerms:
    """A voucher as bills are reduced by it; empty scopes stand for everything.

    `meters` are the units that it covers (card_hours, egress_gb), `resources` the resource types.
    """

    id: UUID
    code: str
    remaining_minor: int
    valid_from: datetime
    valid_to: datetime
    meters: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()

    def holds_at(self, instant: datetime) -> bool:
        """Whether it can be used at the instant."""
        return self.valid_from <= instant < self.valid_to


@dataclass(frozen=True, slots=True)
class Use:
    """How much of a voucher a bill takes, in minor units, above 0."""

    voucher_id: UUID
    amount_minor: int


def apply(bill: Bill, vouchers: Iterable[VoucherTerms], terms: Terms, *, at: datetime) -> tuple[Bill, tuple[Use, ...]]:
    """Return the bill with a line for each voucher and tax rate, and what each voucher gives.

    The one that expires first is used first. An amount is split over tax rates by largest remainder, and tax is
    computed anew on what is left: a voucher is an allowance.
    """
    added: list[Line] = []
    uses: list[Use] = []
    uncovered = [line.amount_minor for line in bill.lines]
    for voucher in sorted(vouchers, key=lambda one: (one.valid_to, one.code)):
        if not voucher.holds_at(at):
            continue
        scope = [place for place, line in enumerate(bill.lines) if _in_scope(line, voucher, terms)]
        covered = _covered([*bill.lines, *added], [(bill.lines[place].tax, uncovered[place]) for place in scope])
        amount_minor = min(voucher.remaining_minor, sum(covered.values()))
        if amount_minor <= 0:
            continue
        parts = rounding.spread(amount_minor, list(covered.values()))
        for tax, part in zip(covered, parts, strict=True):
            if part:
                added.append(_line(voucher, bill, tax, part))
                _take(uncovered, [place for place in scope if bill.lines[place].tax == tax], part)
        uses.append(Use(voucher.id, amount_minor))
    if not uses:
        return bill, ()
    lines = (*bill.lines, *added)
    return replace(bill, lines=lines, taxes=taxes_of(lines)), tuple(uses)


def _covered(lines: Iterable[Line], scope: Iterable[tuple[TaxRate, int]]) -> dict[TaxRate, int]:
    """Return what a voucher can take of each tax rate: what its scope costs uncovered, and no more than is to pay."""
    left: dict[TaxRate, int] = {}
    for line in lines:
        left[line.tax] = left.get(line.tax, 0) + line.amount_minor
    costs: dict[TaxRate, int] = {}
    for tax, amount in scope:
        costs[tax] = costs.get(tax, 0) + amount
    return {tax: amount for tax in sorted(costs) if (amount := min(left[tax], costs[tax])) > 0}


def _take(uncovered: list[int], places: Sequence[int], amount_minor: int) -> None:
    """Note what is covered, line by line, so that no other voucher takes it again."""
    for place in places:
        part = min(amount_minor, max(0, uncovered[place]))
        uncovered[place] -= part
        amount_minor -= part
    assert not amount_minor, "no more is covered than the lines cost"


def _in_scope(line: Line, voucher: VoucherTerms, terms: Terms) -> bool:
    if line.kind not in SUPPLY or line.offering_id is None:
        return False
    if voucher.resources and terms.offering(line.offering_id).resource not in voucher.resources:
        return False
    # An adjustment and a minimum are of several meters: a voucher for some of them covers neither.
    return not voucher.meters or line.unit in voucher.meters


def _line(voucher: VoucherTerms, bill: Bill, tax: TaxRate, amount_minor: int) -> Line:
    return Line(
        kind=LineKind.VOUCHER,
        offering_id=None,
        unit=MINIMUM_UNIT,
        raw_quantity=Fraction(-amount_minor),
        raw_per_unit=10 ** exponent(bill.currency),
        price_micros=MICROS,
        base_quantity=1,
        share_ppm=None,
        share_base_minor=None,
        amount_minor=-amount_minor,
        tax=tax,
        starts_at=min(line.starts_at for line in bill.lines),
        ends_at=max(line.ends_at for line in bill.lines),
        charges=(),
        label=voucher.code,
    )
