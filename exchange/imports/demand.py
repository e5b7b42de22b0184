"""Puts parsed orders into a market: buyers with money in their wallets, and orders."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.foundation import ids
from accounts.foundation.errors import DomainError
from accounts.organisations.rules import OrganisationKind
from billing.payments import services as payments
from billing.payments.rules import BankLine
from catalog.measures.interval import HOUR
from catalog.measures.money import Money
from exchange.imports import loading
from exchange.imports.alibaba import CURRENCY, ParsedOrder, ParsedOrders
from exchange.imports.errors import NothingToImport
from exchange.imports.loading import SYSTEM, Loaded
from exchange.markets.models import Market
from exchange.orders import rules as order_rules
from exchange.orders import services as orders
from exchange.orders.rules import OrderSpec, OrderTerms

SOURCE: Final = "alibaba"
# Amounts are rounded up to whole hundreds of the currency, with some to spare for metered extras.
_ROUND_MINOR: Final = 100_00
_SPARE_PERCENT: Final = 10


@transaction.atomic
def load_orders(
    parsed: ParsedOrders,
    *,
    market: Market,
    actor: Actor,
    now: datetime,
    starts_at: datetime,
    rate: Decimal | None = None,
) -> Loaded:
    """Fund the buyers and place every order now, its hours counted from `starts_at`, or nothing at all.

    An order that the market refuses is counted under the code of the refusal. `actor` is the operator on duty.
    Raises RateNeeded and NothingToImport.
    """
    actor.require(Capability.OPERATE)
    buyers = fund_buyers(parsed, market=market, now=now, rate=rate)
    refused: Counter[str] = Counter()
    for order in parsed.orders:
        spec = order_spec(order, market=market, starts_at=starts_at, rate=rate)
        try:
            with transaction.atomic():  # a refused order changes nothing, and the others stay
                orders.place(buyers[order.buyer], spec, now=now)
        except DomainError as refusal:
            refused[f"refused: {refusal.code}"] += 1
    entered = len(parsed.orders) - refused.total()
    if not entered:
        raise NothingToImport("order")
    return Loaded(entered, len(buyers), loading.tally(parsed.left_out, refused))


@transaction.atomic
def fund_buyers(
    parsed: ParsedOrders, *, market: Market, now: datetime, rate: Decimal | None = None
) -> Mapping[int, Actor]:
    """Return an actor for each buyer, registered when new, with the worst case of all its orders in its wallet."""
    rates = orders.current_rates(now)
    needed: Counter[int] = Counter()
    for order in parsed.orders:
        spec = order_spec(order, market=market, starts_at=now, rate=rate)
        needed[order.buyer] += order_rules.requirement_minor(spec.terms, rates, currency=market.currency)
    buyers: dict[int, Actor] = {}
    for buyer, amount_minor in sorted(needed.items()):
        organisation = loading.synthetic_organisation(
            f"Trace buyer {buyer + 1:02d}", f"{SOURCE.upper()}-BUYER-{buyer}", OrganisationKind.LAB, "CN", now=now
        )
        buyers[buyer] = loading.acting_for(organisation, Capability.VIEW_BUYING, Capability.TRADE)
        with_spare = amount_minor * (100 + _SPARE_PERCENT) // 100
        top_up_minor = -(-with_spare // _ROUND_MINOR) * _ROUND_MINOR
        _top_up(buyers[buyer], Money(top_up_minor, market.currency), payer=organisation.name, now=now)
    return buyers


def order_spec(order: ParsedOrder, *, market: Market, starts_at: datetime, rate: Decimal | None = None) -> OrderSpec:
    """Return a parsed order as one of the market's, its hours counted from `starts_at`. Raises RateNeeded."""
    factor = loading.rate_into(market, CURRENCY, rate)
    return OrderSpec(
        market_id=market.id,
        kind=order.kind,
        single_site=order.single_site,
        limit_source=order.limit_source,
        terms=OrderTerms(
            quantity_max=order.quantity_max,
            quantity_min=order.quantity_min,
            hours=order.hours,
            earliest_at=starts_at + order.earliest_hour * HOUR,
            latest_at=starts_at + order.latest_hour * HOUR,
            needs=order.needs,
            limit_micros=loading.near_tick(market, loading.converted(order.limit_micros, factor)),
        ),
    )


def _top_up(buyer: Actor, amount: Money, *, payer: str, now: datetime) -> None:
    top_up = payments.request_top_up(buyer, amount, now=now)
    line = BankLine(f"IMPORT-{ids.spell('top', top_up.id)}", amount, now.date(), payer, top_up.reference)
    payments.confirm(SYSTEM, top_up.id, line, now=now)
