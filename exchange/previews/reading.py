"""From rows to the plain values of a book and back, in a fixed number of queries and without models.

Slots are counted by the database: thousands of instants would take longer to read than all that is done with them.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from uuid import UUID

from django.db.models import F, Func, IntegerField, TextField, Value
from django.db.models.functions import Cast

from accounts.organisations.rules import OrganisationStatus
from catalog.offerings import queries as offerings
from catalog.offerings.needs import Needs
from exchange.markets import queries as markets
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.offers import queries as offers
from exchange.offers.models import OfferSlot
from exchange.orders import queries as orders
from exchange.orders.rules import OrderKind, OrderSpec, OrderTerms
from exchange.previews.book import Book, Draft, OpenOffer, OpenOrder, Range
from exchange.previews.table import CellTable

# So far beyond a draft's window other hours are looked at.
_CREDITS: Final = ("return_credit_ppm", "pause_credit_ppm", "resale_commission_ppm")
_FURTHER: Final = timedelta(days=7)


def read_book(market: Market, span: Range, *, buyer_id: UUID, limit_micros: int) -> Book:
    """Return the open book over a range, without the buyer's own offers and without orders below a limit.

    What stands in a frozen book, is held by a quote or belongs to who may not sell is not supply. An order that is
    partly filled still counts with all it wanted: that can only make what is left less than it is.
    """
    cell_of = offerings.cells_of(markets.listed_offerings(market))
    attributes = {cell.code: cell.attributes for cell in cell_of.values()}
    table = CellTable(tuple(attributes), tuple(attributes.values()))
    place_of = {code: place for place, code in enumerate(table.codes)}
    first_at, end_at = (market_rules.instant_of(market.terms, slot) for slot in (span.first, span.end))
    rows = list(
        offers.live(market.id)
        .filter(
            locked_at__isnull=True,
            offering_id__in=list(cell_of),
            provider__status=OrganisationStatus.ACTIVE,
            starts_at__lt=end_at,
            ends_at__gt=first_at,
        )
        .exclude(provider_id=buyer_id)
        .exclude(origin__buyer_id=buyer_id)
        .annotate(start=_slot(market, "starts_at"), end=_slot(market, "ends_at"))
        .values_list("id", "offering_id", "start", "end", "quantity", "reserve_micros", *_CREDITS)
    )
    taken = _taken(market, [row[0] for row in rows], first_at, end_at)
    return Book(
        span,
        table,
        [
            OpenOffer(
                place_of[cell_of[offering_id].code],
                start,
                end,
                quantity,
                reserve_micros,
                tuple(taken.get(offer_id, ())),
                *credits_ppm,
            )
            for offer_id, offering_id, start, end, quantity, reserve_micros, *credits_ppm in rows
        ],
        _orders(market, first_at, end_at, limit_micros),
    )


def _taken(
    market: Market, offer_ids: Sequence[UUID], first_at: datetime, end_at: datetime
) -> Mapping[UUID, list[tuple[int, int]]]:
    taken: dict[UUID, list[tuple[int, int]]] = defaultdict(list)
    slots = OfferSlot.objects.filter(offer_id__in=offer_ids, starts_at__gte=first_at, starts_at__lt=end_at)
    gone = slots.annotate(slot=_slot(market, "starts_at"), gone=F("held") + F("sold")).filter(gone__gt=0)
    for offer_id, slot, units in gone.values_list("offer_id", "slot", "gone"):
        taken[offer_id].append((slot, units))
    return taken


def _orders(market: Market, first_at: datetime, end_at: datetime, limit_micros: int) -> list[OpenOrder]:
    rows = (
        orders.live(market.id)
        .order_by()
        .filter(limit_micros__gte=limit_micros, earliest_at__lt=end_at, latest_at__gt=first_at)
        .annotate(
            needs_text=Cast("needs", TextField()),
            earliest=_slot(market, "earliest_at"),
            latest=_slot(market, "latest_at"),
        )
        .values_list("needs_text", "earliest", "latest", "quantity_max", "limit_micros")
    )
    return [OpenOrder(_needs(text), *terms) for text, *terms in rows]


@lru_cache(maxsize=10_000)
def _needs(text: str) -> Needs:
    """Read needs as they stand in a row; the orders of a book repeat them, and previews read them again and again."""
    return Needs.from_document(json.loads(text))


def _slot(market: Market, column: str) -> Func:
    """Count the whole hours from slot zero to an instant of a column, which is one itself."""
    return Func(
        F(column),
        Value(market.terms.slot_zero),
        arg_joiner=" - ",
        template="(EXTRACT(EPOCH FROM (%(expressions)s)) / 3600)::bigint",
        output_field=IntegerField(),
    )


def range_of(market: Market, spec: OrderSpec, gate_at: datetime) -> Range:
    """Return the slots to look at: all that the gate delivers up to some days beyond the draft's window."""
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
