"""Costs in the FOCUS format (FinOps Open Cost and Usage Specification) 1.2, and its variant for 1.3: pure.

Every row carries its share of the rounded invoice line, so that the rows of an invoice sum to what is payable;
costs at the list and contracted price are exact: unit price times quantity, as printed. Source of the columns:
https://focus.finops.org/focus-specification/v1-2/.
"""

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal, Inexact
from enum import StrEnum
from fractions import Fraction
from typing import Final

from billing.exports.tables import Column, spelled_instant
from billing.rating.quantities import exact_decimal, printed_decimal
from catalog.measures.money import exponent
from catalog.measures.price import MICROS

# Wide enough for every product of a price and a quantity; a rounding would be an error, not a digit lost.
_EXACT: Final = Context(prec=120, traps=[Inexact])


class FocusVersion(StrEnum):
    """Which edition of the specification a file follows."""

    V1_2 = "1.2"
    V1_3 = "1.3"


class ChargeCategory(StrEnum):
    """The nature of a charge."""

    USAGE = "Usage"
    TAX = "Tax"
    CREDIT = "Credit"


@dataclass(frozen=True, slots=True)
class Service:
    """What a charge is for, in the words of the specification: a subcategory has exactly one category."""

    name: str
    category: str
    subcategory: str


@dataclass(frozen=True, slots=True)
class Account:
    """Who pays, and for which project."""

    id: str
    name: str
    project_id: str
    project_name: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where the capacity stands: hub and site."""

    region_id: str = ""
    region_name: str = ""
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """What was supplied; empty for what is no resource."""

    id: str = ""
    name: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """The invoice of a row."""

    number: str
    contract_id: str
    currency: str
    issuer: str
    account: Account
    billing_start: datetime
    billing_end: datetime
    market: str
    is_correction: bool = False


@dataclass(frozen=True, slots=True)
class Priced:
    """A quantity at a price: `quantity` counts `unit`, at exact unit prices in the currency.

    `consumed` counts `consumed_unit`, for example tokens where the price is for a million of them.
    """

    quantity: Decimal
    unit: str
    contracted_unit_price: Decimal
    list_unit_price: Decimal
    sku_id: str
    sku_meter: str
    sku_price_id: str
    details: Mapping[str, str | int]
    pricing_category: str
    consumed: Decimal | None = None
    consumed_unit: str = ""

    @property
    def contracted_cost(self) -> Decimal:
        """Unit price times quantity, exactly."""
        return _EXACT.multiply(self.contracted_unit_price, self.quantity)

    @property
    def list_cost(self) -> Decimal:
        """List price times quantity, exactly."""
        return _EXACT.multiply(self.list_unit_price, self.quantity)


@dataclass(frozen=True, slots=True)
class CostRow:
    """One row. Where nothing is priced by quantity, `list_cost` and `contracted_cost` say what it would have been."""

    document: Document
    category: ChargeCategory
    frequency: str
    description: str
    service: Service
    publisher: str
    host: str
    starts_at: datetime
    ends_at: datetime
    billed: Decimal
    list_cost: Decimal
    contracted_cost: Decimal
    line: int | None
    priced: Priced | None = None
    place: Place = Place()
    resource: Resource = Resource()


def spread(exact: Sequence[Fraction], total: int) -> list[int]:
    """Split a rounded total over the exact parts it was rounded from: each part down, the largest remainders up.

    The parts sum to the total, which is the sum of the exact ones rounded half up. Ties go to the earlier part.
    """
    floors = [part.numerator // part.denominator for part in exact]
    left = total - sum(floors)
    assert 0 <= left <= len(floors), (exact, total)
    by_remainder = sorted(range(len(exact)), key=lambda place: (floors[place] - exact[place], place))
    for place in by_remainder[:left]:
        floors[place] += 1
    return floors


def in_currency(amount_minor: int, currency: str) -> Decimal:
    """Return minor units as a decimal of the currency: 9600 CNY are 96.00."""
    return Decimal(amount_minor).scaleb(-exponent(currency))


def unit_price(price_micros: int) -> Decimal:
    """Return a price in micros as a decimal of the currency."""
    return exact_decimal(Fraction(price_micros, MICROS)).quantize(Decimal("0.000001"))


def printed_quantity(quantity: Fraction) -> Decimal:
    """Return a quantity to nine decimals, and always with one: the validator takes whole columns for integers."""
    text = f"{printed_decimal(quantity):f}".rstrip("0")
    return Decimal(f"{text}0" if text.endswith(".") else text)


def pricing_unit(focus_unit: str, base_quantity: int) -> str:
    """Spell what a price is for: `Card-Hours`, `1000000 Tokens`."""
    return focus_unit if base_quantity == 1 else f"{base_quantity} {focus_unit}"


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Add exactly."""
    return functools.reduce(_EXACT.add, amounts, Decimal(0))


def percentage(rate_ppm: int, of: Decimal) -> Decimal:
    """Return so many parts per million of an amount, exactly."""
    return _EXACT.multiply(Decimal(rate_ppm).scaleb(-6), of)


# --- Columns -----------------------------------------------------------------------------------


def _with_point(value: Decimal) -> Decimal:
    text = f"{value:f}"
    if "." not in text:
        return Decimal(f"{text}.0")
    text = text.rstrip("0")
    return Decimal(f"{text}0" if text.endswith(".") else text)


