"""What a draft order would cost and meet, read from the open book in a fixed number of queries; nothing is written.

Only sums over the book leave this room: no member, offer or order of anybody can be told from them.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.db.models import F, TextField
from django.db.models.functions import Cast

from accounts.actors.actor import Actor, Capability
from accounts.foundation.errors import DomainError
from accounts.organisations.models import Organisation
from accounts.organisations.rules import OrganisationStatus
from billing.contracts import rules as contract_rules
from billing.contracts.rules import WorstCase
from billing.ledger import queries as ledger
from catalog.measures.interval import HOUR
from catalog.measures.money import Money
from catalog.offerings import cells
from catalog.offerings.needs import CellAttributes, Needs
from exchange.markets import queries as markets
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.offers import queries as offers
from exchange.offers.models import OfferSlot
from exchange.orders import queries as orders
from exchange.orders import rules as order_rules
from exchange.orders import services as order_services
from exchange.orders.errors import BuyerNotActive, OrderInvalid, OrderUnfunded, OverBudget, OwnOfferCouldMeet
from exchange.orders.rules import OrderKind, OrderSpec, OrderTerms, Rates
from exchange.previews import rules
from exchange.previews.book import Book, Draft, Match, OpenOffer, OpenOrder, Range
from exchange.previews.rules import Alternative, Reason
from exchange.previews.table import CellTable, Mask
from exchange.rounds.models import Round, RoundPrice
from exchange.rounds.rules import RoundStatus

# So far beyond a draft's window other hours are looked at.
_FURTHER: Final = timedelta(days=7)


class PriceSource(StrEnum):
    """Where an estimated price comes from."""

    LAST_ROUND = "last_round"
    OPEN_RESERVE = "open_reserve"


class Outlook(StrEnum):
    """What can honestly be said of a draft's chances: no more than how supply and demand ahead of it stand."""

    COVERED = "covered"  # enough is left for all of it after everybody ahead has taken what they want
    PARTLY_COVERED = "partly_covered"  # something is
    CONTESTED = "contested"  # there is supply at the limit, and orders ahead want it
    NOTHING = "nothing"  # no supply that it could use at its limit


@dataclass(frozen=True)
class Estimate:
    """A price per unit-hour that the draft would probably see, where it comes from, and what that costs in all."""

    source: PriceSource
    price_micros: int
    lowest_micros: int
    highest_micros: int
    as_of: datetime | None  # when the round published it; None for the open book
    cost: WorstCase


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
    terms = market.terms
    gate_at = market_rules.next_gate(terms, now)
    problems = tuple(order_rules.spec_problems(terms, spec, gate_at=gate_at))
    if problems:
        raise OrderInvalid("The order does not fit the rules of the market.", problems)
    rates = order_services.current_rates(now)
    span = _range(market, spec, gate_at)
    book = read_book(market, span, buyer_id=buyer_id, limit_micros=spec.terms.limit_micros)
    draft = draft_of(market, spec)
    share = _share(book, draft)
    fits = share.match.fits
    worst = _cost(spec.terms.unit_hours, spec.terms.limit_micros, rates, market.currency)
    return Preview(
        spec=spec,
        market=market,
        gate_at=gate_at,
        rates=rates,
        worst=worst,
        hold_minor=worst.total_minor + spec.terms.extras_reserve_minor,
        refusals=tuple(_refusals(buyer_id, market, spec, rates)),
        share=share,
        estimate=_estimate(market, book, draft, share.match, rates),
        reasons=() if fits else tuple(rules.reasons(book, draft, highest_micros=terms.collar_max_micros)),
        alternatives=()
        if fits
        else tuple(
            (alternative, spec_of(market, spec, alternative.draft))
            for alternative in rules.alternatives(
                book, draft, highest_micros=terms.collar_max_micros, tick_micros=terms.tick_micros
            )
        ),
    )


# --- From rows to the plain values of a book ---------------------------------------------------


