"""An offering's states, the code of its cell, and what the cell is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import Final

from catalog.offerings.needs import CellAttributes
from catalog.sites.rules import round_trip_ms


class OfferingStatus(StrEnum):
    """How far an offering is on its way to buyers."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    LISTED = "listed"
    SUSPENDED = "suspended"
    RETIRED = "retired"


MOVES: Final[Mapping[OfferingStatus, frozenset[OfferingStatus]]] = {
    OfferingStatus.DRAFT: frozenset({OfferingStatus.SUBMITTED, OfferingStatus.RETIRED}),
    OfferingStatus.SUBMITTED: frozenset({OfferingStatus.LISTED, OfferingStatus.DRAFT, OfferingStatus.RETIRED}),
    OfferingStatus.LISTED: frozenset({OfferingStatus.SUSPENDED, OfferingStatus.RETIRED}),
    OfferingStatus.SUSPENDED: frozenset({OfferingStatus.LISTED, OfferingStatus.RETIRED}),
    OfferingStatus.RETIRED: frozenset(),
}


class Fabric(StrEnum):
    """The network between the cards of an offering."""

    ROCE = "roce"
    INFINIBAND = "ib"
    NVLINK = "nvlink"
    ETHERNET = "ethernet"
    NONE = "none"


class Quality(StrEnum):
    """The quality of service of an offering: how its jobs stand to others on the same machines."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Cell:
    """What is traded as one product: its code, and what it is."""

    code: str
    attributes: CellAttributes


@dataclass(frozen=True, slots=True)
class CellParts:
    """What decides which cell an offering belongs to.

    The site and the resource type give the standard; the listing may deviate in security level, rated
    performance (dense FP16 TFLOPS per unit) and memory, and is then a cell of its own.
    """

    site_code: str
    hub_code: str
    site_security: int
    green_percent: int | None
    type_code: str
    type_memory_gb: int | None
    type_tflops: Decimal | None
    fabric: str
    security: int | None = None
    rated_tflops: Decimal | None = None
    memory_gb: int | None = None


def can_move(before: str, after: str) -> bool:
    """Whether an offering may change between two states."""
    return OfferingStatus(after) in MOVES[OfferingStatus(before)]


def cell_code(parts: CellParts) -> str:
    """Return the code of the cell, such as "zjk-1/ascend-910b3/roce".

    A deviation follows as a further part: "/s3" for the security level, "/t280" for the rated TFLOPS,
    "/m128" for the memory. A listing that states just the standard is in the standard cell.
    """
    code = [parts.site_code, parts.type_code, parts.fabric]
    if parts.security not in (None, parts.site_security):
        code.append(f"s{parts.security}")
    if parts.rated_tflops is not None and parts.rated_tflops != parts.type_tflops:
        code.append(f"t{plain(parts.rated_tflops)}")
    if parts.memory_gb not in (None, parts.type_memory_gb):
        code.append(f"m{parts.memory_gb}")
    return "/".join(code)


def cell_attributes(parts: CellParts, latencies: Iterable[tuple[str, int, str]] = ()) -> CellAttributes:
    """Return what the cell is as needs are checked against it.

    `latencies` are (metro code, whole milliseconds, metric). A stated value of the listing comes before the
    standard; performance is rounded down to whole TFLOPS, so that no bound is met by rounding.
    """
    tflops = parts.type_tflops if parts.rated_tflops is None else parts.rated_tflops
    return CellAttributes(
        model=parts.type_code,
        region=parts.hub_code,
        memory_gb=parts.type_memory_gb if parts.memory_gb is None else parts.memory_gb,
        tflops=None if tflops is None else int(tflops.to_integral_value(rounding=ROUND_FLOOR)),
        green_percent=parts.green_percent,
        security=parts.site_security if parts.security is None else parts.security,
        interconnect=parts.fabric,
        latency_ms={metro: round_trip_ms(latency_ms, metric) for metro, latency_ms, metric in latencies},
    )


def plain(value: Decimal) -> str:
    """Spell a decimal without exponent and trailing zeros: 280.000 is "280"."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
