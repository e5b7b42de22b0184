"""A site's states, its checks, and latency as buyers see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import Final


class SiteStatus(StrEnum):
    """How far a site is on its way into the catalogue."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    LISTED = "listed"
    SUSPENDED = "suspended"
    RETIRED = "retired"


MOVES: Final[Mapping[SiteStatus, frozenset[SiteStatus]]] = {
    SiteStatus.DRAFT: frozenset({SiteStatus.SUBMITTED, SiteStatus.RETIRED}),
    SiteStatus.SUBMITTED: frozenset({SiteStatus.LISTED, SiteStatus.DRAFT, SiteStatus.RETIRED}),
    SiteStatus.LISTED: frozenset({SiteStatus.SUSPENDED, SiteStatus.RETIRED}),
    SiteStatus.SUSPENDED: frozenset({SiteStatus.LISTED, SiteStatus.RETIRED}),
    SiteStatus.RETIRED: frozenset(),
}


class GridConnection(StrEnum):
    """How far a site is connected to the national compute network (算力并网)."""

    NONE = "none"
    APPLIED = "applied"
    TESTING = "testing"
    CONNECTED = "connected"


class LatencyMetric(StrEnum):
    """What a latency was measured as; sources leave it open, so each figure says it."""

    ONE_WAY = "one_way"
    ROUND_TRIP = "rtt"


@dataclass(frozen=True, slots=True)
class LatencyTier:
    """A bound of the national network: within a metro, a region, or between hubs."""

    code: str
    name_en: str
    name_zh: str
    max_rtt_ms: int


def can_move(before: str, after: str) -> bool:
    """Whether a site may change between two states."""
    return SiteStatus(after) in MOVES[SiteStatus(before)]


def whole_ms(latency: Decimal) -> int:
    """Return a measured latency in whole milliseconds, rounded up: a bound must not be met by rounding."""
    return int(latency.to_integral_value(rounding=ROUND_CEILING))


def round_trip_ms(latency_ms: int, metric: str) -> int:
    """Return a latency as a round trip; a one-way figure counts twice."""
    return latency_ms * 2 if LatencyMetric(metric) is LatencyMetric.ONE_WAY else latency_ms


def tier_met(rtt_ms: int, tiers: tuple[LatencyTier, ...]) -> LatencyTier | None:
    """Return the tightest tier that a round trip keeps, or None when it keeps none."""
    kept = [tier for tier in tiers if rtt_ms <= tier.max_rtt_ms]
    return min(kept, key=lambda tier: tier.max_rtt_ms, default=None)
