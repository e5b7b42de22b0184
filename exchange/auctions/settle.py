"""Settle a cleared round: one short transaction per order, all its trades; then publish.

Any step may be the last of a killed worker. What is committed is whole; the next run finds each
settled order marked and goes on with the rest. The same round never yields two sets of trades:
the order's part in the round is locked and marked, and the trades themselves are unique.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.events.models import Event
from accounts.foundation import clock, ids
from accounts.jobs.registry import Renew
from billing.contracts import services as contracts
from billing.contracts.models import Contract
from billing.contracts.terms import SlotTerms
from billing.ledger.rules import Source
from exchange.auctions import deals as deal_rules
from exchange.auctions import queries
from exchange.auctions.deals import Deal
from exchange.auctions.gates import release_offers
from exchange.auctions.models import RoundOrder
from exchange.auctions.rules import EntryState
from exchange.leases import services as leases
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.offers import gate as offers
from exchange.offers.models import Offer
from exchange.offers.rules import Sale
from exchange.orders import gate as orders
from exchange.orders.models import Order
from exchange.rounds import services
from exchange.rounds.models import Round, RoundOutcome, RoundPrice
from exchange.rounds.rules import RoundStatus
from exchange.trades.models import Trade

_SETTLEMENT: Final = Actor.system("settlement")
RENEW_EVERY: Final = 20  # orders between two renewals of the job's lease


def settle_round(key: str, payload: Mapping[str, Any], *, renew: Renew) -> None:
    """Settle every order of the round with this id and publish it; safe to repeat, also at the same time."""
    round_id = UUID(key)
    settling = Round.objects.select_related("market").get(id=round_id)
    if settling.status != RoundStatus.CLEARED:
        return
    outcome = RoundOutcome.objects.get(round_id=round_id)
    bought = deal_rules.by_order(deal_rules.trades_of(outcome.text), lot_units=settling.market.lot_units)
    surpluses = {block["order"]: block["surplus"] for block in outcome.record["paradoxically_rejected"]}
    entries = RoundOrder.objects.filter(round_id=round_id, state=EntryState.LOCKED).order_by("order__seq", "order_id")
    for count, (entry_id, order_id) in enumerate(entries.values_list("id", "order_id")):
        name = ids.spell("ord", order_id)
        settle_order(settling, entry_id, bought.get(name, ()), surplus_micros=surpluses.get(name, 0), now=clock.now())
        if count % RENEW_EVERY == 0:
            renew()
    publish(round_id, now=clock.now())


@transaction.atomic
def settle_order(
    settling: Round, entry_id: UUID, bought: Sequence[Deal], *, surplus_micros: int = 0, now: datetime
) -> None:
    """Write everything that one order got in a round, once: trades, contracts, hold, capacity, leases, status."""
    # The mark that this order is settled; whoever waited for it finds it set and has nothing to do.
    entry = RoundOrder.objects.select_for_update().get(id=entry_id)
    if entry.state != EntryState.LOCKED:
        return
    order = Order.objects.select_related("market", "hold").get(id=entry.order_id)
    sold = _offers(bought)
    filled = sum(deal.unit_hours for deal in bought)
    left = _open_unit_hours(order, filled=filled, bought=bought, now=now)
    made = _contracts(settling.market, entry, order, bought, sold, rest_unit_hours=left, now=now)
    # Locks from here on: the wallet, capacity rows, offers, the order.
    cleared = sum(contract.held_minor for contract in made.values())
    orders.settle_hold(order, cleared_minor=cleared, open_unit_hours=left, is_filled=bool(bought), now=now)
    offers.sell(_SETTLEMENT, [_sale(settling.market, deal, sold) for deal in bought], now=now)
    orders.record_outcome(_SETTLEMENT, order.id, filled_unit_hours=filled, open_unit_hours=left, now=now)
    _trades(settling, order, bought, sold, made, now=now)
    _leases(settling, bought, sold, made, now=now)
    entry.state = EntryState.SETTLED
    entry.filled_unit_hours = filled
    entry.surplus_micros = surplus_micros
    entry.settled_at = now
    entry.save(update_fields=["state", "filled_unit_hours", "surplus_micros", "settled_at"])


@transaction.atomic
def publish(round_id: UUID, *, now: datetime) -> None:
    """Publish a round whose orders are all settled, and let its offers change again; safe to repeat."""
    cleared = services.lock(round_id)
    if cleared.status != RoundStatus.CLEARED:
        return
    if RoundOrder.objects.filter(round=cleared, state=EntryState.LOCKED).exists():
        return
    traded = _publish_prices(cleared, now=now)
    release_offers(cleared)
    services.move(
        _SETTLEMENT,
        cleared,
        RoundStatus.PUBLISHED,
        now=now,
        payload={"traded_unit_hours": traded},
        published_at=now,
    )


def _publish_prices(cleared: Round, *, now: datetime) -> int:
    """Write the full price vector as rows; return the unit-hours that were traded."""
    market = cleared.market
    outcome = RoundOutcome.objects.get(round=cleared)
    rows = deal_rules.price_runs(outcome.text, cleared.snapshot.text, lot_units=market.lot_units)
    RoundPrice.objects.bulk_create(
        [
            RoundPrice(
                id=ids.new_id(),
                round=cleared,
                market=market,
                cell=row.cell,
                starts_at=market_rules.instant_of(market.terms, row.start),
                ends_at=market_rules.instant_of(market.terms, row.end),
                price_micros=row.price_micros,
                traded_unit_hours=row.traded_unit_hours,
                published_at=now,
            )
            for row in rows
        ],
        batch_size=1_000,
    )
    return sum(row.traded_unit_hours for row in rows)


def _offers(bought: Sequence[Deal]) -> dict[str, Offer]:
    wanted = {ids.parse("off", deal.offer_id) for deal in bought}
    return {ids.spell("off", offer.id): offer for offer in Offer.objects.filter(id__in=wanted)}


def _open_unit_hours(order: Order, *, filled: int, bought: Sequence[Deal], now: datetime) -> int:
    """Return the unit-hours that the order takes into the next round: none unless it rolls over and they can come."""
    if not order.rolls_over:
        return 0
    terms = order.market.terms
    next_horizon = market_rules.horizon(terms, market_rules.next_gate(terms, now))
    first_slot = market_rules.slot_at(terms, next_horizon.first_at)
    (demand,) = queries.demands(order.market, [order])
    return deal_rules.open_unit_hours(demand, bought, first_slot=first_slot)


def _contracts(
    market: Market,
    entry: RoundOrder,
    order: Order,
    bought: Sequence[Deal],
    sold: Mapping[str, Offer],
    *,
    rest_unit_hours: int,
    now: datetime,
) -> dict[UUID, Contract]:
    """Open one contract per provider, its schedule being its trades slot by slot.

    Each contract rounds its own value, fee and tax; several may come to a coin more than was held for
    all of them at the limit. The last ones then have that much less of the hold.
    """
    spare_minor = orders.freed_minor(order, open_unit_hours=rest_unit_hours, is_filled=bool(bought))
    # What was set aside for extras goes to the first contract that the order gets.
    reserve_minor = 0 if order.filled_unit_hours else order.extras_reserve_minor
    made: dict[UUID, Contract] = {}
    by_provider: dict[UUID, list[Deal]] = defaultdict(list)
    for deal in bought:
        by_provider[sold[deal.offer_id].provider_id].append(deal)
    for provider_id, part in sorted(by_provider.items()):
        made[provider_id] = contracts.open_contract(
            _SETTLEMENT,
            source=Source("round_order", entry.id, "trade"),
            buyer_id=order.buyer_id,
            provider_id=provider_id,
            project_id=order.project_id,
            market_code=market.code,
            currency=order.currency,
            slots=[
                SlotTerms(
                    offering_id=offering_id,
                    starts_at=market_rules.instant_of(market.terms, run.start),
                    ends_at=market_rules.instant_of(market.terms, run.end),
                    quantity=run.units,
                    unit=market.unit,
                    price_micros=run.price_micros,
                )
                for offering_id, own in _by_offering(part, sold).items()
                for run in deal_rules.contract_runs(own)
            ],
            hold_id=order.hold_id,
            hold_at_most_minor=max(0, spare_minor),
            reserve_minor=reserve_minor,
            fee_version=order.fee_version,
            synthetic=order.has_synthetic_limit,
            now=now,
        )
        spare_minor -= made[provider_id].held_minor
        reserve_minor = 0
    return made


def _by_offering(part: Sequence[Deal], sold: Mapping[str, Offer]) -> dict[UUID, list[Deal]]:
    own: dict[UUID, list[Deal]] = defaultdict(list)
    for deal in part:
        own[sold[deal.offer_id].offering_id].append(deal)
    return dict(sorted(own.items()))


def _sale(market: Market, deal: Deal, sold: Mapping[str, Offer]) -> Sale:
    return Sale(
        offer_id=sold[deal.offer_id].id,
        starts_at=market_rules.instant_of(market.terms, deal.start),
        ends_at=market_rules.instant_of(market.terms, deal.end),
        quantity=deal.units,
    )


def _trades(
    settling: Round,
    order: Order,
    bought: Sequence[Deal],
    sold: Mapping[str, Offer],
    made: Mapping[UUID, Contract],
    *,
    now: datetime,
) -> None:
    terms = settling.market.terms
    rows = Trade.objects.bulk_create(
        Trade(
            market=settling.market,
            round=settling,
            order=order,
            offer=sold[deal.offer_id],
            contract=made[sold[deal.offer_id].provider_id],
            buyer_id=order.buyer_id,
            provider_id=sold[deal.offer_id].provider_id,
            starts_at=market_rules.instant_of(terms, deal.start),
            ends_at=market_rules.instant_of(terms, deal.end),
            quantity=deal.units,
            unit_hours=deal.unit_hours,
            price_micros=deal.price_micros,
            currency=order.currency,
            order_kind=order.kind,
            order_limit_micros=order.limit_micros,
            offer_reserve_micros=sold[deal.offer_id].reserve_micros,
            created_at=now,
        )
        for deal in bought
    )
    events.emit_all(event for trade in rows for event in _told(trade, now=now))


def _told(trade: Trade, *, now: datetime) -> tuple[Event, Event]:
    """Leave the trail of a trade, and return what its buyer and its provider are told."""
    said = {
        "trade": ids.spell("trd", trade.id),
        "round": ids.spell("rnd", trade.round_id),
        "contract": ids.spell("ctr", trade.contract_id),
        "quantity": trade.quantity,
        "starts_at": trade.starts_at.isoformat(),
        "ends_at": trade.ends_at.isoformat(),
        "price_micros": trade.price_micros,
        "currency": trade.currency,
    }
    audit.record(_SETTLEMENT, "trade.made", "trade", trade.id, None, said, now=now, organisation_id=trade.buyer_id)
    # Each side learns its own order or offer, not the other's.
    buyer_said = said | {"order": ids.spell("ord", trade.order_id)}
    provider_said = said | {"offer": ids.spell("off", trade.offer_id)}
    return (
        events.of("trade.made", "trade", trade.id, trade.buyer_id, buyer_said, now=now),
        events.of("trade.made", "trade", trade.id, trade.provider_id, provider_said, now=now),
    )


def _leases(
    settling: Round,
    bought: Sequence[Deal],
    sold: Mapping[str, Offer],
    made: Mapping[UUID, Contract],
    *,
    now: datetime,
) -> None:
    """Schedule a lease for each run of constant quantity of an offering; a change of price does not end one."""
    terms = settling.market.terms
    for offering_id, own in _by_offering(bought, sold).items():
        contract = made[sold[own[0].offer_id].provider_id]
        for run in deal_rules.lease_runs(own):
            leases.schedule(
                settling,
                contract,
                offering_id,
                quantity=run.units,
                starts_at=market_rules.instant_of(terms, run.start),
                ends_at=market_rules.instant_of(terms, run.end),
                now=now,
            )
