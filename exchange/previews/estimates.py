"""What a draft order would probably cost, and where that price comes from.

The nearest source that says something of the same cells and hours is taken: what the coming gate would find, what the
last round published, the index of what has been traded there, the lowest reserve in the open book.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from billing.contracts import rules as contract_rules
from billing.contracts.rules import WorstCase
from catalog.measures.interval import HOUR
from exchange.indications import queries as indications
from exchange.marketdata import queries as marketdata
from exchange.marketdata.rules import Window
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.orders.rules import Rates
from exchange.previews.book import Book, Draft, Match
from exchange.rounds.models import Round, RoundPrice
from exchange.rounds.rules import RoundStatus

# From then to then, the price a unit-hour in micros.
PricedRun = tuple[datetime, datetime, int]


class PriceSource(StrEnum):
    """Where an estimated price comes from."""

    INDICATIVE = "indicative"
    LAST_ROUND = "last_round"
    INDEX = "index"
    OPEN_RESERVE = "open_reserve"


@dataclass(frozen=True)
class Estimate:
    """A price per unit-hour that the draft would probably see, where it comes from, and what that costs in all."""

    source: PriceSource
    price_micros: int
    lowest_micros: int
    highest_micros: int
    # When the indication was taken, the round published or the day of the index began; None for the open book.
    as_of: datetime | None
    cost: WorstCase


@dataclass(frozen=True)
class _Priced:
    source: PriceSource
    as_of: datetime
    by_slot: Mapping[int, int]


def estimate(
    market: Market, book: Book, draft: Draft, match: Match, rates: Rates, *, gate_at: datetime
) -> Estimate | None:
    """Return the probable price of a draft over the hours of its match, without one over its window."""
    met = book.table.meeting(draft.needs)
    start, end = (match.start, match.end) if match.fits else (draft.earliest, draft.latest)
    unit_hours = match.unit_hours if match.fits else draft.units_max * (draft.hours or draft.latest - draft.earliest)
    places = [place for place, is_met in enumerate(met) if is_met]
    codes = [book.table.codes[place] for place in places]
    found = _indicated(market, codes, start, end, gate_at=gate_at) or _published(market, codes, start, end)
    if found is None:
        cells = (book.table.cells[place] for place in places)
        found = _index(market, {(cell.model, cell.region) for cell in cells}, start, end)
    if found is not None:
        prices = list(found.by_slot.values())
        price = sum(prices) // len(prices)
        asked = cost(unit_hours, price, rates, market.currency)
        return Estimate(found.source, price, min(prices), max(prices), found.as_of, asked)
    reserves = book.reserves_of(met, start, end)
    if not reserves:
        return None
    asked = cost(unit_hours, reserves[0], rates, market.currency)
    return Estimate(PriceSource.OPEN_RESERVE, reserves[0], reserves[0], reserves[-1], None, asked)


def cost(unit_hours: int, price_micros: int, rates: Rates, currency: str) -> WorstCase:
    """Return what unit-hours cost at a price, with fee and tax."""
    value_minor = contract_rules.value_at(unit_hours, 1, price_micros, currency=currency)
    return contract_rules.worst_case(value_minor, fee_ppm=rates.buyer_fee_ppm, tax_ppm=rates.tax_rate_ppm)


def _indicated(market: Market, codes: list[str], start: int, end: int, *, gate_at: datetime) -> _Priced | None:
    latest = indications.latest(market)
    if latest is None or latest.round.scheduled_at != gate_at:
        return None
    cells = set(codes)
    runs = (
        (datetime.fromisoformat(line["starts_at"]), datetime.fromisoformat(line["ends_at"]), line["price_micros"])
        for line in latest.lines
        if line["cell"] in cells
    )
    hourly = _lowest_by_slot(market, runs, start, end)
    return _Priced(PriceSource.INDICATIVE, latest.taken_at, hourly) if hourly else None


def _published(market: Market, codes: list[str], start: int, end: int) -> _Priced | None:
    last = Round.objects.filter(market=market, status=RoundStatus.PUBLISHED).order_by("-scheduled_at").first()
    if last is None or last.published_at is None:
        return None
    first_at, end_at = (market_rules.instant_of(market.terms, slot) for slot in (start, end))
    rows = RoundPrice.objects.filter(round=last, cell__in=codes, starts_at__lt=end_at, ends_at__gt=first_at)
    hourly = _lowest_by_slot(market, rows.values_list("starts_at", "ends_at", "price_micros"), start, end)
    return _Priced(PriceSource.LAST_ROUND, last.published_at, hourly) if hourly else None


def _index(market: Market, pairs: set[tuple[str, str]], start: int, end: int) -> _Priced | None:
    """Return the lowest index of kinds and hubs on the delivery days of the hours, carried ones among them."""
    first_at, end_at = (market_rules.instant_of(market.terms, slot) for slot in (start, end))
    days = [day for day in marketdata.index(market, Window(first_at, end_at)) if (day.resource_type, day.hub) in pairs]
    if not days:
        return None
    zone = ZoneInfo(market.timezone)
    lowest = {
        market_rules.slot_at(market.terms, datetime.combine(day, time(), zone)): min(
            one.price_micros for one in days if one.day == day
        )
        for day in {one.day for one in days}
    }
    newest = datetime.combine(max(one.value_of for one in days), time(), zone)
    return _Priced(PriceSource.INDEX, newest, lowest)


def _lowest_by_slot(market: Market, runs: Iterable[PricedRun], start: int, end: int) -> dict[int, int]:
    """Return by slot of `[start, end)` the lowest price that covers it."""
    prices: dict[int, int] = {}
    for starts_at, ends_at, price_micros in runs:
        first = market_rules.slot_at(market.terms, starts_at)
        for slot in range(max(start, first), min(end, first + (ends_at - starts_at) // HOUR)):
            prices[slot] = min(price_micros, prices.get(slot, price_micros))
    return prices
