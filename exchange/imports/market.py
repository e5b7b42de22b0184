"""The market that imported offers and orders meet in: cards by the hour in US dollars, a gate every hour."""

from datetime import date, datetime
from typing import Final

from accounts.actors.actor import Actor
from exchange.imports.alibaba import TICK_MICROS
from exchange.markets import services as markets
from exchange.markets.models import Market
from exchange.markets.rules import MarketSpec, MarketTerms

CODE: Final = "gpu-usd"
SPEC: Final = MarketSpec(
    code=CODE,
    name="GPU cards in US dollars",
    name_zh="美元计价卡时",
    service_class="ai_acceleration",
    unit="card_hours",
    terms=MarketTerms(
        currency="USD",
        timezone="UTC",
        epoch=date(2026, 1, 1),
        grid_slots=1,
        lot_units=1,
        tick_micros=TICK_MICROS,
        collar_min_micros=TICK_MICROS,
        collar_max_micros=100_000_000,
        gate_interval_seconds=3600,
        gate_offset_seconds=0,
        no_cancel_seconds=300,
        lead_seconds=1800,
        horizon_hours=14 * 24,
    ),
)


def opened(actor: Actor, *, now: datetime) -> Market:
    """Return the market, opened first when it is not there."""
    return Market.objects.filter(code=CODE).first() or markets.create(actor, SPEC, now=now)
