"""Ask for a quote, withdraw it, let it expire.

A quote's own row is locked first of all: nobody but quotes locks quotes. Then the order of the house: the wallet,
capacity rows, offers. Who asks is locked before anything is held, so that an organisation's quotes count each other.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import clock, ids
from accounts.foundation.failures import Failures
from accounts.organisations.models import Organisation
from accounts.organisations.rules import OrganisationStatus
from accounts.projects import queries as projects
from accounts.projects.models import Project
from billing.contracts import rules as contract_rules
from billing.contracts.rules import WorstCase
from billing.ledger import queries as ledger
from catalog.measures.money import Money
from exchange.capacity.errors import CapacityShort
from exchange.markets import queries as markets
from exchange.markets.models import Market
from exchange.offers import gate as offers
from exchange.offers.errors import OfferChangedMeanwhile, OfferInRound
from exchange.offers.models import Offer
from exchange.offers.rules import Sale
from exchange.orders import queries as orders
from exchange.orders import services as order_services
from exchange.orders.errors import BuyerNotActive, NeedsUnsatisfiable
from exchange.orders.rules import MAX_AMOUNT_MINOR, Rates
from exchange.quotes import queries, rules
from exchange.quotes.errors import (
    InstantSupplyShort,
    QuoteContended,
    QuoteInvalid,
    QuoteNotFound,
    QuoteOverBudget,
    QuotesExhausted,
    QuoteUnfunded,
)
from exchange.quotes.models import Quote, QuoteLine, QuotePart
from exchange.quotes.rules import QuoteSpec, QuoteStatus, Supply, Taken

# How often a quote is put together anew when others take what it was to be made of.
_ATTEMPTS: Final = 5
_BATCH: Final = 200
_CLOCK: Final = Actor.system("clock")


@transaction.atomic
def ask(actor: Actor, spec: QuoteSpec, *, now: datetime) -> Quote:
    """Give a firm quote for a rectangle of units and hours, and hold its supply until it is decided or expires.

    Raises MarketUnknown, MarketSuspended, BuyerNotActive, QuoteInvalid, NeedsUnsatisfiable, QuotesExhausted,
    InstantSupplyShort, QuoteOverBudget, QuoteUnfunded (the last three name the largest quantity) and QuoteContended.
    """
    actor.require(Capability.TRADE)
    buyer = locked_buyer(actor)
    market = markets.trading(spec.market_id)
    project = projects.for_order(actor, spec.project_id)
    now = max(now, clock.now())  # whoever waited for the lock has the whole validity before them
    expires_at = rules.expiry(market.terms, spec, now)
    problems = tuple(rules.spec_problems(market.terms, spec, expires_at=expires_at, now=now))
    if problems:
        raise QuoteInvalid("This cannot be quoted under the rules of the market.", problems)
    if not orders.can_be_met(market, spec.needs):
        raise NeedsUnsatisfiable(orders.unsatisfied(market, spec.needs))
    _check_not_hoarding(market, spec, buyer_id=buyer.id, now=now)
    for _ in range(_ATTEMPTS):
        taken, sources = _combine(market, spec, buyer_id=buyer.id)
        rates = order_services.current_rates(now)
        prices = _prices(taken, sources, rates, currency=market.currency)
        _check_affordable(market, spec, sources, rates, buyer_id=buyer.id, total_minor=_total(prices))
        try:
            # A savepoint: its rollback lets the locks go, so that the next attempt begins without any.
            with transaction.atomic():
                offers.hold(_sales(taken), revisions={id_: offer.revision for id_, (offer, _) in sources.items()})
                return _write(
                    actor, spec, market, project, taken, sources, prices, rates, now=now, expires_at=expires_at
                )
        except (CapacityShort, OfferChangedMeanwhile, OfferInRound):
            continue
    raise QuoteContended


@transaction.atomic
def withdraw(actor: Actor, quote_id: UUID, *, now: datetime) -> Quote:
    """Let an open quote go and give its supply back. Raises QuoteNotFound, QuoteNotOpen, QuoteExpired."""
    actor.require(Capability.TRADE)
    quote = locked(actor, quote_id)
    decided_at = clock.now()  # after the lock: whoever waited for it may be too late
    rules.check_open(quote.status, expires_at=quote.expires_at, now=decided_at)
    return _let_go(actor, quote, QuoteStatus.WITHDRAWN, now=decided_at)


def expire_due(*, now: datetime) -> int:
    """Expire the quotes whose time is over and give their supply back; return how many there were.

    One that somebody decides at this moment is left alone; what failed is raised after the last of them.
    """
    expired = 0
    failures = Failures()
    due = Quote.objects.filter(status=QuoteStatus.OPEN, expires_at__lte=now).order_by("expires_at", "id")
    for quote_id in due.values_list("id", flat=True)[:_BATCH]:
        with failures.kept(f"expiring {ids.spell('qte', quote_id)}"), transaction.atomic():
            rows = Quote.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
            quote = rows.select_related("market").filter(id=quote_id, status=QuoteStatus.OPEN).first()
            if quote is not None:
                _let_go(_CLOCK, quote, QuoteStatus.EXPIRED, now=now)
                expired += 1
    failures.raise_any()
    return expired


def locked_buyer(actor: Actor) -> Organisation:
    """Return the actor's organisation locked, if it may buy; raises BuyerNotActive."""
    buyer = Organisation.objects.select_for_update(no_key=True).get(id=actor.organisation())
    if buyer.status != OrganisationStatus.ACTIVE or not buyer.can_buy:
        raise BuyerNotActive(buyer.status if buyer.can_buy else "no buyer")
    return buyer


