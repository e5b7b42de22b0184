"""Reads of indications."""

from uuid import UUID

from accounts.actors.actor import Actor, Capability
from exchange.indications.errors import NothingIndicated
from exchange.indications.models import Indication, OrderOdds
from exchange.markets.models import Market
from exchange.orders import queries as orders
from exchange.rounds.models import Round
from exchange.rounds.rules import TAKING_ORDERS


def latest_of(coming: Round) -> Indication | None:
    """Return the latest indication of a round; None before its no-cancel phase."""
    return coming.indications.order_by("-taken_at", "-place").first()


def own_odds(actor: Actor, indication: Indication) -> list[OrderOdds]:
    """Return what the orders of the actor's organisation would have got, as far as the actor may read them."""
    if not actor.can(Capability.VIEW_BUYING):
        return []
    own = indication.odds.filter(order__buyer_id=actor.organisation())
    return list(own.select_related("order").order_by("order__seq"))


def latest(market: Market) -> Indication | None:
    """Return the latest indication of the round that takes orders; None before its no-cancel phase."""
    of_coming = Indication.objects.filter(round__market=market, round__status__in=TAKING_ORDERS)
    return of_coming.select_related("round").order_by("-taken_at", "-place").first()


def odds(actor: Actor, order_id: UUID) -> OrderOdds:
    """Return the latest odds of an order that the actor may read; raises OrderNotFound, NothingIndicated."""
    order = orders.get(actor, order_id)
    found = OrderOdds.objects.filter(order=order).select_related("indication__round", "order")
    latest_odds = found.order_by("-indication__taken_at", "-indication__place").first()
    if latest_odds is None:
        raise NothingIndicated
    return latest_odds
