"""How a price follows from a quantity: flat, graduated, by volume, in packages, or the 95th percentile of a level.

A tariff prices the quantity of a whole period. What a period has cost so far is always `parts(tariff, quantity)`,
so that whoever bills in portions bills the difference between two of these, and nothing is lost or counted twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Final

from catalog.measures.money import exponent
from catalog.measures.price import MAX_PRICE_MICROS, MICROS
from catalog.measures.units import Aggregation, unit

MAX_TIERS: Final = 16
MAX_BASE_QUANTITY: Final = 10**12
MAX_UP_TO: Final = 10**15

# Units that no agent reports: they follow from what was allocated and from the contractual performance. Their price
# names the precision that the performance is stated and weighed at.
NORMALISED: Final = frozenset({"tflops_hours", "pflops_hours"})
PRECISIONS: Final = ("fp64", "fp32", "tf32", "bf16", "fp16", "fp8", "int8")


class PriceModel(StrEnum):
    """How the quantity of a period is priced."""

    FLAT = "flat"  # every unit at the one price
    GRADUATED = "graduated"  # the units of each tier at the tier's price
    VOLUME = "volume"  # all units at the price of the tier that the total falls into
    PACKAGE = "package"  # a price per begun package of `base_quantity` units
    PERCENTILE = "percentile"  # the level that 95 % of the measured time did not exceed, at the one price


class Period(StrEnum):
    """What tiers, packages, percentiles and minimums are counted over."""

    CONTRACT = "contract"
    MONTH = "month"  # a billing month in the zone of the books, as far as the contract runs in it


@dataclass(frozen=True, slots=True)
class Tier:
    """Units up to and including `up_to` (the last tier: None, without end) at `price_micros` per base quantity."""

    up_to: int | None
    price_micros: int


@dataclass(frozen=True, slots=True)
class Tariff:
    """The price of a meter. With tiers `price_micros` is the first tier's; `minimum_micros` is owed in any case."""

    price_micros: int
    base_quantity: int = 1
    model: PriceModel = PriceModel.FLAT
    tiers: tuple[Tier, ...] = ()
    minimum_micros: int = 0
    period: Period = Period.CONTRACT

    @property
    def by_event(self) -> bool:
        """Whether each reading has its price by itself, whatever else was used."""
        return by_event(self.model, self.minimum_micros)


def by_event(model: PriceModel, minimum_micros: int) -> bool:
    """Whether a price of this model and minimum prices each reading by itself."""
    return model is PriceModel.FLAT and not minimum_micros


