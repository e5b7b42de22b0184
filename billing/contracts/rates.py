"""The prices of a contract beside its schedule, as plain values: rate card, adjustments and coefficients."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from catalog.measures import tariffs
from catalog.measures.tariffs import Period, PriceModel, Tariff, Tier


@dataclass(frozen=True, slots=True)
class RateTerms:
    """One price of the rate card: `price_micros` per `base_quantity` of the meter's unit, or a model with tiers.

    `effective_from` is None for the price that holds from the beginning; a later one was announced before the contract
    was made. `precision` says which coefficients apply to normalised performance.
    """

    meter: str
    price_micros: int
    base_quantity: int = 1
    model: PriceModel = PriceModel.FLAT
    tiers: tuple[Tier, ...] = ()
    minimum_micros: int = 0
    period: Period = Period.CONTRACT
    precision: str = ""
    effective_from: datetime | None = None

    @property
    def tariff(self) -> Tariff:
        """The price without the meter."""
        return Tariff(self.price_micros, self.base_quantity, self.model, self.tiers, self.minimum_micros, self.period)

    @property
    def by_event(self) -> bool:
        """Whether each reading has its price by itself; asked for each of them."""
        return tariffs.by_event(self.model, self.minimum_micros)

    def to_document(self) -> dict[str, Any]:
        """Spell the price as JSON values; what is usual is left out."""
        document: dict[str, Any] = {
            "meter": self.meter,
            "price_micros": self.price_micros,
            "base_quantity": self.base_quantity,
        }
        if self.model is not PriceModel.FLAT:
            document["model"] = str(self.model)
        if self.tiers:
            document["tiers"] = [[tier.up_to, tier.price_micros] for tier in self.tiers]
        if self.minimum_micros:
            document["minimum_micros"] = self.minimum_micros
        if not self.by_event:
            document["period"] = str(self.period)
        if self.precision:
            document["precision"] = self.precision
        if self.effective_from is not None:
            document["effective_from"] = self.effective_from.isoformat()
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read the price back."""
        return cls(
            meter=document["meter"],
            price_micros=document["price_micros"],
            base_quantity=document["base_quantity"],
            model=PriceModel(document.get("model", PriceModel.FLAT)),
            tiers=tuple(Tier(up_to, price_micros) for up_to, price_micros in document.get("tiers", ())),
            minimum_micros=document.get("minimum_micros", 0),
            period=Period(document.get("period", Period.CONTRACT)),
            precision=document.get("precision", ""),
            effective_from=_instant(document.get("effective_from")),
        )


@dataclass(frozen=True, slots=True)
class AdjustmentTerms:
    """What a customer class or a quality of service makes of the rate card: 600,000 ppm is 60 % of its prices.

    An empty `meter` stands for every meter of the offering. `reason` names the class and the quality.
    """

    reason: str
    factor_ppm: int
    effective_from: datetime
    effective_to: datetime | None = None
    meter: str = ""

    def holds_at(self, instant: datetime) -> bool:
        """Whether it is in force at the instant."""
        return self.effective_from <= instant and (self.effective_to is None or instant < self.effective_to)

    def to_document(self) -> dict[str, Any]:
        """Spell the adjustment as JSON values."""
        return {
            "reason": self.reason,
            "factor_ppm": self.factor_ppm,
            "effective_from": self.effective_from.isoformat(),
            "effective_to": self.effective_to.isoformat() if self.effective_to else None,
            "meter": self.meter,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read the adjustment back."""
        return cls(
            reason=document["reason"],
            factor_ppm=document["factor_ppm"],
            effective_from=datetime.fromisoformat(document["effective_from"]),
            effective_to=_instant(document["effective_to"]),
            meter=document["meter"],
        )


@dataclass(frozen=True, slots=True)
class CoefficientTerms:
    """By how much rated performance of a precision counts, in millionths, while it is in force."""

    precision: str
    coefficient_ppm: int
    version: int
    effective_from: datetime
    effective_to: datetime | None = None

    def holds_at(self, instant: datetime) -> bool:
        """Whether it is in force at the instant."""
        return self.effective_from <= instant and (self.effective_to is None or instant < self.effective_to)

    def to_document(self) -> dict[str, Any]:
        """Spell the coefficient as JSON values."""
        return {
            "precision": self.precision,
            "coefficient_ppm": self.coefficient_ppm,
            "version": self.version,
            "effective_from": self.effective_from.isoformat(),
            "effective_to": self.effective_to.isoformat() if self.effective_to else None,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read the coefficient back."""
        return cls(
            precision=document["precision"],
            coefficient_ppm=document["coefficient_ppm"],
            version=document["version"],
            effective_from=datetime.fromisoformat(document["effective_from"]),
            effective_to=_instant(document["effective_to"]),
        )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
