"""Settle a cleared round: short transactions, each of a few orders with all their trades; then publish.

Any step may be the last of a killed worker. What is committed is whole; the next run finds each
settled order marked and goes on with the rest. The same round never yields two sets of trades:
the order's part in the round is locked and marked, and the trades themselves are unique.

A few orders are settled together because the rows of all of them are then written in a statement for each
table. It is as safe as one at a time: an order's mark is written in the transaction that writes its trades,
locks are taken in the order of the house over all orders of the batch, and a killed worker loses the batch in
flight and nothing else.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from accounts.actors.actor import Actor
from accounts.foundation import clock, ids, rows
from accounts.jobs.registry import Renew
from billing.contracts import services as contracts
from billing.contracts.models import Contract
from billing.contracts.services import Agreement
from billing.contracts.terms import SlotTerms
from billing.landings import queries as landings
from billing.ledger.rules import Source
from exchange.auctions import deals as deal_rules
from exchange.auctions import queries, resales
from exchange.auctions.deals import Deal
from exchange.auctions.gates import release_offers
from exchange.auctions.models import RoundOrder
from exchange.auctions.resales import Origins
from exchange.auctions.rules import EntryState
from exchange.leases import services as leases
from exchange.leases.services import Delivery
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.offers import gate as offers
from exchange.offers.models import Offer
from exchange.offers.rules import Sale
from exchange.orders import gate as orders
from exchange.orders.gate import Decision
from exchange.rounds import services
from exchange.rounds.models import Round, RoundOutcome, RoundPrice
from exchange.rounds.rules import RoundStatus
from exchange.trades import services as trades
from exchange.trades.models import Trade

_SETTLEMENT: Final = Actor.system("settlement")
TOGETHER: Final = 150  # orders of one transaction: half a second, on a busy machine a whole one


@dataclass(frozen=True)
class Filled:
    """What one order got in a round: its deals, and the surplus of a block that was left out (micros)."""

    deals: tuple[Deal, ...] = ()
    surplus_micros: int = 0

    @property
    def unit_hours(self) -> int:
        """Units times hours of all deals."""
        return sum(deal.unit_hours for deal in self.deals)


def settle_round(key: str, payload: Mapping[str, Any], *, renew: Renew) -> None:
    """Settle every order of the round with this id and publish it; safe to repeat, also at the same time."""
    round_id = UUID(key)
    settling = Round.objects.select_related("market").get(id=round_id)
    if settling.status != RoundStatus.CLEARED:
        return
    # Whoever is filled sees it as the order is settled: nothing is, before the results are public.
    assert settling.publishes_at is None or clock.now() >= settling.publishes_at, "the job is due when it publishes"
    outcome = RoundOutcome.objects.get(round_id=round_id)
    bought = deal_rules.by_order(deal_rules.trades_of(outcome.text), lot_units=settling.market.lot_units)
    surpluses = {block["order"]: block["surplus"] for block in outcome.record["paradoxically_rejected"]}
    filled = {
        ids.parse("ord", name): Filled(bought.get(name, ()), surpluses.get(name, 0))
        for name in bought.keys() | surpluses.keys()
    }
    for order_ids in _in_batches(_waiting(round_id)):
        settle_orders(settling, order_ids, filled, now=clock.now())
        renew()
    publish(round_id, now=clock.now())


def _waiting(round_id: UUID) -> list[UUID]:
    entries = RoundOrder.objects.filter(round_id=round_id, state=EntryState.LOCKED)
    return list(entries.order_by("order__seq", "order_id").values_list("order_id", flat=True))


def _in_batches(order_ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(order_ids), TOGETHER):
        yield order_ids[start : start + TOGETHER]


@transaction.atomic
def settle_orders(
    settling: Round, order_ids: Collection[UUID], filled: Mapping[UUID, Filled], *, now: datetime
) -> None:
    """Write everything that orders got in a round, once: trades, contracts, holds, capacity, leases, statuses.

    An order that `filled` does not name got nothing.
    """
    # The marks that these orders are settled; whoever waited for one finds it set and leaves the order alone.
    locked = RoundOrder.objects.select_for_update(of=("self",)).select_related("order__hold")
    locked = locked.filter(round=settling, order__in=order_ids, state=EntryState.LOCKED).order_by("id")
    entries = list(locked.prefetch_related("order__market"))
    entries.sort(key=lambda entry: (entry.order.seq, entry.order_id))
    parts = {entry.order_id: filled.get(entry.order_id, Filled()) for entry in entries}
    sold = _offers(parts.values())
    origins = resales.locked(sold.values())
    left = _open_unit_hours(settling.market, entries, parts, now=now)
    made = _contracts(settling.market, entries, parts, sold, origins, left, now=now)
    decisions = [
        Decision(
            order=entry.order,
            cleared_minor=sum(contract.held_minor for contract in made[entry.order_id].values()),
            filled_unit_hours=parts[entry.order_id].unit_hours,
            open_unit_hours=left[entry.order_id],
        )
        for entry in entries
    ]
    # Locks from here on, each in one order over all orders of the batch: wallets, capacity rows, offers, orders.
    orders.settle_holds(decisions, now=now)
    deals = [deal for part in parts.values() for deal in part.deals]
    offers.sell(_SETTLEMENT, [_sale(settling.market, deal, sold) for deal in deals], now=now)
    orders.record_outcomes(_SETTLEMENT, decisions, now=now)
    _trades(settling, entries, parts, sold, made, now=now)
    leases.schedule(settling, list(_deliveries(settling.market, parts, sold, made)), now=now)
    resales.settle(_SETTLEMENT, origins, [one for by_supply in made.values() for one in by_supply.values()], now=now)
    for entry in entries:
        entry.state = EntryState.SETTLED
        entry.filled_unit_hours = parts[entry.order_id].unit_hours
        entry.surplus_micros = parts[entry.order_id].surplus_micros
        entry.settled_at = now
    rows.update(entries, ["state", "filled_unit_hours", "surplus_micros", "settled_at"])


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
    runs = deal_rules.price_runs(outcome.text, cleared.snapshot.text, lot_units=market.lot_units)
    rows.insert(
        RoundPrice(
            round=cleared,
            market=market,
            cell=run.cell,
            starts_at=market_rules.instant_of(market.terms, run.start),
            ends_at=market_rules.instant_of(market.terms, run.end),
            price_micros=run.price_micros,
            traded_unit_hours=run.traded_unit_hours,
            published_at=now,
        )
        for run in runs
    )
    return sum(run.traded_unit_hours for run in runs)


def _offers(parts: Collection[Filled]) -> dict[str, Offer]:
    wanted = {ids.parse("off", deal.offer_id) for part in parts for deal in part.deals}
    found = Offer.objects.filter(id__in=wanted).select_related("origin")
    return {ids.spell("off", offer.id): offer for offer in found}


def _open_unit_hours(
    market: Market, entries: Sequence[RoundOrder], parts: Mapping[UUID, Filled], *, now: datetime
) -> dict[UUID, int]:
    """Return the unit-hours that orders take into the next round: none unless they roll over and still may."""
    next_horizon = market_rules.horizon(market.terms, market_rules.next_gate(market.terms, now))
    first_slot = market_rules.slot_at(market.terms, next_horizon.first_at)
    left = dict.fromkeys(parts, 0)
    stopped = landings.stopped_buyers(market.currency)
    rolling = [entry.order for entry in entries if entry.order.rolls_over and entry.order.buyer_id not in stopped]
    for order, demand in zip(rolling, queries.demands(market, rolling), strict=True):
        left[order.id] = deal_rules.open_unit_hours(demand, parts[order.id].deals, first_slot=first_slot)
    return left


def _contracts(
    market: Market,
    entries: Sequence[RoundOrder],
    parts: Mapping[UUID, Filled],
    sold: Mapping[str, Offer],
    origins: Origins,
    left: Mapping[UUID, int],
    *,
    now: datetime,
) -> dict[UUID, dict[UUID, Contract]]:
    """Open a contract for each order and supply (see Offer.supply_id), its schedule being their trades slot by slot."""
    agreements: list[tuple[UUID, Agreement]] = []
    spare_minor: dict[UUID, int] = {}
    for entry in entries:
        order, part = entry.order, parts[entry.order_id]
        spare_minor[order.hold_id] = orders.freed_minor(
            order, open_unit_hours=left[order.id], is_filled=bool(part.deals)
        )
        agreements += [(order.id, agreement) for agreement in _agreements(market, entry, part, sold, origins)]
    opened = contracts.open_contracts(
        _SETTLEMENT, [agreement for _, agreement in agreements], at_most_minor=spare_minor, now=now
    )
    made: dict[UUID, dict[UUID, Contract]] = {entry.order_id: {} for entry in entries}
    for (order_id, agreement), contract in zip(agreements, opened, strict=True):
        made[order_id][agreement.origin_id or agreement.provider_id] = contract
    return made


def _agreements(
    market: Market, entry: RoundOrder, part: Filled, sold: Mapping[str, Offer], origins: Origins
) -> Iterator[Agreement]:
    order = entry.order
    # What was set aside for extras goes to the first contract that the order gets.
    reserve_minor = 0 if order.filled_unit_hours else order.extras_reserve_minor
    by_supply: dict[UUID, list[Deal]] = defaultdict(list)
    for deal in part.deals:
        by_supply[sold[deal.offer_id].supply_id].append(deal)
    for _, own in sorted(by_supply.items()):
        offer = sold[own[0].offer_id]
        yield Agreement(
            source=Source("round_order", entry.id, "trade"),
            buyer_id=order.buyer_id,
            provider_id=offer.provider_id,
            project_id=order.project_id,
            market_code=market.code,
            currency=order.currency,
            slots=origins.taken_over(slot_terms(market, own, sold), offer.origin_id),
            origin_id=offer.origin_id,
            hold_id=order.hold_id,
            reserve_minor=reserve_minor,
            fee_version=order.fee_version,
            synthetic=order.has_synthetic_limit,
        )
        reserve_minor = 0


def slot_terms(market: Market, deals: Sequence[Deal], sold: Mapping[str, Offer]) -> list[SlotTerms]:
    """Return the price schedule of a contract over deals; `sold` has their offers by id, spelled outside.

    An offer from before offers stated their credits states none: 0.
    """
    return [
        SlotTerms(
            offering_id=offering_id,
            starts_at=market_rules.instant_of(market.terms, start),
            ends_at=market_rules.instant_of(market.terms, end),
            quantity=run.units,
            unit=market.unit,
            price_micros=run.price_micros,
            return_credit_ppm=return_ppm,
            pause_credit_ppm=pause_ppm,
            resale_commission_ppm=resale_ppm,
        )
        for offering_id, own in _by_offering(deals, sold).items()
        for credits_by_slot in (deal_rules.least_credits((deal, sold[deal.offer_id].credits_ppm) for deal in own),)
        for run in deal_rules.contract_runs(own)
        for start, end, (return_ppm, pause_ppm, resale_ppm) in deal_rules.by_credit(run, credits_by_slot)
    ]


def _by_offering(part: Sequence[Deal], sold: Mapping[str, Offer]) -> dict[UUID, list[Deal]]:
    own: dict[UUID, list[Deal]] = defaultdict(list)
    for deal in part:
        own[sold[deal.offer_id].offering_id].append(deal)
    return dict(sorted(own.items()))


def _by_supply(part: Sequence[Deal], sold: Mapping[str, Offer]) -> dict[tuple[UUID, UUID], list[Deal]]:
    own: dict[tuple[UUID, UUID], list[Deal]] = defaultdict(list)
    for deal in part:
        offer = sold[deal.offer_id]
        own[offer.supply_id, offer.offering_id].append(deal)
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
    entries: Sequence[RoundOrder],
    parts: Mapping[UUID, Filled],
    sold: Mapping[str, Offer],
    made: Mapping[UUID, Mapping[UUID, Contract]],
    *,
    now: datetime,
) -> None:
    terms = settling.market.terms
    trades.make(
        _SETTLEMENT,
        (
            Trade(
                market=settling.market,
                round=settling,
                order=entry.order,
                offer=offer,
                contract=made[entry.order_id][offer.supply_id],
                buyer_id=entry.order.buyer_id,
                provider_id=offer.provider_id,
                starts_at=market_rules.instant_of(terms, deal.start),
                ends_at=market_rules.instant_of(terms, deal.end),
                quantity=deal.units,
                unit_hours=deal.unit_hours,
                price_micros=deal.price_micros,
                currency=entry.order.currency,
                order_kind=entry.order.kind,
                order_limit_micros=entry.order.limit_micros,
                offer_reserve_micros=offer.reserve_micros,
                created_at=now,
            )
            for entry in entries
            for deal in parts[entry.order_id].deals
            for offer in (sold[deal.offer_id],)
        ),
        now=now,
    )


def _deliveries(
    market: Market,
    parts: Mapping[UUID, Filled],
    sold: Mapping[str, Offer],
    made: Mapping[UUID, Mapping[UUID, Contract]],
) -> Iterator[Delivery]:
    """Yield a lease for each run of constant quantity of an offering; a change of price does not end one."""
    for order_id, part in parts.items():
        for (supply_id, offering_id), own in _by_supply(part.deals, sold).items():
            contract = made[order_id][supply_id]
            for run in deal_rules.lease_runs(own):
                yield Delivery(
                    contract,
                    offering_id,
                    quantity=run.units,
                    starts_at=market_rules.instant_of(market.terms, run.start),
                    ends_at=market_rules.instant_of(market.terms, run.end),
                )