def _json(values: Mapping[str, str | int]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _contracted(row: CostRow) -> Decimal | None:
    return _with_point(row.priced.contracted_unit_price) if row.priced else None


def _listed(row: CostRow) -> Decimal | None:
    return _with_point(row.priced.list_unit_price) if row.priced else None


def _nothing(_row: CostRow) -> None:
    return None


# Reservations and commitments of the specification: the exchange sells neither, so their columns are empty.
_EMPTY: Final = (
    "CapacityReservationId",
    "CapacityReservationStatus",
    "CommitmentDiscountCategory",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountQuantity",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "CommitmentDiscountUnit",
)
_FOCUS: Final[tuple[Column[CostRow], ...]] = (
    *(Column(name, _nothing) for name in _EMPTY),
    Column("AvailabilityZone", lambda row: row.place.zone or None),
    Column("BilledCost", lambda row: _with_point(row.billed)),
    Column("BillingAccountId", lambda row: row.document.account.id),
    Column("BillingAccountName", lambda row: row.document.account.name),
    Column("BillingAccountType", lambda _row: "Organization"),
    Column("BillingCurrency", lambda row: row.document.currency),
    Column("BillingPeriodEnd", lambda row: spelled_instant(row.document.billing_end)),
    Column("BillingPeriodStart", lambda row: spelled_instant(row.document.billing_start)),
    Column("ChargeCategory", lambda row: str(row.category)),
    Column("ChargeClass", lambda row: "Correction" if row.document.is_correction else None),
    Column("ChargeDescription", lambda row: row.description),
    Column("ChargeFrequency", lambda row: row.frequency),
    Column("ChargePeriodEnd", lambda row: spelled_instant(row.ends_at)),
    Column("ChargePeriodStart", lambda row: spelled_instant(row.starts_at)),
    Column("ConsumedQuantity", lambda row: row.priced.consumed if row.priced else None),
    Column("ConsumedUnit", lambda row: (row.priced.consumed_unit or None) if row.priced else None),
    Column("ContractedCost", lambda row: _with_point(row.contracted_cost)),
    Column("ContractedUnitPrice", _contracted),
    Column("EffectiveCost", lambda row: _with_point(row.billed)),
    Column("InvoiceId", lambda row: row.document.number),
    Column("InvoiceIssuerName", lambda row: row.document.issuer),
    Column("ListCost", lambda row: _with_point(row.list_cost)),
    Column("ListUnitPrice", _listed),
    Column("PricingCategory", lambda row: row.priced.pricing_category if row.priced else None),
    # What is priced is billed in the same currency.
    Column("PricingCurrency", lambda row: row.document.currency),
    Column("PricingCurrencyContractedUnitPrice", _contracted),
    Column("PricingCurrencyEffectiveCost", lambda row: _with_point(row.billed)),
    Column("PricingCurrencyListUnitPrice", _listed),
    Column("PricingQuantity", lambda row: row.priced.quantity if row.priced else None),
    Column("PricingUnit", lambda row: row.priced.unit if row.priced else None),
    Column("ProviderName", lambda row: row.document.issuer),
    Column("PublisherName", lambda row: row.publisher),
    Column("RegionId", lambda row: row.place.region_id or None),
    Column("RegionName", lambda row: row.place.region_name or None),
    Column("ResourceId", lambda row: row.resource.id or None),
    Column("ResourceName", lambda row: row.resource.name or None),
    Column("ResourceType", lambda row: row.resource.type or None),
    Column("ServiceCategory", lambda row: row.service.category),
    Column("ServiceName", lambda row: row.service.name),
    Column("ServiceSubcategory", lambda row: row.service.subcategory),
    Column("SkuId", lambda row: row.priced.sku_id if row.priced else None),
    Column("SkuMeter", lambda row: row.priced.sku_meter if row.priced else None),
    Column("SkuPriceDetails", lambda row: _json(row.priced.details) if row.priced else None),
    Column("SkuPriceId", lambda row: row.priced.sku_price_id if row.priced else None),
    Column("SubAccountId", lambda row: row.document.account.project_id or None),
    Column("SubAccountName", lambda row: row.document.account.project_name or None),
    Column("SubAccountType", lambda row: "Project" if row.document.account.project_id else None),
    Column("Tags", lambda row: _json({"exchange/market": row.document.market})),
)
# The seller and the owner of the infrastructure, which 1.3 asks for; ProviderName and PublisherName end with 1.4.
_SINCE_1_3: Final[tuple[Column[CostRow], ...]] = (
    Column("HostProviderName", lambda row: row.host),
    Column("ServiceProviderName", lambda row: row.publisher),
)
_OWN: Final[tuple[Column[CostRow], ...]] = (
    Column("x_ContractId", lambda row: row.document.contract_id),
    Column("x_InvoiceLine", lambda row: row.line),
)


def columns(version: FocusVersion) -> tuple[Column[CostRow], ...]:
    """Return the columns of an edition in their order: those of the specification, then our own."""
    standard = _FOCUS if version is FocusVersion.V1_2 else _FOCUS + _SINCE_1_3
    return (*sorted(standard, key=lambda column: column.name), *_OWN)


def tax_row(
    document: Document,
    rows: Sequence[CostRow],
    *,
    rate_ppm: int,
    billed_minor: int,
    starts_at: datetime,
    ends_at: datetime,
    service: Service,
) -> CostRow:
    """Return the tax on rows: billed as the invoice says, at list and contracted price as the rows say."""
    return CostRow(
        document=document,
        category=ChargeCategory.TAX,
        frequency="One-Time",
        description=f"VAT {Decimal(rate_ppm).scaleb(-4).normalize():f} %",
        service=service,
        publisher=document.issuer,
        host=document.issuer,
        starts_at=starts_at,
        ends_at=ends_at,
        billed=in_currency(billed_minor, document.currency),
        list_cost=percentage(rate_ppm, total(row.list_cost for row in rows)),
        contracted_cost=percentage(rate_ppm, total(row.contracted_cost for row in rows)),
        line=None,
    )
