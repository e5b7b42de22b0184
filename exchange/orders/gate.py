"""What a round does to orders: lock them at the gate, settle their holds, decide them, end those past their time.

Every function runs inside the transaction of the round that calls it, after the round's own lock.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, Value

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from billing.ledger import services as ledger
from catalog.measures.interval import HOUR
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.orders import queries, rules, services
from exchange.orders.errors import OrderChangedMeanwhile, OrderMoveRefused
from exchange.orders.models import Order
from exchange.orders.rules import OrderStatus


def lock_for_gate(market_id: UUID, *, gate_at: datetime) -> list[Order]:
    """Lock every open order that was accepted before the gate; the oldest number first."""
    orders = queries.live(market_id).filter(status=OrderStatus.OPEN, created_at__lt=gate_at)
    locked = list(orders.select_for_update(no_key=True).order_by("id"))
    Order.objects.filter(id__in=[order.id for order in locked]).update(status=OrderStatus.LOCKED)
    for order in locked:
        order.status = OrderStatus.LOCKED
    return sorted(locked, key=lambda order: (order.seq, order.id))


def reopen(order_ids: Iterable[UUID]) -> None:
    """Let locked orders go on untouched: their round was void, or they did not stand in its book."""
    Order.objects.filter(id__in=list(order_ids), status=OrderStatus.LOCKED).update(status=OrderStatus.OPEN)


def freed_minor(order: Order, *, open_unit_hours: int, is_filled: bool) -> int:
    """Return how much of a locked order's hold its contracts of this round may have.

    It is what stood for the open hours and does not stand for those that go on. The reserve for extras is in it at
    the order's first fill. The order is as it was before the round.
    """
    was_minor = services.rest_of_hold_minor(order, order.open_unit_hours)
    rest_minor = services.rest_of_hold_minor(order, open_unit_hours)
    if is_filled and open_unit_hours and not order.filled_unit_hours:
        rest_minor -= order.extras_reserve_minor
    return was_minor - rest_minor


def settle_hold(order: Order, *, cleared_minor: int, open_unit_hours: int, is_filled: bool, now: datetime) -> None:
    """Shrink a locked order's hold by what its contracts of this round do not need of what it freed.

    `cleared_minor` is what those contracts have of the hold; `open_unit_hours` go on into the next round. To be
    called before the order's sales are booked and its outcome is recorded: the wallet is locked before capacity.
    """
    freed = freed_minor(order, open_unit_hours=open_unit_hours, is_filled=is_filled)
    ledger.change_hold(order.hold_id, by_minor=cleared_minor - freed, now=now)


def record_outcome(
    actor: Actor, order_id: UUID, *, filled_unit_hours: int, open_unit_hours: int, now: datetime
) -> Order:
    """Write what a round did to a locked order: what it filled, and what is open for the next one.

    The order is open again, with its old number, when hours are left that it wants to see again; else filled,
    partly filled or unfilled. Both figures are unit-hours; the first is of this round alone.
    """
    order = Order.objects.select_for_update(of=("self",), no_key=True).select_related("market").get(id=order_id)
    before = {"status": order.status, "filled_unit_hours": order.filled_unit_hours}
    filled = order.filled_unit_hours + filled_unit_hours
    status = rules.status_after_round(total=order.total_unit_hours, filled=filled, open_=open_unit_hours)
    rules.check_move(order.status, status)
    order.status = status
    order.filled_unit_hours = filled
    order.closed_unit_hours = order.total_unit_hours - filled - open_unit_hours
    if status is not OrderStatus.OPEN:
        order.closed_at = now
    order.save(update_fields=["status", "filled_unit_hours", "closed_unit_hours", "closed_at"])
    after = {"status": order.status, "filled_unit_hours": filled, "open_unit_hours": open_unit_hours}
    audit.record(actor, "order.decide", "order", order.id, before, after, now=now, organisation_id=order.buyer_id)
    services.emit(order, "rolled_over" if status is OrderStatus.OPEN else status.value, now=now)
    return order


def expire_due(actor: Actor, market: Market, *, now: datetime, limit: int = 500) -> int:
    """End the open orders that no coming gate can deliver; returns how many there were."""
    gate_at = market_rules.next_gate(market.terms, now)
    first_at = market_rules.horizon(market.terms, gate_at).first_at
    open_orders = queries.live(market.id).filter(status=OrderStatus.OPEN).select_related("market")
    hourly = Q(hours__isnull=True, latest_at__lte=first_at)
    blocks = Q(hours__isnull=False, latest_at__lt=Value(first_at) + F("hours") * Value(HOUR))
    ended = 0
    for order in open_orders.filter(hourly | blocks)[:limit]:
        try:
            with transaction.atomic():
                services.close(actor, order, OrderStatus.EXPIRED, now=now)
        except (OrderChangedMeanwhile, OrderMoveRefused):
            continue  # somebody else has it in hand; the next call sees what became of it
        ended += 1
    return ended
