"""Place, amend and cancel orders.

Locks in the order of the house: the round first, then the wallet, then the order. An order is read before the
wallet is locked and compared again under its own lock.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.events.models import Event
from accounts.foundation import ids
from accounts.organisations.models import Organisation
from accounts.organisations.rules import OrganisationStatus
from accounts.projects import queries as projects
from billing.contracts import drafting
from billing.landings import services as landings
from billing.ledger import services as ledger
from billing.ledger.errors import HoldTooSmall, InsufficientFunds
from billing.ledger.rules import Source
from catalog.measures.money import Money
from catalog.offerings.needs import Needs
from exchange.markets import entries
from exchange.markets import queries as markets
from exchange.markets.models import Market
from exchange.orders import queries, rules
from exchange.orders.errors import (
    BuyerNotActive,
    NeedsUnsatisfiable,
    OrderChangedMeanwhile,
    OrderInvalid,
    OrderPartlyFilled,
    OrderUnchanged,
    OrderUnfunded,
    OverBudget,
    OwnOfferCouldMeet,
)
from exchange.orders.models import Order, OrderRevision
from exchange.orders.rules import OrderKind, OrderSpec, OrderStatus, OrderTerms, Rates
from exchange.rounds import services as rounds

HOLD_PURPOSE = "order"


@transaction.atomic
def place(actor: Actor, spec: OrderSpec, *, now: datetime) -> Order:
    """Enter an order into the book and hold its worst case.

    A refused order changes nothing. Raises MarketUnknown, MarketSuspended, BuyerNotActive, OrderInvalid,
    NeedsUnsatisfiable, OwnOfferCouldMeet, WalletStopped, OverBudget and OrderUnfunded; the last two name the largest
    quantity that would fit.
    """
    actor.require(Capability.TRADE)
    buyer = _buyer(actor)
    market = markets.trading(spec.market_id)
    project = projects.for_order(actor, spec.project_id)
    entry = rounds.join_open_round(market, now=now)
    terms = queries.terms_for(market, spec.terms.needs, now=entry.accepted_at)
    problems = tuple(rules.spec_problems(terms, spec, gate_at=entry.round.scheduled_at))
    if problems:
        raise OrderInvalid("The order does not fit the rules of the market.", problems)
    _check_can_be_met(market, spec.terms)
    _check_not_with_oneself(market, buyer.id, spec.terms)
    accepted_at = entry.accepted_at
    rates = current_rates(accepted_at)
    order_id = ids.new_id()
    hold_minor = _affordable(market, spec.terms, rates)
    landings.check_open(buyer.id, market.currency, now=accepted_at)
    try:
        hold = ledger.place_hold(
            buyer.id,
            hold_minor,
            currency=market.currency,
            source=Source("order", order_id, HOLD_PURPOSE),
            project_id=project.id,
            now=accepted_at,
        )
    except InsufficientFunds as refusal:  # before anything is written
        raise _unfunded(refusal, market, spec.terms, rates, within_minor=refusal.available_minor) from refusal
    order = Order.objects.create(
        id=order_id,
        market=market,
        buyer=buyer,
        project=project,
        placed_by_id=actor.user_id,
        kind=spec.kind,
        single_site=spec.single_site,
        limit_source=spec.limit_source,
        currency=market.currency,
        hold=hold,
        terms_version=market.rules_version,
        fee_version=rates.fee_version,
        buyer_fee_ppm=rates.buyer_fee_ppm,
        tax_rate_ppm=rates.tax_rate_ppm,
        seq=entries.next_number(),
        status=OrderStatus.OPEN,
        total_unit_hours=spec.terms.unit_hours,
        created_at=accepted_at,
        revised_at=accepted_at,
        **_columns(spec.terms),
    )
    _record(actor, order, "placed", before=None, now=accepted_at)
    return order


@transaction.atomic
def amend(actor: Actor, order_id: UUID, *, now: datetime, **changes: Any) -> Order:
    """Change what an order says; `changes` are fields of OrderTerms.

    A higher limit keeps the order's place in the queue, any other change that the market sees takes a new one. In
    the no-cancel phase only changes for the better are taken. The hold grows or shrinks with it. Raises
    OrderNotFound, OrderMoveRefused, OrderUnchanged, OrderPartlyFilled, OrderInvalid, NeedsUnsatisfiable,
    OwnOfferCouldMeet, WalletStopped, OverBudget, OrderUnfunded, NoCancelPhase, GateClosed, OrderChangedMeanwhile.
    """
    actor.require(Capability.TRADE)
    read = queries.own(actor, order_id)
    before = terms_of(read)
    after = replace(before, **changes)
    if after == before:
        raise OrderUnchanged
    # The move that any change could lead to; a locked or decided order refuses it.
    rules.check_move(read.status, OrderStatus.CANCELLED)
    check = rounds.check_may_raise if rules.is_improvement(before, after) else rounds.check_may_lower
    entry = check(read.market, accepted_at=read.revised_at, now=now)
    _check_amended(read, before, after, entry)
    open_unit_hours = after.unit_hours if rules.demanded(before) != rules.demanded(after) else read.open_unit_hours
    _move_hold(read, before, after, open_unit_hours=open_unit_hours, now=entry.accepted_at)
    order = _lock(read)
    snapshot = OrderRevision.fields_of(order)
    for name, value in _columns(after).items():
        setattr(order, name, value)
    if rules.demanded(before) != rules.demanded(after):
        order.total_unit_hours, order.closed_unit_hours = after.unit_hours, 0
    order.revision += 1
    order.revised_at = entry.accepted_at
    if not rules.keeps_place(before, after):
        order.seq = entries.next_number()
    order.save(
        update_fields=[*_columns(after), "total_unit_hours", "closed_unit_hours", "revision", "revised_at", "seq"]
    )
    _record(actor, order, "amended", before=snapshot, now=entry.accepted_at)
    return order


@transaction.atomic
def cancel(actor: Actor, order_id: UUID, *, now: datetime) -> Order:
    """Withdraw what is open of an order and release the funds held for it; what is filled stays.

    Raises OrderNotFound, OrderMoveRefused, NoCancelPhase, GateClosed, OrderChangedMeanwhile.
    """
    actor.require(Capability.TRADE)
    read = queries.own(actor, order_id)
    rules.check_move(read.status, OrderStatus.CANCELLED)
    entry = rounds.check_may_lower(read.market, accepted_at=read.revised_at, now=now)
    return close(actor, read, OrderStatus.CANCELLED, now=entry.accepted_at)


def close(actor: Actor, read: Order, status: OrderStatus, *, now: datetime) -> Order:
    """End an open order, giving back what is held for its open hours; raises OrderChangedMeanwhile."""
    rest_minor = rest_of_hold_minor(read, read.open_unit_hours)
    try:
        ledger.change_hold(read.hold_id, by_minor=-rest_minor, now=now)
    except HoldTooSmall as refusal:  # before anything is written: another request or a round was there first
        raise OrderChangedMeanwhile from refusal
    order = _lock(read)
    rules.check_move(order.status, status)
    before = {"status": order.status, "open_unit_hours": order.open_unit_hours}
    order.status = status
    order.closed_unit_hours = order.total_unit_hours - order.filled_unit_hours
    order.closed_at = now
    order.save(update_fields=["status", "closed_unit_hours", "closed_at"])
    after = {"status": order.status, "open_unit_hours": 0}
    audit.record(actor, f"order.{status}", "order", order.id, before, after, now=now, organisation_id=order.buyer_id)
    emit(order, status.value, now=now)
    return order


# --- Money -------------------------------------------------------------------------------------


def current_rates(at: datetime) -> Rates:
    """Return the fee and tax that an order placed at an instant is held to."""
    fees = drafting.fees_at(at)
    return Rates(fees.version, fees.buyer_fee_ppm, drafting.sales_tax_at(at).rate_ppm)


def rates_of(order: Order) -> Rates:
    """Return the rates that the order was accepted with."""
    return Rates(order.fee_version, order.buyer_fee_ppm, order.tax_rate_ppm)


def rest_of_hold_minor(order: Order, open_unit_hours: int) -> int:
    """Return the part of an order's hold that stands for open unit-hours.

    The reserve for extras is part of it until the first fill; then the contracts have it.
    """
    if not open_unit_hours:
        return 0
    worst_minor = rules.worst_case_minor(open_unit_hours, order.limit_micros, rates_of(order), currency=order.currency)
    return worst_minor if order.filled_unit_hours else worst_minor + order.extras_reserve_minor


def _affordable(market: Market, terms: OrderTerms, rates: Rates) -> int:
    """Return what has to be held; raises OrderInvalid when it is no sensible amount, OverBudget."""
    needed_minor = rules.requirement_minor(terms, rates, currency=market.currency)
    if not 1 <= needed_minor <= rules.MAX_AMOUNT_MINOR:
        needed = Money(needed_minor, market.currency)
        raise OrderInvalid.field("/limit_price", str(needed), "a worst case from the smallest coin up to 10^13")
    if terms.budget_minor is not None and needed_minor > terms.budget_minor:
        raise OverBudget(
            needed=Money(needed_minor, market.currency),
            budget=Money(terms.budget_minor, market.currency),
            largest_quantity=_largest(market, terms, rates, within_minor=terms.budget_minor),
        )
    return needed_minor


def _move_hold(order: Order, before: OrderTerms, after: OrderTerms, *, open_unit_hours: int, now: datetime) -> None:
    """Let the hold grow or shrink by what a change adds or takes; raises WalletStopped, OverBudget, OrderUnfunded."""
    rates, market = rates_of(order), order.market
    _affordable(market, after, rates)
    was_minor = rest_of_hold_minor(order, order.open_unit_hours)
    worst_minor = rules.worst_case_minor(open_unit_hours, after.limit_micros, rates, currency=order.currency)
    rest_minor = worst_minor if order.filled_unit_hours else worst_minor + after.extras_reserve_minor
    if rest_minor > was_minor:
        landings.check_open(order.buyer_id, market.currency, now=now)
    try:
        ledger.change_hold(order.hold_id, by_minor=rest_minor - was_minor, now=now)
    except InsufficientFunds as refusal:  # before anything is written
        within_minor = max(0, refusal.available_minor) + was_minor
        raise _unfunded(refusal, market, after, rates, within_minor=within_minor) from refusal
    except HoldTooSmall as refusal:
        raise OrderChangedMeanwhile from refusal


def _unfunded(
    refusal: InsufficientFunds, market: Market, terms: OrderTerms, rates: Rates, *, within_minor: int
) -> OrderUnfunded:
    return OrderUnfunded(
        reason=refusal.detail,
        needed=Money(refusal.needed_minor, market.currency),
        available=Money(refusal.available_minor, market.currency),
        largest_quantity=_largest(market, terms, rates, within_minor=within_minor),
    )


def _largest(market: Market, terms: OrderTerms, rates: Rates, *, within_minor: int) -> int:
    return rules.largest_quantity(
        terms, rates, within_minor=within_minor, lot_units=market.lot_units, currency=market.currency
    )


# --- Checks and small change -------------------------------------------------------------------


def terms_of(order: Order) -> OrderTerms:
    """Return what an order says, as plain values."""
    return OrderTerms(
        quantity_max=order.quantity_max,
        quantity_min=order.quantity_min,
        hours=order.hours,
        earliest_at=order.earliest_at,
        latest_at=order.latest_at,
        needs=Needs.from_document(order.needs),
        limit_micros=order.limit_micros,
        budget_minor=order.budget_minor,
        extras_reserve_minor=order.extras_reserve_minor,
        rolls_over=order.rolls_over,
    )


def _columns(terms: OrderTerms) -> dict[str, Any]:
    columns = {name: getattr(terms, name) for name in OrderTerms.__dataclass_fields__}
    return columns | {"needs": terms.needs.to_document()}


def _buyer(actor: Actor) -> Organisation:
    buyer = Organisation.objects.get(id=actor.organisation())
    if buyer.status != OrganisationStatus.ACTIVE or not buyer.can_buy:
        raise BuyerNotActive(buyer.status if buyer.can_buy else "no buyer")
    return buyer


def _check_can_be_met(market: Market, terms: OrderTerms) -> None:
    if not queries.can_be_met(market, terms.needs):
        raise NeedsUnsatisfiable(queries.unsatisfied(market, terms.needs))


def _check_not_with_oneself(market: Market, buyer_id: UUID, terms: OrderTerms) -> None:
    own_offer = queries.own_offer_that_could_meet(
        market, terms.needs, buyer_id=buyer_id, earliest_at=terms.earliest_at, latest_at=terms.latest_at
    )
    if own_offer is not None:
        raise OwnOfferCouldMeet(own_offer)


def _check_amended(order: Order, before: OrderTerms, after: OrderTerms, entry: rounds.Entry) -> None:
    reserves = (before.extras_reserve_minor, after.extras_reserve_minor)
    if order.filled_unit_hours and (rules.demanded(before), reserves[0]) != (rules.demanded(after), reserves[1]):
        raise OrderPartlyFilled
    # A limit that stays was inside the collar of its day.
    stays = (before.limit_micros, before.needs) == (after.limit_micros, after.needs)
    terms = order.market.terms if stays else queries.terms_for(order.market, after.needs, now=entry.accepted_at)
    problems = list(rules.terms_problems(terms, OrderKind(order.kind), after))
    # An old start may lie in the past by now; only a new one has to be reachable.
    problems += rules.new_edge_problems(terms, before, after, gate_at=entry.round.scheduled_at)
    if problems:
        raise OrderInvalid("The changed order does not fit the rules of the market.", problems)
    if rules.demanded(before) != rules.demanded(after):
        _check_can_be_met(order.market, after)
        _check_not_with_oneself(order.market, order.buyer_id, after)


def _lock(read: Order) -> Order:
    """Lock an order that was read before its wallet was locked; raises OrderChangedMeanwhile."""
    order = Order.objects.select_for_update(of=("self",), no_key=True).select_related("market").get(id=read.id)
    # A whole round may have passed since: the order is open as before, but part of its hold is a contract's now.
    if _state(order) != _state(read):
        raise OrderChangedMeanwhile
    return order


def _state(order: Order) -> tuple[object, ...]:
    return order.revision, order.status, order.filled_unit_hours, order.closed_unit_hours


def _record(actor: Actor, order: Order, verb: str, *, before: dict[str, Any] | None, now: datetime) -> None:
    """Keep the revision and leave the trail."""
    after = OrderRevision.fields_of(order)
    OrderRevision.objects.create(order=order, **after, actor_label=actor.label, accepted_at=order.revised_at)
    audit.record(actor, f"order.{verb}", "order", order.id, before, after, now=now, organisation_id=order.buyer_id)
    emit(order, verb, now=now)


def emit(order: Order, what: str, *, now: datetime) -> None:
    """Tell the buyer what happened to the order."""
    events.emit_all([told(order, what, now=now)])


def told(order: Order, what: str, *, now: datetime) -> Event:
    """Return what the buyer is told of an order; not noted yet."""
    said = {
        "order": ids.spell("ord", order.id),
        "market": order.market.code,
        "status": order.status,
        "revision": order.revision,
        "filled_unit_hours": order.filled_unit_hours,
        "open_unit_hours": order.open_unit_hours,
    }
    return events.of(f"order.{what}", "order", order.id, order.buyer_id, said, now=now)
