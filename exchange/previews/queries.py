"""What a draft order would cost and meet, read from the open book in a fixed number of queries; nothing is written.

Only sums over the book leave this room: no member, offer or order of anybody can be told from them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from accounts.actors.actor import Actor, Capability
from accounts.foundation.errors import DomainError
from accounts.organisations.models import Organisation
from accounts.organisations.rules import OrganisationStatus
from billing.contracts.rules import WorstCase
from billing.ledger import queries as ledger
from catalog.measures.money import Money
from exchange.markets import queries as markets
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.orders import queries as orders
from exchange.orders import rules as order_rules
from exchange.orders import services as order_services
from exchange.orders.errors import BuyerNotActive, OrderInvalid, OrderUnfunded, OverBudget, OwnOfferCouldMeet
from exchange.orders.rules import OrderSpec, Rates
from exchange.previews import estimates, reading, rules
from exchange.previews.book import Book, Draft, Match
from exchange.previews.estimates import Estimate
from exchange.previews.rules import Alternative, Reason


class Outlook(StrEnum):
    """What can honestly be said of a draft's chances: no more than how supply and demand ahead of it stand."""

    COVERED = "covered"  # enough is left for all of it after everybody ahead has taken what they want
    PARTLY_COVERED = "partly_covered"  # something is
    CONTESTED = "contested"  # there is supply at the limit, and orders ahead want it
    NOTHING = "nothing"  # no supply that it could use at its limit


@dataclass(frozen=True)
class Share:
    """The draft's part of the book, in unit-hours over its window: see exchange.previews.book."""

    cells: int
    listed_cells: int
    supply_unit_hours: int
    ahead_unit_hours: int
    left_unit_hours: int
    match: Match
    wanted_unit_hours: int
    outlook: Outlook


@dataclass(frozen=True)
class Preview:
    """Everything that is said about a draft order; `refusals` are what placing it now would be answered with."""

    spec: OrderSpec
    market: Market
    gate_at: datetime
    rates: Rates
    worst: WorstCase
    hold_minor: int
    refusals: tuple[DomainError, ...]
    share: Share
    estimate: Estimate | None
    # What of the price is credited for units handed back and for paused ones, and kept of those sold back, as the
    # offers within reach state it.
    return_credits_ppm: tuple[int, ...]
    pause_credits_ppm: tuple[int, ...]
    resale_commissions_ppm: tuple[int, ...]
    reasons: tuple[Reason, ...]
    alternatives: tuple[tuple[Alternative, OrderSpec], ...]


def preview(actor: Actor, spec: OrderSpec, *, now: datetime) -> Preview:
    """Return what a draft order would cost and meet if it were placed now.

    Raises MarketUnknown, MarketSuspended and OrderInvalid as placing it would: such a draft is no order. What else
    placing would refuse (funds, budget, an own offer) is among `refusals`.
    """
    actor.require(Capability.TRADE)
    buyer_id = actor.organisation()
    market = markets.trading(spec.market_id)
    gate_at = market_rules.next_gate(market.terms, now)
    terms = orders.terms_for(market, spec.terms.needs, now=now)
    problems = tuple(order_rules.spec_problems(terms, spec, gate_at=gate_at))
    if problems:
        raise OrderInvalid("The order does not fit the rules of the market.", problems)
    rates = order_services.current_rates(now)
    span = reading.range_of(market, spec, gate_at)
    book = reading.read_book(market, span, buyer_id=buyer_id, limit_micros=spec.terms.limit_micros)
    draft = reading.draft_of(market, spec)
    share = _share(book, draft)
    fits = share.match.fits
    met = book.table.meeting(draft.needs)
    reached = book.within_reach(met, draft.earliest, draft.latest, limit_micros=draft.limit_micros)
    worst = estimates.cost(spec.terms.unit_hours, spec.terms.limit_micros, rates, market.currency)
    estimate = estimates.estimate(market, book, draft, share.match, rates, gate_at=gate_at)
    return Preview(
        spec=spec,
        market=market,
        gate_at=gate_at,
        rates=rates,
        worst=worst,
        hold_minor=worst.total_minor + spec.terms.extras_reserve_minor,
        refusals=tuple(_refusals(buyer_id, market, spec, rates)),
        share=share,
        estimate=estimate,
        return_credits_ppm=_stated(offer.return_credit_ppm for offer in reached),
        pause_credits_ppm=_stated(offer.pause_credit_ppm for offer in reached),
        resale_commissions_ppm=_stated(offer.resale_commission_ppm for offer in reached),
        reasons=() if fits else tuple(rules.reasons(book, draft, highest_micros=terms.collar_max_micros)),
        alternatives=()
        if fits
        else tuple(
            (alternative, reading.spec_of(market, spec, alternative.draft))
            for alternative in rules.alternatives(
                book, draft, highest_micros=terms.collar_max_micros, tick_micros=terms.tick_micros
            )
        ),
    )


