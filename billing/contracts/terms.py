"""The terms of a contract as plain values, and their canonical document.

A contract keeps the document word for word (with its SHA-256), so that a line of a later invoice is
rated by what was agreed and never by what a table says today.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Self
from uuid import UUID

from accounts.foundation import canonical
from billing.contracts.rates import AdjustmentTerms, CoefficientTerms
from billing.contracts.rates import RateTerms as RateTerms
from catalog.measures.interval import Interval
from catalog.measures.rounding import PPM
from catalog.measures.tariffs import NORMALISED, PriceModel
from catalog.measures.units import Aggregation, unit

FORMAT: Final = "contract-terms/1"


class MerchantOfRecord(StrEnum):
    """Who sells to the customer in its own name."""

    EXCHANGE = "exchange"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class SlotTerms:
    """A run of hours at one quantity and one price: `quantity` units of capacity, `price_micros` per unit-hour.

    Units that the buyer hands back before their time are credited `return_credit_ppm` of their price, units that are
    paused `pause_credit_ppm`; None if they cannot be. Of what somebody else pays for units that the buyer sells back
    the exchange keeps `resale_commission_ppm`. Of such units `provider_price_micros` is what their provider is paid.
    """

    offering_id: UUID
    starts_at: datetime
    ends_at: datetime
    quantity: int
    unit: str
    price_micros: int
    return_credit_ppm: int | None = None
    pause_credit_ppm: int | None = None
    resale_commission_ppm: int | None = None
    provider_price_micros: int | None = None

    @property
    def interval(self) -> Interval:
        """The run as a half-open interval."""
        return Interval(self.starts_at, self.ends_at)


@dataclass(frozen=True, slots=True)
class PartyTerms:
    """One party as the law knows it, on the day of the contract."""

    organisation_id: UUID
    name: str
    legal_name: str
    tax_id: str
    jurisdiction: str
    address: str
    vat_registered: bool

    def to_document(self) -> dict[str, Any]:
        """Spell the party as JSON values."""
        return {
            "organisation_id": str(self.organisation_id),
            "name": self.name,
            "legal_name": self.legal_name,
            "tax_id": self.tax_id,
            "jurisdiction": self.jurisdiction,
            "address": self.address,
            "vat_registered": self.vat_registered,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read the party back."""
        return cls(**{**document, "organisation_id": UUID(document["organisation_id"])})


