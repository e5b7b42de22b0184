"""Indicate: copy the live book, clear the copy outside any transaction, and say what came of it.

Nothing of it binds: the gate freezes a book of its own.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from accounts.foundation import clock, ids
from accounts.jobs.registry import Renew
from exchange.auctions import book as books
from exchange.auctions import deals, gates, queries
from exchange.clearing import book as clearing_books
from exchange.clearing import engine
from exchange.clearing.book import Book
from exchange.clearing.large.search import BRIEF
from exchange.clearing.limits import DEFAULT, Limits
from exchange.clearing.outcome import Outcome
from exchange.indications import rules
from exchange.indications.models import Indication, OrderOdds
from exchange.indications.rules import Line, Odds
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.offers import queries as offers
from exchange.orders import queries as orders
from exchange.orders.rules import OrderStatus
from exchange.rounds.models import Round
from exchange.rounds.rules import TAKING_ORDERS

# An indication is worth something before the gate only: small programs, and no long polish.
LIMITS: Final[Limits] = replace(
    DEFAULT, nodes=500, work=100_000_000, program_binaries=5_000, passes=2, insertions=500, annealed_states=2_000
)
LARGE_LIMITS: Final = replace(BRIEF, whole_binaries=1_000)
_BATCH: Final = 1_000


@dataclass(frozen=True)
class _Copy:
    round: Round
    book: Book
    taken_at: datetime


def indicate(key: str, payload: Mapping[str, Any], *, renew: Renew) -> None:
    """Take the indication that a key such as `{round id}/1` names; safe to repeat. Past the gate there is none."""
    round_id, _, place = key.partition("/")
    if Indication.objects.filter(round_id=round_id, place=int(place)).exists():
        return
    copy = _copy(UUID(round_id))
    if copy is None:
        return
    result = engine.clear(copy.book, limits=LIMITS, large_limits=LARGE_LIMITS)
    renew()
    outcome = deals.with_whole_unit_prices(result.outcome, lot_units=copy.round.market.lot_units)
    _store(copy, int(place), outcome, engine_version=result.engine_version, degraded=result.degraded)


def _copy(round_id: UUID) -> _Copy | None:
    """Read the live book as of one instant; None when the round takes no orders any more."""
    with transaction.atomic():
        if not connection.savepoint_ids:  # the outermost transaction, as in a worker
            with connection.cursor() as cursor:
                # Before the first query, so that orders, offers and what they sold are of one instant.
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        concerned = Round.objects.select_related("market").get(id=round_id)
        now = clock.now()
        if concerned.status not in TAKING_ORDERS or now >= concerned.scheduled_at:
            return None
        market = concerned.market
        wanting = orders.live(market.id).filter(status=OrderStatus.OPEN)
        selling = offers.live(market.id).filter(locked_at__isnull=True)
        frozen = books.freeze(
            gates.grid_of(concerned), queries.supplies(market, selling), queries.demands(market, wanting)
        )
        return _Copy(concerned, frozen.book, now)


@transaction.atomic
def _store(copy: _Copy, place: int, outcome: Outcome, *, engine_version: str, degraded: bool) -> None:
    now = clock.now()
    if now >= copy.round.scheduled_at:
        return  # nobody could act on it any more
    lines, odds = rules.indicate(copy.book, outcome)
    market = copy.round.market
    made, is_new = Indication.objects.get_or_create(
        round=copy.round,
        place=place,
        defaults={
            "taken_at": copy.taken_at,
            "book_digest": clearing_books.digest(copy.book),
            "outcome_digest": outcome.digest(),
            "engine_version": engine_version,
            "degraded": degraded,
            "matched_unit_hours": sum(line.matched for line in lines) * market.lot_units,
            "lines": [_line(market, line) for line in lines],
            "created_at": now,
        },
    )
    if is_new:  # of two workers the second finds it said
        OrderOdds.objects.bulk_create(_odds(made, market, odds), batch_size=_BATCH)


def _line(market: Market, line: Line) -> dict[str, Any]:
    lot = market.lot_units
    return {
        "cell": line.cell,
        "starts_at": market_rules.instant_of(market.terms, line.start).isoformat(),
        "ends_at": market_rules.instant_of(market.terms, line.end).isoformat(),
        "price_micros": line.price // lot,
        "matched_unit_hours": line.matched * lot,
        "spare_unit_hours": line.spare * lot,
        "unmet_unit_hours": line.unmet * lot,
    }


def _odds(made: Indication, market: Market, odds: list[Odds]) -> list[OrderOdds]:
    """Return one row for each order, the parts of a partly filled one together."""
    lot = market.lot_units
    parts: dict[str, list[Odds]] = defaultdict(list)
    for each in odds:
        parts[books.base_id(each.order)].append(each)
    best = {
        order: min((price for each in own if (price := each.best_price) is not None), default=None)
        for order, own in parts.items()
    }
    return [
        OrderOdds(
            indication=made,
            order_id=ids.parse("ord", order),
            filled_unit_hours=sum(each.filled for each in own) * lot,
            wanted_unit_hours=sum(each.wanted for each in own) * lot,
            limit_micros=own[0].limit // lot,
            best_price_micros=None if (price := best[order]) is None else -(-price // lot),
        )
        for order, own in sorted(parts.items())
    ]