def read_book(market: Market, span: Range, *, buyer_id: UUID, limit_micros: int) -> Book:
    """Return the open book over a range, without the buyer's own offers and without orders below a limit.

    What stands in a frozen book, is held by a quote or belongs to who may not sell is not supply. An order that is
    partly filled still counts with all it wanted: that can only make what is left less than it is.
    """
    code_of: dict[UUID, str] = {}
    attributes: dict[str, CellAttributes] = {}
    for offering in markets.listed_offerings(market):
        code_of[offering.id] = cells.code(offering)
        attributes.setdefault(code_of[offering.id], cells.attributes(offering))
    table = CellTable(tuple(attributes), tuple(attributes.values()))
    place_of = {code: place for place, code in enumerate(table.codes)}
    first_at, end_at = (market_rules.instant_of(market.terms, slot) for slot in (span.first, span.end))
    rows = list(
        offers.live(market.id)
        .filter(
            locked_at__isnull=True,
            offering_id__in=list(code_of),
            provider__status=OrganisationStatus.ACTIVE,
            starts_at__lt=end_at,
            ends_at__gt=first_at,
        )
        .exclude(provider_id=buyer_id)
        .values_list("id", "offering_id", "quantity", "starts_at", "ends_at", "reserve_micros")
    )
    taken = _taken(market, [row[0] for row in rows], first_at, end_at)
    return Book(
        span,
        table,
        [
            OpenOffer(
                place_of[code_of[offering_id]],
                market_rules.slot_at(market.terms, starts_at),
                market_rules.slot_at(market.terms, ends_at),
                quantity,
                reserve_micros,
                tuple(taken.get(offer_id, ())),
            )
            for offer_id, offering_id, quantity, starts_at, ends_at, reserve_micros in rows
        ],
        _orders(market, first_at, end_at, limit_micros),
    )


def _taken(
    market: Market, offer_ids: Sequence[UUID], first_at: datetime, end_at: datetime
) -> Mapping[UUID, list[tuple[int, int]]]:
    taken: dict[UUID, list[tuple[int, int]]] = defaultdict(list)
    slots = OfferSlot.objects.filter(offer_id__in=offer_ids, starts_at__gte=first_at, starts_at__lt=end_at)
    gone = slots.annotate(gone=F("held") + F("sold")).filter(gone__gt=0)
    for offer_id, starts_at, units in gone.values_list("offer_id", "starts_at", "gone"):
        taken[offer_id].append((market_rules.slot_at(market.terms, starts_at), units))
    return taken


