"""Writing trades down."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.events.models import Event
from accounts.foundation import ids, rows
from exchange.trades.models import Trade


def make(actor: Actor, agreed: Iterable[Trade], *, now: datetime) -> list[Trade]:
    """Write trades that were decided in this transaction, with their trail, and tell both sides of each."""
    made = rows.insert(agreed)
    said = {trade.id: _said(trade) for trade in made}
    audit.record_all(
        audit.of(actor, "trade.made", "trade", trade.id, None, said[trade.id], now=now, organisation_id=trade.buyer_id)
        for trade in made
    )
    events.emit_all(event for trade in made for event in _told(trade, said[trade.id], now=now))
    return made


def _said(trade: Trade) -> dict[str, Any]:
    return {
        "trade": ids.spell("trd", trade.id),
        **({"round": ids.spell("rnd", trade.round_id)} if trade.round_id else {}),
        "contract": ids.spell("ctr", trade.contract_id),
        "quantity": trade.quantity,
        "starts_at": trade.starts_at.isoformat(),
        "ends_at": trade.ends_at.isoformat(),
        "price_micros": trade.price_micros,
        "currency": trade.currency,
    }


def _told(trade: Trade, said: dict[str, Any], *, now: datetime) -> tuple[Event, Event]:
    """Return what buyer and provider are told: each learns its own order, quote or offer, not the other's.

    An offer of hours that are sold back is not the provider's own.
    """
    bought_with = {"order": ids.spell("ord", trade.order_id)} if trade.order_id else {}
    if trade.quote_id:
        bought_with["quote"] = ids.spell("qte", trade.quote_id)
    sold_from = {} if trade.offer.origin_id else {"offer": ids.spell("off", trade.offer_id)}
    return (
        events.of("trade.made", "trade", trade.id, trade.buyer_id, said | bought_with, now=now),
        events.of("trade.made", "trade", trade.id, trade.provider_id, said | sold_from, now=now),
    )