@dataclass(frozen=True, slots=True)
class OfferingTerms:
    """What is delivered and where, with the service level and the rate card in force.

    `unit` is the unit that the schedule prices, for example card_hours. Rates of one meter are in the order in which
    they hold; of several adjustments in force the first counts. `rated_tflops` is per unit, dense, as contracted.
    """

    offering_id: UUID
    unit: str
    cell: str
    name: str
    resource: str
    site: str
    place: str
    sla_credit_ppm: int
    rate_card_version: int | None
    rates: tuple[RateTerms, ...]
    adjustments: tuple[AdjustmentTerms, ...] = ()
    coefficients: tuple[CoefficientTerms, ...] = ()
    rated_tflops: Decimal | None = None

    def rate(self, meter: str, instant: datetime | None = None) -> RateTerms | None:
        """Return the price of a meter at an instant (else from the beginning); None when the card does not list it."""
        found = None
        for rate in self.rates:
            if rate.meter != meter:
                continue
            begins = rate.effective_from
            if begins is None or (instant is not None and begins <= instant):
                found = rate
        return found

    def factor_ppm(self, meter: str, instant: datetime) -> int:
        """Return what of the rate card's price is charged for a meter at an instant; a million is all of it."""
        for adjustment in self.adjustments:
            if adjustment.meter in {"", meter} and adjustment.holds_at(instant):
                return adjustment.factor_ppm
        return PPM

    def coefficient_at(self, precision: str, instant: datetime) -> CoefficientTerms | None:
        """Return the coefficient in force for a precision, or None when there is none."""
        for coefficient in self.coefficients:
            if coefficient.precision == precision and coefficient.holds_at(instant):
                return coefficient
        return None

    @property
    def meters(self) -> frozenset[str]:
        """The meters that readings are taken for: priced, and neither the traded unit itself nor derived from it.

        A percentile is taken where its tariff is one.
        """
        return frozenset(
            rate.meter
            for rate in self.rates
            if rate.meter != self.unit
            and rate.meter not in NORMALISED
            and (unit(rate.meter).aggregation is not Aggregation.PERCENTILE_95 or rate.model is PriceModel.PERCENTILE)
        )

    def to_document(self) -> dict[str, Any]:
        """Spell the offering as JSON values."""
        document: dict[str, Any] = {
            "offering_id": str(self.offering_id),
            "unit": self.unit,
            "cell": self.cell,
            "name": self.name,
            "resource": self.resource,
            "site": self.site,
            "place": self.place,
            "sla_credit_ppm": self.sla_credit_ppm,
            "rate_card_version": self.rate_card_version,
            "rates": [rate.to_document() for rate in self.rates],
        }
        if self.adjustments:
            document["adjustments"] = [adjustment.to_document() for adjustment in self.adjustments]
        if self.coefficients:
            document["coefficients"] = [coefficient.to_document() for coefficient in self.coefficients]
            document["rated_tflops"] = None if self.rated_tflops is None else f"{self.rated_tflops:f}"
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read the offering back."""
        rated_tflops = document.get("rated_tflops")
        return cls(
            **{
                **document,
                "offering_id": UUID(document["offering_id"]),
                "rates": tuple(RateTerms.from_document(rate) for rate in document["rates"]),
                "adjustments": tuple(AdjustmentTerms.from_document(one) for one in document.get("adjustments", ())),
                "coefficients": tuple(CoefficientTerms.from_document(one) for one in document.get("coefficients", ())),
                "rated_tflops": None if rated_tflops is None else Decimal(rated_tflops),
            }
        )


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """The exchange's rates, in parts per million, and the version of the schedule they come from."""

    version: int
    buyer_fee_ppm: int
    provider_commission_ppm: int

    def to_document(self) -> dict[str, Any]:
        """Spell the rates as JSON values."""
        return {
            "version": self.version,
            "buyer_fee_ppm": self.buyer_fee_ppm,
            "provider_commission_ppm": self.provider_commission_ppm,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read the rates back."""
        return cls(**document)


@dataclass(frozen=True, slots=True)
class TaxTerms:
    """One tax rate and when it holds; `effective_to` is None while no end is known.

    `category` is the EN 16931 code (BT-151): S standard, Z zero, E exempt, AE reverse charge, O out of scope.
    """

    jurisdiction: str
    category: str
    rate_ppm: int
    effective_from: datetime
    effective_to: datetime | None = None

    def holds_at(self, instant: datetime) -> bool:
        """Whether the rate is in force at the instant."""
        return self.effective_from <= instant and (self.effective_to is None or instant < self.effective_to)

    def to_document(self) -> dict[str, Any]:
        """Spell the rate as JSON values."""
        return {
            "jurisdiction": self.jurisdiction,
            "category": self.category,
            "rate_ppm": self.rate_ppm,
            "effective_from": self.effective_from.isoformat(),
            "effective_to": self.effective_to.isoformat() if self.effective_to else None,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read the rate back."""
        end = document["effective_to"]
        return cls(
            **{
                **document,
                "effective_from": datetime.fromisoformat(document["effective_from"]),
                "effective_to": datetime.fromisoformat(end) if end else None,
            }
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything about a contract that an invoice or a statement needs, besides its price schedule.

    `sales_taxes` apply to what the customer is invoiced, `purchase_taxes` to what the provider is paid; each
    is ordered by time and covers the contract without gaps.
    """

    market_code: str
    merchant_of_record: MerchantOfRecord
    exchange: PartyTerms
    buyer: PartyTerms
    provider: PartyTerms
    offerings: tuple[OfferingTerms, ...]
    fees: FeeTerms
    sales_taxes: tuple[TaxTerms, ...]
    purchase_taxes: tuple[TaxTerms, ...]
    payment_days: int = 30  # for buyers on credit
    dispute_days: int = 7  # after each delivered segment; the provider's money is pending until then

    def offering(self, offering_id: UUID) -> OfferingTerms:
        """Return the terms of one of the contract's offerings; KeyError when it is not in the contract."""
        for offering in self.offerings:
            if offering.offering_id == offering_id:
                return offering
        raise KeyError(offering_id)

    def to_document(self) -> dict[str, Any]:
        """Spell the terms as JSON values, in a shape that `from_document` reads back."""
        return {
            "format": FORMAT,
            "market_code": self.market_code,
            "merchant_of_record": str(self.merchant_of_record),
            "exchange": self.exchange.to_document(),
            "buyer": self.buyer.to_document(),
            "provider": self.provider.to_document(),
            "offerings": [offering.to_document() for offering in self.offerings],
            "fees": self.fees.to_document(),
            "sales_taxes": [tax.to_document() for tax in self.sales_taxes],
            "purchase_taxes": [tax.to_document() for tax in self.purchase_taxes],
            "payment_days": self.payment_days,
            "dispute_days": self.dispute_days,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read terms back; ValueError when the document is of another format."""
        if document.get("format") != FORMAT:
            raise ValueError(f"expected terms in the format {FORMAT}, got {document.get('format')!r}")
        return cls(
            market_code=document["market_code"],
            merchant_of_record=MerchantOfRecord(document["merchant_of_record"]),
            exchange=PartyTerms.from_document(document["exchange"]),
            buyer=PartyTerms.from_document(document["buyer"]),
            provider=PartyTerms.from_document(document["provider"]),
            offerings=tuple(OfferingTerms.from_document(offering) for offering in document["offerings"]),
            fees=FeeTerms.from_document(document["fees"]),
            sales_taxes=tuple(TaxTerms.from_document(tax) for tax in document["sales_taxes"]),
            purchase_taxes=tuple(TaxTerms.from_document(tax) for tax in document["purchase_taxes"]),
            payment_days=document["payment_days"],
            dispute_days=document["dispute_days"],
        )


def tax_at(taxes: Sequence[TaxTerms], instant: datetime) -> TaxTerms:
    """Return the rate in force at the instant; LookupError when none is."""
    for tax in taxes:
        if tax.holds_at(instant):
            return tax
    raise LookupError(f"no tax rate is in force at {instant.isoformat()}")


def digest(document: Mapping[str, Any], slots: Sequence[SlotTerms]) -> str:
    """Return the SHA-256 (hex) over the canonical form (RFC 8785) of the terms and the price schedule."""
    schedule = [_slot_document(slot) for slot in slots]
    return hashlib.sha256(canonical.dump({"terms": dict(document), "slots": schedule})).hexdigest()


def _slot_document(slot: SlotTerms) -> dict[str, Any]:
    document: dict[str, Any] = {
        "offering_id": str(slot.offering_id),
        "starts_at": slot.starts_at.isoformat(),
        "ends_at": slot.ends_at.isoformat(),
        "quantity": slot.quantity,
        "unit": slot.unit,
        "price_micros": slot.price_micros,
    }
    for name in ("return_credit_ppm", "pause_credit_ppm", "resale_commission_ppm", "provider_price_micros"):
        stated = getattr(slot, name)
        if stated is not None:
            document[name] = stated
    return document
