"""Reads of trades, scoped to their parties."""

from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.actors.actor import Actor, Capability
from exchange.trades.errors import TradeNotFound
from exchange.trades.models import Trade


def visible_to(actor: Actor) -> QuerySet[Trade]:
    """Return the trades that the actor may see: its organisation's purchases and sales; staff see all."""
    trades = Trade.objects.select_related("market", "offer__offering__site")
    if actor.is_staff or actor.is_system:
        return trades
    sides = Q()
    if actor.can(Capability.VIEW_BUYING):
        sides |= Q(buyer_id=actor.organisation())
    if actor.can(Capability.VIEW_SELLING):
        sides |= Q(provider_id=actor.organisation())
    return trades.filter(sides) if sides else trades.none()


def get(actor: Actor, trade_id: UUID) -> Trade:
    """Return a trade; raises TradeNotFound for one that the actor may not know of."""
    found = visible_to(actor).filter(id=trade_id).first()
    if found is None:
        raise TradeNotFound
    return found