@dataclass(frozen=True, slots=True)
class Part:
    """So many units at one price per base quantity."""

    price_micros: int
    quantity: Fraction


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a tariff: the field as a pointer, the value seen, and what was expected."""

    pointer: str
    seen: object
    expected: str


def parts(tariff: Tariff, quantity: Fraction) -> tuple[Part, ...]:
    """Return what a quantity is charged as, part by part; of a percentile the quantity is the level itself."""
    assert quantity >= 0, quantity
    if not quantity:
        return ()
    match tariff.model:
        case PriceModel.FLAT | PriceModel.PERCENTILE:
            return (Part(tariff.price_micros, quantity),)
        case PriceModel.PACKAGE:
            packages = -(-quantity // tariff.base_quantity)  # begun ones count
            return (Part(tariff.price_micros, Fraction(packages * tariff.base_quantity)),)
        case PriceModel.VOLUME:
            tier = next(tier for tier in tariff.tiers if tier.up_to is None or quantity <= tier.up_to)
            return (Part(tier.price_micros, quantity),)
        case PriceModel.GRADUATED:
            return _graduated(tariff.tiers, quantity)


def _graduated(tiers: Sequence[Tier], quantity: Fraction) -> tuple[Part, ...]:
    found: list[Part] = []
    below = Fraction(0)
    for tier in tiers:
        top = quantity if tier.up_to is None else min(quantity, Fraction(tier.up_to))
        if top > below:
            found.append(Part(tier.price_micros, top - below))
            below = top
    return tuple(found)


def percentile_95(seconds_by_level: Mapping[Fraction, int]) -> Fraction:
    """Return the least level that held, or was not reached, for 95 % of the measured seconds; 0 without any.

    With samples of equal length this is the nearest rank: of 100 samples the 95th from below.
    """
    total = sum(seconds_by_level.values())
    below = 0
    for level, seconds in sorted(seconds_by_level.items()):
        below += seconds
        if seconds and 100 * below >= 95 * total:
            return level
    return Fraction(0)


@dataclass(frozen=True, slots=True)
class _Check:
    """The parts of a tariff that depend on each other."""

    tariff: Tariff
    meter: str
    currency: str
    found: list[Problem] = field(default_factory=list)

    def expect(self, pointer: str, seen: object, expected: str, *, holds: bool) -> None:
        if not holds:
            self.found.append(Problem(pointer, seen, expected))


def problems(tariff: Tariff, *, meter: str, currency: str) -> Iterator[Problem]:
    """Yield what is wrong with the tariff of a (known) meter in a (known) currency."""
    check = _Check(tariff, meter, currency)
    whole = f"0 to {MAX_PRICE_MICROS} micros"
    check.expect("/price", tariff.price_micros, whole, holds=0 <= tariff.price_micros <= MAX_PRICE_MICROS)
    base = f"a whole number from 1 to {MAX_BASE_QUANTITY}"
    check.expect("/base_quantity", tariff.base_quantity, base, holds=1 <= tariff.base_quantity <= MAX_BASE_QUANTITY)
    _check_model(check)
    _check_tiers(check)
    _check_minimum(check)
    yield from check.found


def _check_model(check: _Check) -> None:
    is_level = unit(check.meter).aggregation is Aggregation.PERCENTILE_95
    is_percentile = check.tariff.model is PriceModel.PERCENTILE
    if is_level:
        check.expect("/model", str(check.tariff.model), f"percentile, as {check.meter} is one", holds=is_percentile)
    else:
        others = "flat, graduated, volume or package: single readings of this meter add up"
        check.expect("/model", str(check.tariff.model), others, holds=not is_percentile)


def _check_tiers(check: _Check) -> None:
    tiers = check.tariff.tiers
    if check.tariff.model not in {PriceModel.GRADUATED, PriceModel.VOLUME}:
        expected = f"no tiers: the model {check.tariff.model} has one price"
        check.expect("/tiers", f"{len(tiers)} tiers", expected, holds=not tiers)
        return
    check.expect("/tiers", f"{len(tiers)} tiers", f"1 to {MAX_TIERS} tiers", holds=1 <= len(tiers) <= MAX_TIERS)
    below = 0
    for index, tier in enumerate(tiers):
        pointer = f"/tiers/{index}"
        price = f"0 to {MAX_PRICE_MICROS} micros"
        check.expect(f"{pointer}/price", tier.price_micros, price, holds=0 <= tier.price_micros <= MAX_PRICE_MICROS)
        if index == len(tiers) - 1:
            check.expect(f"{pointer}/up_to", tier.up_to, "nothing: the last tier has no end", holds=tier.up_to is None)
            continue
        expected = f"a whole number above {below} and at most {MAX_UP_TO}"
        rises = tier.up_to is not None and below < tier.up_to <= MAX_UP_TO
        check.expect(f"{pointer}/up_to", tier.up_to, expected, holds=rises)
        below = tier.up_to or below


def _check_minimum(check: _Check) -> None:
    minimum = check.tariff.minimum_micros
    coin = MICROS // 10 ** exponent(check.currency)
    expected = f"0 to {MAX_PRICE_MICROS} micros, a whole number of {coin} (the smallest coin of {check.currency})"
    check.expect("/minimum", minimum, expected, holds=0 <= minimum <= MAX_PRICE_MICROS and minimum % coin == 0)
