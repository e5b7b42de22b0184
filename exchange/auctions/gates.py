"""At the gate: the no-cancel phase begins, the book is frozen, what was missed is said.

Beat calls `close_due` every second; the rows decide what is due, so a beat that is late, doubled
or was down only makes rounds late, and says so.
"""

import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor, Capability
from accounts.events import services as events
from accounts.events.models import Event
from accounts.foundation import ids, rows
from accounts.foundation.failures import Failures
from accounts.jobs import services as jobs
from exchange.auctions import book as books
from exchange.auctions import queries
from exchange.auctions.book import Grid
from exchange.auctions.models import RoundOrder
from exchange.auctions.rules import EntryState
from exchange.clearing import book as clearing_books
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.markets.rules import MarketStatus
from exchange.offers import gate as offers
from exchange.orders import gate as orders
from exchange.orders.models import Order
from exchange.rounds import publication, rules, services
from exchange.rounds.errors import VoidNeedsReason
from exchange.rounds.models import VOID_REASON_CHARACTERS, Round, RoundSnapshot
from exchange.rounds.rules import RoundStatus

CLEAR_ROUND: Final = "clear_round"
INDICATE_ROUND: Final = "indicate_round"
INDICATIONS: Final = 2  # in each no-cancel phase
SALT_BYTES: Final = 32
LATE_AFTER: Final = timedelta(seconds=60)
BATCH: Final = 1_000
_GATE: Final = Actor.system("gate")


def close_due(*, now: datetime) -> list[UUID]:
    """Do what the clock asks of every market; return the rounds whose books were frozen.

    A market that fails keeps no other from its gate; what failed is raised after the last of them.
    """
    frozen = []
    failures = Failures()
    for market in Market.objects.order_by("id"):
        with failures.kept(f"closing the gate of {market.code}"):
            if market.status == MarketStatus.OPEN:
                frozen += close_market(market, now=now)
            else:
                _void_due(market, "The market was suspended at the gate.", now=now)
    failures.raise_any()
    return frozen


def close_market(market: Market, *, now: datetime) -> list[UUID]:
    """Begin the no-cancel phase or freeze the book of one market, as its gates demand.

    Of several gates that have passed unattended only the last is run: its book holds what all
    of them would have held. The others are void, each with its row.
    """
    last_gate = market_rules.last_gate(market.terms, now)
    _make_missed_rows(market, last_gate, now=now)
    services.ensure_round(market, after=now, now=now)
    _lock_due(market, now=now)
    due = Round.objects.filter(market=market, status__in=rules.TAKING_ORDERS, scheduled_at__lte=now)
    for skipped in due.filter(scheduled_at__lt=last_gate).order_by("scheduled_at"):
        _void_waiting(skipped.id, "The gate passed unattended; a later gate took its book.", now=now)
    found = due.filter(scheduled_at=last_gate).values_list("id", flat=True).first()
    return [found] if found is not None and freeze(found, now=now) else []


@transaction.atomic
def freeze(round_id: UUID, *, now: datetime) -> bool:
    """Freeze the book of a round whose gate has passed: what is in it, and that it waits to be cleared.

    The book holds what was accepted before the gate, however late this runs. Returns False when
    the round was frozen meanwhile or an earlier round of the market is still being cleared or settled.
    """
    # Two gates of one market, at a late beat, one after the other: each looks whether it is alone.
    Market.objects.select_for_update(no_key=True).get(rounds=round_id)
    closing = services.lock(round_id)
    if closing.status not in rules.TAKING_ORDERS:
        return False
    assert now >= closing.scheduled_at, "a book is frozen at its gate or after it"
    market = closing.market
    if Round.objects.filter(market=market, status__in=rules.IN_PROGRESS).exists():
        return False
    locked_orders = orders.lock_for_gate(market.id, gate_at=closing.scheduled_at)
    locked_offers = offers.lock_for_gate(market.id, gate_at=closing.scheduled_at, now=now)
    grid = grid_of(closing)
    frozen = books.freeze(grid, queries.supplies(market, locked_offers), queries.demands(market, locked_orders))
    digest = clearing_books.digest(frozen.book)
    salt = secrets.token_bytes(SALT_BYTES)
    RoundSnapshot.objects.create(
        round=closing,
        text=frozen.book.canonical_bytes().decode(),
        digest=digest,
        public_digest=publication.book(frozen.book.to_document(), salt).digest,
        salt=salt,
        gate_seq=books.last_seq(frozen.book),
        first_slot=grid.first_slot,
        end_slot=grid.end_slot,
        left_out={id_: reason.value for id_, reason in sorted(frozen.left_out.items())},
        created_at=now,
    )
    # What is not in the book goes on as it was.
    orders.reopen(order.id for order in locked_orders if ids.spell("ord", order.id) in frozen.left_out)
    offers.unlock(offer.id for offer in locked_offers if ids.spell("off", offer.id) in frozen.left_out)
    in_book = [order for order in locked_orders if ids.spell("ord", order.id) not in frozen.left_out]
    _enter(closing, in_book, now=now)
    late = now - closing.scheduled_at
    services.move(
        _GATE,
        closing,
        RoundStatus.GATED,
        now=now,
        payload={
            "digest": digest,
            "orders": len(in_book),
            "offers": len(books.ids_of(frozen.book.offers)),
            "left_out": len(frozen.left_out),
        },
        gated_at=now,
        locked_at=closing.locked_at or now,
        late_seconds=late // timedelta(seconds=1),
    )
    if late > LATE_AFTER:
        services.alarm(closing, "round.late", {"late_seconds": closing.late_seconds}, now=now)
    jobs.enqueue(CLEAR_ROUND, str(closing.id), {}, now=now)
    return True


