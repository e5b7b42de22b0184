"""Reads of indications."""

from uuid import UUID

from accounts.actors.actor import Actor
from exchange.indications.errors import NothingIndicated
from exchange.indications.models import Indication, OrderOdds
from exchange.markets.models import Market
from exchange.orders import queries as orders
from exchange.rounds.rules import TAKING_ORDERS


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