# --- What is said of it ------------------------------------------------------------------------


def _share(book: Book, draft: Draft) -> Share:
    view, cells_met = book.at(draft.limit_micros), book.table.meeting(draft.needs)
    window = slice(draft.earliest - book.span.first, draft.latest - book.span.first)
    supply = int(view.supply_of(cells_met)[window].sum())
    match = view.match(draft, cells_met)
    hours = draft.hours or draft.latest - draft.earliest
    return Share(
        cells=int(cells_met.sum()),
        listed_cells=len(book.table.codes),
        supply_unit_hours=supply,
        ahead_unit_hours=int(view.ahead_of(cells_met)[window].sum()),
        left_unit_hours=int(view.left_of(cells_met)[window].sum()),
        match=match,
        wanted_unit_hours=draft.units_max * hours,
        outlook=_outlook(supply, match, draft.units_max * hours),
    )


def _outlook(supply: int, match: Match, wanted: int) -> Outlook:
    if match.unit_hours == wanted:
        return Outlook.COVERED
    if match.fits:
        return Outlook.PARTLY_COVERED
    return Outlook.CONTESTED if supply else Outlook.NOTHING


def _stated(shares_ppm: Iterable[int | None]) -> tuple[int, ...]:
    return tuple(sorted({share_ppm for share_ppm in shares_ppm if share_ppm is not None}))


def _refusals(buyer_id: UUID, market: Market, spec: OrderSpec, rates: Rates) -> list[DomainError]:
    """Return what placing would refuse beside the needs: who asks, an own offer, budget, funds."""
    found: list[DomainError] = []
    buyer = Organisation.objects.get(id=buyer_id)
    if buyer.status != OrganisationStatus.ACTIVE or not buyer.can_buy:
        found.append(BuyerNotActive(buyer.status if buyer.can_buy else "no buyer"))
    own = orders.own_offer_that_could_meet(
        market,
        spec.terms.needs,
        buyer_id=buyer_id,
        earliest_at=spec.terms.earliest_at,
        latest_at=spec.terms.latest_at,
    )
    if own is not None:
        found.append(OwnOfferCouldMeet(own))
    needed_minor = order_rules.requirement_minor(spec.terms, rates, currency=market.currency)
    available_minor = ledger.funds(buyer_id, market.currency).available_minor

    def largest(within_minor: int) -> int:
        return order_rules.largest_quantity(
            spec.terms, rates, within_minor=within_minor, lot_units=market.lot_units, currency=market.currency
        )

    needed, budget_minor = Money(needed_minor, market.currency), spec.terms.budget_minor
    if budget_minor is not None and needed_minor > budget_minor:
        budget = Money(budget_minor, market.currency)
        found.append(OverBudget(needed=needed, budget=budget, largest_quantity=largest(budget_minor)))
    if needed_minor > available_minor:
        available = Money(available_minor, market.currency)
        found.append(
            OrderUnfunded(
                reason=f"{needed} is needed and {available} is available. Top up the wallet, or ask for less.",
                needed=needed,
                available=available,
                largest_quantity=largest(max(0, available_minor)),
            )
        )
    return found


def hold_minor(spec: OrderSpec, rates: Rates, market: Market) -> int:
    """Return what placing an order holds."""
    return order_rules.requirement_minor(spec.terms, rates, currency=market.currency)


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a body that differ, as they are to be put into it; None takes a field off."""
    return {name: after.get(name) for name in sorted({*before, *after}) if before.get(name) != after.get(name)}