@transaction.atomic
def void_round(actor: Actor, round_id: UUID, *, reason: str, now: datetime) -> Round:
    """Give a round up before its outcome binds: its orders go on, open, to the next one.

    Needs OPERATE. Raises RoundNotFound, RoundMoveRefused, VoidNeedsReason.
    """
    actor.require(Capability.OPERATE)
    reason = reason.strip()
    if not reason:
        raise VoidNeedsReason
    voided = services.lock(round_id)
    rules.check_move(voided.status, RoundStatus.VOID)
    _release_book(voided, now=now)
    services.move(
        actor,
        voided,
        RoundStatus.VOID,
        now=now,
        payload={"reason": reason},
        void_reason=reason[:VOID_REASON_CHARACTERS],
        voided_at=now,
    )
    services.alarm(voided, "round.given_up", {"reason": reason}, now=now)
    return voided


def _lock_due(market: Market, *, now: datetime) -> None:
    waiting = Round.objects.filter(
        market=market, status=RoundStatus.OPEN, locks_at__lte=now, scheduled_at__gt=now
    ).values_list("id", flat=True)
    for round_id in waiting:
        with transaction.atomic():
            closing = services.lock(round_id)
            if closing.status == RoundStatus.OPEN:
                services.move(_GATE, closing, RoundStatus.LOCKED, now=now, locked_at=now)
                _enqueue_indications(closing, now=now)


def _enqueue_indications(locked: Round, *, now: datetime) -> None:
    """Have what the gate would find said in equal steps of the no-cancel phase that is left."""
    step = (locked.scheduled_at - now) / INDICATIONS
    for place in range(INDICATIONS):
        jobs.enqueue(INDICATE_ROUND, f"{locked.id}/{place + 1}", {}, now=now, due_at=now + place * step)


def grid_of(closing: Round) -> Grid:
    """Return the market's lot and step, and what this gate can deliver."""
    terms = closing.market.terms
    horizon = market_rules.horizon(terms, closing.scheduled_at)
    first_slot = market_rules.slot_at(terms, horizon.first_at)
    return Grid(
        lot_units=terms.lot_units,
        step=terms.grid_slots,
        first_slot=first_slot,
        # A lead time longer than the horizon leaves nothing that could be delivered.
        end_slot=max(first_slot, market_rules.slot_at(terms, horizon.last_at)),
    )


def _enter(closing: Round, in_book: list[Order], *, now: datetime) -> None:
    rows.insert(RoundOrder(round=closing, order=order, state=EntryState.LOCKED, created_at=now) for order in in_book)
    events.emit_all(_told(order, closing, "order.locked", now=now) for order in in_book)


def _release_book(voided: Round, *, now: datetime) -> None:
    entries = RoundOrder.objects.filter(round=voided, state=EntryState.LOCKED)
    order_ids = list(entries.order_by("order_id").values_list("order_id", flat=True))
    orders.reopen(order_ids)
    reopened = Order.objects.filter(id__in=order_ids).order_by("id")
    events.emit_all(_told(order, voided, "order.reopened", now=now) for order in reopened)
    entries.update(state=EntryState.RELEASED, settled_at=now)
    release_offers(voided)


def release_offers(over: Round) -> None:
    """Let the offers of a round that is over change again and join the next one."""
    snapshot = RoundSnapshot.objects.filter(round=over).first()
    if snapshot is not None:
        offers.unlock(ids.parse("off", id_) for id_ in books.offer_ids_in(snapshot.text))


def _told(order: Order, round_: Round, type_: str, *, now: datetime) -> Event:
    said = {"order": ids.spell("ord", order.id), "round": ids.spell("rnd", round_.id)}
    return events.of(type_, "order", order.id, order.buyer_id, said, now=now)


def _void_due(market: Market, reason: str, *, now: datetime) -> None:
    due = Round.objects.filter(market=market, status__in=rules.TAKING_ORDERS, scheduled_at__lte=now)
    for round_id in due.order_by("scheduled_at").values_list("id", flat=True):
        _void_waiting(round_id, reason, now=now)


@transaction.atomic
def _void_waiting(round_id: UUID, reason: str, *, now: datetime) -> None:
    # Two ticks of the clock may find the same round: the second leaves it as the first has made it.
    if services.lock(round_id).status in rules.TAKING_ORDERS:
        void_round(_GATE, round_id, reason=reason, now=now)


def _make_missed_rows(market: Market, last_gate: datetime, *, now: datetime) -> None:
    """Make the row of every gate since the last known one, the latest to be run and the others void.

    Nothing is missed in a market that has had no round yet.
    """
    known = Round.objects.filter(market=market).order_by("-scheduled_at").first()
    if known is None or known.scheduled_at >= last_gate:
        return
    gates = []
    gate = market_rules.next_gate(market.terms, known.scheduled_at)
    while gate < last_gate:
        gates.append(gate)
        gate = market_rules.next_gate(market.terms, gate)
    missed = [
        Round(
            id=ids.new_id(),
            market=market,
            scheduled_at=gate,
            locks_at=market_rules.cancel_deadline(market.terms, gate),
            publishes_at=market_rules.publish_at(market.terms, gate),
            status=RoundStatus.VOID,
            void_reason="The gate passed while nobody was there to run it.",
            voided_at=now,
            rules_version=market.rules_version,
            created_at=now,
        )
        for gate in gates
    ]
    with transaction.atomic():
        Round.objects.bulk_create(missed, batch_size=BATCH, ignore_conflicts=True)
        services.ensure_round(market, after=last_gate - timedelta(microseconds=1), now=now)
        if missed:
            services.alarm(known, "round.gates_missed", {"missed": len(missed)}, now=now)
