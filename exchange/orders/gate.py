"""What a round does to orders: lock them at the gate, settle their holds, decide them, end those past their time.

Every function runs inside the transaction of the round that calls it, after the round's own lock.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, Value

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation import rows
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


@dataclass(frozen=True, slots=True)
class Decision:
    """What a round did to one locked order; the order is as it was before the round.

    `cleared_minor` is what its contracts of this round have of its hold. Unit-hours: filled by this round alone, and
    open for the next one.
    """

    order: Order
    cleared_minor: int
    filled_unit_hours: int
    open_unit_hours: int


def settle_holds(decisions: Iterable[Decision], *, now: datetime) -> None:
    """Shrink the holds of locked orders by what their contracts of this round do not need of what they freed.

    To be called before the sales are booked and the outcomes are recorded: wallets are locked before capacity.
    """
    ledger.give_back(
        {
            decision.order.hold_id: freed_minor(
                decision.order,
                open_unit_hours=decision.open_unit_hours,
                is_filled=bool(decision.filled_unit_hours),
            )
            - decision.cleared_minor
            for decision in decisions
        },
        now=now,
    )


def record_outcomes(actor: Actor, decisions: Iterable[Decision], *, now: datetime) -> list[Order]:
    """Write what a round did to locked orders: what it filled of each, and what is open for the next one.

    An order is open again, with its old number, when hours are left that it wants to see again; else filled,
    partly filled or unfilled.
    """
    by_order = {decision.order.id: decision for decision in decisions}
    locked = Order.objects.select_for_update(no_key=True).prefetch_related("market")
    decided = list(locked.filter(id__in=list(by_order)).order_by("id"))
    records, told = [], []
    for order in decided:
        before = {"status": order.status, "filled_unit_hours": order.filled_unit_hours}
        _decide(order, by_order[order.id], now=now)
        after = {
            "status": order.status,
            "filled_unit_hours": order.filled_unit_hours,
            "open_unit_hours": order.open_unit_hours,
        }
        records.append(
            audit.of(actor, "order.decide", "order", order.id, before, after, now=now, organisation_id=order.buyer_id)
        )
        is_open = order.status == OrderStatus.OPEN
        told.append(services.told(order, "rolled_over" if is_open else str(order.status), now=now))
    rows.update(decided, ["status", "filled_unit_hours", "closed_unit_hours", "closed_at"])
    audit.record_all(records)
    events.emit_all(told)
    return decided


def _decide(order: Order, decision: Decision, *, now: datetime) -> None:
    """Set what a decision changes of a locked order."""
    filled = order.filled_unit_hours + decision.filled_unit_hours
    status = rules.status_after_round(total=order.total_unit_hours, filled=filled, open_=decision.open_unit_hours)
    rules.check_move(order.status, status)
    order.status = status
    order.filled_unit_hours = filled
    order.closed_unit_hours = order.total_unit_hours - filled - decision.open_unit_hours
    if status is not OrderStatus.OPEN:
        order.closed_at = now


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