def _orders(market: Market, first_at: datetime, end_at: datetime, limit_micros: int) -> list[OpenOrder]:
    rows = (
        orders.live(market.id)
        .filter(limit_micros__gte=limit_micros, earliest_at__lt=end_at, latest_at__gt=first_at)
        .annotate(needs_text=Cast("needs", TextField()))
        .values_list("needs_text", "earliest_at", "latest_at", "quantity_max", "limit_micros")
    )
    known: dict[str, Needs] = {}  # most orders of a book share their needs with others
    found = []
    for text, earliest_at, latest_at, units, limit in rows:
        if text not in known:
            known[text] = Needs.from_document(json.loads(text))
        earliest = market_rules.slot_at(market.terms, earliest_at)
        found.append(OpenOrder(known[text], earliest, earliest + (latest_at - earliest_at) // HOUR, units, limit))
    return found


def _range(market: Market, spec: OrderSpec, gate_at: datetime) -> Range:
    terms = market.terms
    reach = market_rules.horizon(terms, gate_at)
    last_at = min(reach.last_at, market_rules.grid_ceiling(terms, spec.terms.latest_at + _FURTHER))
    return Range(
        market_rules.slot_at(terms, reach.first_at),
        market_rules.slot_at(terms, last_at),
        terms.grid_slots,
        terms.lot_units,
    )


def draft_of(market: Market, spec: OrderSpec) -> Draft:
    """Return an order that fits its market in the slots and units of a book."""
    terms = spec.terms
    return Draft(
        kind=spec.kind,
        units_min=terms.quantity_min or 0,
        units_max=terms.quantity_max,
        hours=terms.hours or 0,
        earliest=market_rules.slot_at(market.terms, terms.earliest_at),
        latest=market_rules.slot_at(market.terms, terms.latest_at),
        single_site=spec.single_site,
        limit_micros=terms.limit_micros,
        needs=terms.needs,
    )


def spec_of(market: Market, spec: OrderSpec, draft: Draft) -> OrderSpec:
    """Return an order changed to what a draft says."""
    terms: OrderTerms = replace(
        spec.terms,
        quantity_min=draft.units_min if spec.kind is OrderKind.BLOCK else None,
        quantity_max=draft.units_max,
        earliest_at=market_rules.instant_of(market.terms, draft.earliest),
        latest_at=market_rules.instant_of(market.terms, draft.latest),
        limit_micros=draft.limit_micros,
        needs=draft.needs,
    )
    return replace(spec, terms=terms, single_site=draft.single_site)


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


def _estimate(market: Market, book: Book, draft: Draft, match: Match, rates: Rates) -> Estimate | None:
    """Return the last round's price for the same cells and hours, else the lowest reserve of the open book."""
    cells_met = book.table.meeting(draft.needs)
    start, end = (match.start, match.end) if match.fits else (draft.earliest, draft.latest)
    unit_hours = match.unit_hours if match.fits else draft.units_max * (draft.hours or draft.latest - draft.earliest)
    last = Round.objects.filter(market=market, status=RoundStatus.PUBLISHED).order_by("-scheduled_at").first()
    hourly = {} if last is None else _published(market, last, book.table, cells_met, start, end)
    if last is not None and hourly:
        price = sum(hourly.values()) // len(hourly)
        return Estimate(
            PriceSource.LAST_ROUND,
            price,
            min(hourly.values()),
            max(hourly.values()),
            last.published_at,
            _cost(unit_hours, price, rates, market.currency),
        )
    reserves = book.reserves_of(cells_met, start, end)
    if not reserves:
        return None
    cost = _cost(unit_hours, reserves[0], rates, market.currency)
    return Estimate(PriceSource.OPEN_RESERVE, reserves[0], reserves[0], reserves[-1], None, cost)


def _published(market: Market, last: Round, table: CellTable, cells_met: Mask, start: int, end: int) -> dict[int, int]:
    """Return by slot the lowest price that a round published for one of the cells."""
    codes = [code for code, is_met in zip(table.codes, cells_met, strict=True) if is_met]
    first_at, end_at = (market_rules.instant_of(market.terms, slot) for slot in (start, end))
    rows = RoundPrice.objects.filter(round=last, cell__in=codes, starts_at__lt=end_at, ends_at__gt=first_at)
    prices: dict[int, int] = {}
    for starts_at, ends_at, price_micros in rows.values_list("starts_at", "ends_at", "price_micros"):
        first = max(start, market_rules.slot_at(market.terms, starts_at))
        for slot in range(first, min(end, first + (ends_at - starts_at) // HOUR)):
            prices[slot] = min(price_micros, prices.get(slot, price_micros))
    return prices


def _cost(unit_hours: int, price_micros: int, rates: Rates, currency: str) -> WorstCase:
    value_minor = contract_rules.value_at(unit_hours, 1, price_micros, currency=currency)
    return contract_rules.worst_case(value_minor, fee_ppm=rates.buyer_fee_ppm, tax_ppm=rates.tax_rate_ppm)


def hold_minor(spec: OrderSpec, rates: Rates, market: Market) -> int:
    """Return what placing an order holds."""
    return order_rules.requirement_minor(spec.terms, rates, currency=market.currency)


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a body that differ, as they are to be put into it; None takes a field off."""
    return {name: after.get(name) for name in sorted({*before, *after}) if before.get(name) != after.get(name)}