def locked(actor: Actor, quote_id: UUID) -> Quote:
    """Return a quote of the actor's organisation, locked; raises QuoteNotFound."""
    rows = Quote.objects.select_for_update(no_key=True, of=("self",)).select_related("market", "project")
    quote = rows.filter(id=quote_id, buyer_id=actor.organisation()).first()
    if quote is None:
        raise QuoteNotFound
    return quote


def record(actor: Actor, quote: Quote, *, before: Mapping[str, object] | None, now: datetime) -> None:
    """Leave the trail of a quote's new status, and tell the buyer."""
    said = {
        "quote": ids.spell("qte", quote.id),
        "market": quote.market.code,
        "status": str(quote.status),
        "quantity": quote.quantity,
        "starts_at": quote.starts_at.isoformat(),
        "ends_at": quote.ends_at.isoformat(),
        "total_minor": quote.total_minor,
        "currency": quote.currency,
        "expires_at": quote.expires_at.isoformat(),
    }
    verb = f"quote.{quote.status}"
    audit.record(actor, verb, "quote", quote.id, before, said, now=now, organisation_id=quote.buyer_id)
    events.emit(verb, "quote", quote.id, quote.buyer_id, said, now=now)


# --- Putting a quote together ------------------------------------------------------------------

Sources = Mapping[UUID, tuple[Offer, Supply]]


def _combine(market: Market, spec: QuoteSpec, *, buyer_id: UUID) -> tuple[tuple[Taken, ...], Sources]:
    """Return the cheapest combination as things stand, without a lock; raises InstantSupplyShort."""
    sources = queries.supplies(market, spec, buyer_id=buyer_id)
    taken = _cheapest(market, spec, sources, quantity=spec.quantity)
    if taken is None:
        available = rules.most(
            [supply for _, supply in sources.values()],
            spec.hours,
            lot_units=market.lot_units,
            single_site=spec.single_site,
        )
        reasons = orders.unsatisfied(market, spec.needs)
        raise InstantSupplyShort(wanted=spec.quantity, available=available, reasons=reasons)
    return taken, sources


def _cheapest(market: Market, spec: QuoteSpec, sources: Sources, *, quantity: int) -> tuple[Taken, ...] | None:
    return rules.cheapest(
        [supply for _, supply in sources.values()],
        spec.hours,
        quantity=quantity,
        lot_units=market.lot_units,
        single_site=spec.single_site,
    )


def _prices(taken: Sequence[Taken], sources: Sources, rates: Rates, *, currency: str) -> dict[UUID, WorstCase]:
    """Return what each offer's part costs: its value, fee and tax rounded as its own contract's will be."""
    unit_hours: dict[UUID, int] = {}
    for run in taken:
        unit_hours[run.offer_id] = unit_hours.get(run.offer_id, 0) + run.unit_hours
    return {
        offer_id: contract_rules.worst_case(
            contract_rules.value_at(units, 1, sources[offer_id][1].price_micros, currency=currency),
            fee_ppm=rates.buyer_fee_ppm,
            tax_ppm=rates.tax_rate_ppm,
        )
        for offer_id, units in sorted(unit_hours.items())
    }


def _total(prices: Mapping[UUID, WorstCase]) -> int:
    return sum(price.total_minor for price in prices.values())


