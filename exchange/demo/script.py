"""The made-up members and sites of the demo market as the data files say them: plain values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

from accounts.organisations.rules import OrganisationKind
from catalog.measures.price import parse_price_micros
from catalog.offerings.rules import Fabric
from catalog.sites.rules import GridConnection
from catalog.sites.services import SiteSpec

_DATA: Final = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class SitePlan:
    """A site, and its round trips to cities in milliseconds."""

    spec: SiteSpec
    latency_ms: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a provider always offers: units in every hour, at a reserve in micros a unit and hour."""

    quantity: int
    reserve_micros: int


@dataclass(frozen=True, slots=True)
class OfferingPlan:
    """An offering with its rate card (meter -> micros); only what is auctioned has a standing offer."""

    site: str
    resource_type: str
    name: str
    fabric: Fabric
    units_per_machine: int
    rates_micros: Mapping[str, int]
    standing: Standing | None


@dataclass(frozen=True, slots=True)
class ProviderPlan:
    """A data centre and what it lists."""

    name: str
    name_zh: str
    offerings: tuple[OfferingPlan, ...]


@dataclass(frozen=True, slots=True)
class BuyerPlan:
    """Somebody who buys."""

    name: str
    name_zh: str
    kind: OrganisationKind


@cache
def sites() -> tuple[SitePlan, ...]:
    """Return the sites of all eight hubs, without that of the story."""
    return tuple(_site(dict(row)) for row in _rows("sites"))


@cache
def providers() -> tuple[ProviderPlan, ...]:
    """Return the data centres; those of the story are among them with what else they list."""
    return tuple(
        ProviderPlan(row["name"], row["name_zh"], tuple(_offering(each) for each in row["offerings"]))
        for row in _rows("providers")
    )


@cache
def buyers() -> tuple[BuyerPlan, ...]:
    """Return the buyers, without those of the story."""
    return tuple(BuyerPlan(row["name"], row["name_zh"], OrganisationKind(row["kind"])) for row in _rows("buyers"))


def standing() -> tuple[OfferingPlan, ...]:
    """Return the offerings that are always on offer."""
    return tuple(plan for provider in providers() for plan in provider.offerings if plan.standing is not None)


def _rows(name: str) -> list[dict[str, Any]]:
    document = json.loads((_DATA / f"{name}.json").read_text(encoding="utf-8"))
    return list(document[name])


def _site(row: dict[str, Any]) -> SitePlan:
    latency_ms = {metro: Decimal(ms) for metro, ms in row.pop("latency_ms").items()}
    row["pue"] = Decimal(row["pue"])
    row["grid_connection"] = GridConnection(row["grid_connection"])
    return SitePlan(SiteSpec(**row), latency_ms)


def _offering(row: Mapping[str, Any]) -> OfferingPlan:
    standing = row.get("standing")
    return OfferingPlan(
        site=row["site"],
        resource_type=row["resource_type"],
        name=row["name"],
        fabric=Fabric(row["fabric"]),
        units_per_machine=row["units_per_machine"],
        rates_micros={meter: parse_price_micros(price) for meter, price in row["rates"].items()},
        standing=standing and Standing(standing["quantity"], parse_price_micros(standing["reserve"])),
    )
