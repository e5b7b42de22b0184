"""Reads of orders, and of what could fill them."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from accounts.actors.actor import Actor, Capability
from accounts.foundation import ids
from accounts.foundation.errors import FieldProblem
from billing.contracts import drafting
from billing.contracts import rules as contract_rules
from billing.contracts.rules import WorstCase
from catalog.offerings import cells
from catalog.offerings import queries as offerings
from catalog.offerings.needs import Needs, Unmet
from exchange.markets import queries as markets
from exchange.markets.models import Market
from exchange.markets.rules import MarketTerms
from exchange.offers import queries as offers
from exchange.orders.errors import OrderNotFound
from exchange.orders.models import Order
from exchange.orders.rules import LIVE, OrderTerms
from exchange.rounds import collars


def visible_to(actor: Actor) -> QuerySet[Order]:
    """Return the orders an actor may read: a buyer its own, staff all."""
    orders = Order.objects.select_related("market", "project", "buyer", "hold")
    if actor.is_staff:
        return orders
    actor.require(Capability.VIEW_BUYING)
    return orders.filter(buyer_id=actor.organisation_id)


def get(actor: Actor, order_id: UUID) -> Order:
    """Return one visible order; raises OrderNotFound."""
    order = visible_to(actor).filter(id=order_id).first()
    if order is None:
        raise OrderNotFound
    return order


def own(actor: Actor, order_id: UUID) -> Order:
    """Return one order of the actor's organisation, to change it; raises OrderNotFound."""
    order = Order.objects.select_related("market").filter(id=order_id, buyer_id=actor.organisation()).first()
    if order is None:
        raise OrderNotFound
    return order


def live(market_id: UUID) -> QuerySet[Order]:
    """Return the orders of a market that are not decided for good, in the order in which they came."""
    return Order.objects.filter(market_id=market_id, status__in=LIVE).order_by("seq")


def own_offer_that_could_meet(
    market: Market, needs: Needs, *, buyer_id: UUID, earliest_at: datetime, latest_at: datetime
) -> str | None:
    """Return the id of a live offer of the buyer's own that could fill the order, spelled outside."""
    own_offers = offers.live(market.id).filter(
        offers.of_seller(buyer_id), starts_at__lt=latest_at, ends_at__gt=earliest_at
    )
    offering_ids = set(own_offers.values_list("offering_id", flat=True))
    if not offering_ids:
        return None  # as of nearly every buyer
    matching = offerings.matching(markets.listed_offerings(market).filter(id__in=offering_ids), needs)
    found = own_offers.filter(offering_id__in=matching.order_by().values("id")).first()
    return None if found is None else ids.spell("off", found.id)


def terms_for(market: Market, needs: Needs, *, now: datetime) -> MarketTerms:
    """Return the market's terms with the prices that the kinds which meet the needs allow now."""
    if market.collar_percent is None:
        return market.terms
    met = offerings.matching(markets.listed_offerings(market), needs)
    kinds = met.order_by().values_list("resource_type__code", flat=True).distinct()
    return collars.terms_for(market, kinds, now=now)


def can_be_met(market: Market, needs: Needs) -> bool:
    """Whether some listed cell of the market meets every need."""
    return offerings.matching(markets.listed_offerings(market), needs).exists()


def unsatisfied(market: Market, needs: Needs) -> list[FieldProblem]:
    """Return which need excludes how many of the market's listed cells, the one that excludes most first.

    To be asked when no cell meets all of them; empty when no cell is listed at all.
    """
    unmet_by_cell: dict[str, tuple[Unmet, ...]] = {}
    for offering in markets.listed_offerings(market):
        unmet_by_cell.setdefault(cells.code(offering), needs.unmet_by(cells.attributes(offering)))
    excluded = Counter(unmet.need for all_unmet in unmet_by_cell.values() for unmet in all_unmet)
    ranked = sorted(excluded, key=lambda need: (-excluded[need], need))
    return list(_reasons(ranked, excluded, cell_count=len(unmet_by_cell), document=needs.to_document()))


def _reasons(
    ranked: list[str], excluded: Counter[str], *, cell_count: int, document: dict[str, object]
) -> Iterator[FieldProblem]:
    for need in ranked:
        share = (
            f"{excluded[need]} of {cell_count} listed cells"
            if excluded[need] < cell_count
            else ("the only listed cell" if cell_count == 1 else f"all {cell_count} listed cells")
        )
        yield FieldProblem(f"/needs/{need}", f"{need} = {_shown(document[need])} excludes {share}")


def _shown(value: object) -> str:
    if isinstance(value, list):
        return " or ".join(str(choice) for choice in value)
    if isinstance(value, dict):
        return f"{value['ms']} ms to {value['metro']}"
    return str(value)


def worst_case(market: Market, terms: OrderTerms, *, at: datetime) -> WorstCase:
    """Return what an order would cost at most if it were placed at an instant: value, fee and tax."""
    value_minor = contract_rules.value_at(terms.unit_hours, 1, terms.limit_micros, currency=market.currency)
    fee_ppm, tax_ppm = drafting.fees_at(at).buyer_fee_ppm, drafting.sales_tax_at(at).rate_ppm
    return contract_rules.worst_case(value_minor, fee_ppm=fee_ppm, tax_ppm=tax_ppm)