def _check_not_hoarding(market: Market, spec: QuoteSpec, *, buyer_id: UUID, now: datetime) -> None:
    held = queries.held_by(buyer_id, market, now=now)
    if held.quotes >= market.quotes_at_once:
        raise QuotesExhausted(
            f"Your organisation has {held.quotes} open quotes; {market.quotes_at_once} are allowed.", is_relieved=True
        )
    if held.unit_hours + spec.unit_hours > market.quoted_unit_hours_at_most:
        raise QuotesExhausted(
            f"Your organisation has {held.unit_hours} unit-hours held by quotes and asks for {spec.unit_hours} more; "
            f"{market.quoted_unit_hours_at_most} are allowed.",
            is_relieved=spec.unit_hours <= market.quoted_unit_hours_at_most,
        )


def _check_affordable(
    market: Market, spec: QuoteSpec, sources: Sources, rates: Rates, *, buyer_id: UUID, total_minor: int
) -> None:
    """Refuse what the budget or the funds do not cover; raises QuoteInvalid, QuoteOverBudget, QuoteUnfunded."""
    currency = market.currency

    def cost_of(quantity: int) -> int:
        taken = _cheapest(market, spec, sources, quantity=quantity)
        assert taken is not None, "less than what can be had can be had"
        return _total(_prices(taken, sources, rates, currency=currency))

    largest = partial(rules.largest_affordable, spec.quantity, cost_of, lot_units=market.lot_units)
    needed = Money(total_minor, currency)
    if not 1 <= total_minor <= MAX_AMOUNT_MINOR:
        raise QuoteInvalid.field("/quantity", str(needed), "a price in all from the smallest coin up to 10^13")
    if spec.budget_minor is not None and total_minor > spec.budget_minor:
        raise QuoteOverBudget(
            needed=needed,
            budget=Money(spec.budget_minor, currency),
            largest_quantity=largest(within_minor=spec.budget_minor),
        )
    available_minor = ledger.funds(buyer_id, currency).available_minor
    if total_minor > available_minor:
        raise QuoteUnfunded(
            needed=needed,
            available=Money(available_minor, currency),
            largest_quantity=largest(within_minor=max(0, available_minor)),
        )


def _write(
    actor: Actor,
    spec: QuoteSpec,
    market: Market,
    project: Project,
    taken: Sequence[Taken],
    sources: Sources,
    prices: Mapping[UUID, WorstCase],
    rates: Rates,
    *,
    now: datetime,
    expires_at: datetime,
) -> Quote:
    quote = Quote.objects.create(
        market=market,
        buyer_id=actor.organisation(),
        project=project,
        asked_by_id=actor.user_id,
        status=QuoteStatus.OPEN,
        quantity=spec.quantity,
        starts_at=spec.starts_at,
        ends_at=spec.ends_at,
        unit_hours=spec.unit_hours,
        single_site=spec.single_site,
        needs=spec.needs.to_document(),
        currency=market.currency,
        budget_minor=spec.budget_minor,
        value_minor=sum(price.value_minor for price in prices.values()),
        fee_minor=sum(price.fee_minor for price in prices.values()),
        tax_minor=sum(price.tax_minor for price in prices.values()),
        terms_version=market.rules_version,
        fee_version=rates.fee_version,
        buyer_fee_ppm=rates.buyer_fee_ppm,
        tax_rate_ppm=rates.tax_rate_ppm,
        created_at=now,
        expires_at=expires_at,
    )
    parts = {
        offer_id: QuotePart(
            quote=quote,
            offer_id=offer_id,
            price_micros=sources[offer_id][1].price_micros,
            reserve_micros=sources[offer_id][0].reserve_micros,
            value_minor=price.value_minor,
            fee_minor=price.fee_minor,
            tax_minor=price.tax_minor,
        )
        for offer_id, price in prices.items()
    }
    QuotePart.objects.bulk_create(parts.values())
    QuoteLine.objects.bulk_create(
        QuoteLine(part=parts[run.offer_id], starts_at=run.starts_at, ends_at=run.ends_at, quantity=run.quantity)
        for run in taken
    )
    record(actor, quote, before=None, now=now)
    return quote


def _sales(taken: Sequence[Taken]) -> list[Sale]:
    return [Sale(run.offer_id, run.starts_at, run.ends_at, run.quantity) for run in taken]


def _let_go(actor: Actor, quote: Quote, status: QuoteStatus, *, now: datetime) -> Quote:
    """Close a locked quote that was not accepted, giving back what it holds."""
    offers.release(queries.claims(quote))
    before = {"status": str(quote.status)}
    quote.status = status
    quote.closed_at = now
    quote.save(update_fields=["status", "closed_at"])
    record(actor, quote, before=before, now=now)
    return quote
