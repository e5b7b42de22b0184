"""Settling beyond the story: what rolls over, what is shared among providers, what never adds up to more."""

from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django.db.models import Count

from accounts.audit.models import AuditRecord
from accounts.events.models import Event
from accounts.foundation import clock
from billing.contracts import rules as contract_rules
from billing.contracts.models import Contract
from billing.ledger import queries as ledger
from billing.ledger.models import Hold
from exchange.auctions import clear, gates, settle
from exchange.auctions.models import RoundOrder
from exchange.capacity import services as capacity
from exchange.capacity.models import CapacitySlot
from exchange.leases.models import Lease
from exchange.offers.models import Offer, OfferSlot
from exchange.orders.models import Order
from exchange.orders.rules import OrderStatus
from exchange.rounds.models import Round, RoundPrice
from exchange.rounds.rules import RoundStatus
from exchange.trades.models import Trade
from tests.exchange import cast
from tests.exchange.cast import GATE, HOUR, D, Story, hourly, micros

DAY = timedelta(days=1)


def run_round(story: Story, gate: datetime = GATE) -> Round:
    """Run a gate to its end."""
    clock.set_virtual(gate)
    gates.close_due(now=clock.now())
    round_ = Round.objects.get(market=story.market, scheduled_at=gate)
    clear.clear_round(str(round_.id), {}, renew=lambda: None)
    settle.settle_round(str(round_.id), {}, renew=lambda: None)
    round_.refresh_from_db()
    assert round_.status == RoundStatus.PUBLISHED
    return round_


def held(order: Order) -> int:
    return ledger.funds(order.buyer_id, "CNY").held_minor


def test_a_round_without_offers_and_orders_is_published_empty(story: Story) -> None:
    gates.close_due(now=clock.now())
    run_round(story)
    assert not RoundPrice.objects.exists()
    assert not Trade.objects.exists()


def test_what_is_left_of_an_order_rolls_over_under_its_number_and_is_filled_in_the_next_round(story: Story) -> None:
    # Twelve hours two days on, so that the next gate can still deliver them.
    first, last = 48, 60
    capacity.list_capacity(
        story.huailai,
        offering_id=story.huailai_cards.id,
        starts_at=D + first * HOUR,
        ends_at=D + last * HOUR,
        quantity=16,
        now=clock.now(),
    )
    cast.place_offer(story, story.huailai, story.huailai_cards, "8.00", quantity=4, first=first, last=last)
    order = cast.place_order(story.beichen, hourly(story, "9.00", first=first, last=last, rolls_over=True))
    seq = order.seq
    run_round(story)
    order.refresh_from_db()
    assert (order.status, order.seq) == (OrderStatus.OPEN, seq)
    assert (order.filled_unit_hours, order.open_unit_hours) == (48, 96)
    contract = Contract.objects.get()
    # 96 unit-hours at 9.00 with 1 % and 6 %: 864.00 + 8.64 + 52.36.
    assert held(order) == contract.held_minor + 92_500
    cast.place_offer(story, story.huailai, story.huailai_cards, "8.50", quantity=8, first=first, last=last)
    run_round(story, GATE + DAY)
    order.refresh_from_db()
    assert (order.status, order.filled_unit_hours, order.open_unit_hours) == (OrderStatus.FILLED, 144, 0)
    contracts = Contract.objects.order_by("id")
    assert [one.provider_id for one in contracts] == [story.huailai.organisation()] * 2
    assert held(order) == sum(one.held_minor for one in contracts)
    assert RoundOrder.objects.filter(order=order).count() == 2
    assert sum(Trade.objects.values_list("unit_hours", flat=True)) == 144


def test_an_order_that_does_not_roll_over_ends_partly_filled_and_gives_the_rest_back(story: Story) -> None:
    cast.place_offer(story, story.huailai, story.huailai_cards, "8.00", quantity=4)
    order = cast.place_order(story.beichen, hourly(story, "9.00"))
    run_round(story)
    order.refresh_from_db()
    assert order.status == OrderStatus.PARTLY_FILLED
    assert held(order) == Contract.objects.get().held_minor


def test_an_order_of_two_providers_has_two_contracts_within_one_hold(story: Story) -> None:
    cast.place_offer(story, story.huailai, story.huailai_cards, "7.77", quantity=7)
    cast.place_offer(story, story.zhangbei, story.zhangbei_cards, "7.77", quantity=7)
    order = cast.place_order(story.beichen, hourly(story, "7.78", quantity_max=14, first=8, last=9))
    before = held(order)
    run_round(story)
    contracts = list(Contract.objects.all())
    assert {contract.provider_id for contract in contracts} == {
        story.huailai.organisation(),
        story.zhangbei.organisation(),
    }
    assert held(order) == sum(contract.held_minor for contract in contracts)
    assert held(order) <= before
    assert Lease.objects.count() == 2


def test_what_is_reserved_for_extras_stays_held_after_the_order_is_filled(story: Story) -> None:
    cast.place_offer(story, story.huailai, story.huailai_cards, "8.00", quantity=4)
    reserve_minor = cast.yuan("50.00")
    order = cast.place_order(
        story.beichen, hourly(story, "9.00", quantity_max=4, extras_reserve_minor=reserve_minor, rolls_over=True)
    )
    run_round(story)
    order.refresh_from_db()
    assert order.status == OrderStatus.FILLED
    contract = Contract.objects.get()
    capacity_minor = contract_rules.worst_case(contract.value_minor, fee_ppm=10_000, tax_ppm=60_000).total_minor
    assert held(order) == contract.held_minor == capacity_minor + reserve_minor


def test_a_blocks_level_may_pass_from_offer_to_offer_of_one_provider_in_one_lease(story: Story) -> None:
    cast.place_offer(story, story.huailai, story.huailai_cards, "8.00", first=0, last=12)
    cast.place_offer(story, story.huailai, story.huailai_cards, "9.00", first=12, last=24)
    cast.place_order(story.beichen, cast.block(story, "12.50"))
    run_round(story)
    lease = Lease.objects.get()
    assert (lease.quantity, lease.ends_at - lease.starts_at) == (16, DAY)
    assert Trade.objects.count() == 2
    assert Contract.objects.get().slots.count() in {1, 2}


def test_settling_again_changes_nothing(story: Story) -> None:
    cast.place_offer(story, story.huailai, story.huailai_cards, "8.00")
    order = cast.place_order(story.beichen, cast.block(story, "12.50"))
    round_ = run_round(story)
    before = (held(order), Trade.objects.count(), Lease.objects.count(), Contract.objects.count())
    settle.settle_round(str(round_.id), {}, renew=lambda: None)
    clear.clear_round(str(round_.id), {}, renew=lambda: None)
    settle.publish(round_.id, now=clock.now())
    assert (held(order), Trade.objects.count(), Lease.objects.count(), Contract.objects.count()) == before


def test_a_market_of_machines_counts_lots_and_charges_units(story: Story) -> None:
    market = cast.make_market(story.operator, "machines", lot_units=8)
    machines = Story(**{**vars(story), "market": market})
    cast.place_offer(machines, story.huailai, story.huailai_cards, "8.00")
    order = cast.place_order(story.beichen, hourly(machines, "10.01", quantity_max=16, first=8, last=10))
    cast.place_order(story.lanting, hourly(machines, "9.99", quantity_max=16, first=8, last=10))
    run_round(machines)
    trade = Trade.objects.get()
    assert (trade.order_id, trade.quantity, trade.unit_hours) == (order.id, 16, 32)
    assert micros("9.99") <= trade.price_micros <= micros("10.01")


def test_orders_settled_together_get_what_they_get_one_by_one(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    cast.place_offer(story, story.huailai, story.huailai_cards, "7.77", quantity=7)
    cast.place_offer(story, story.huailai, story.huailai_cards, "8.00", quantity=9, first=8, last=16)
    cast.place_offer(story, story.zhangbei, story.zhangbei_cards, "7.90", quantity=9)
    cast.place_order(story.beichen, cast.block(story, "9.50", quantity_max=6))
    for first in (8, 9, 10, 11):
        cast.place_order(story.beichen, hourly(story, "9.30", quantity_max=2, first=first, last=first + 3))
        cast.place_order(
            story.lanting,
            hourly(story, "9.10", quantity_max=3, first=first, last=first + 4, extras_reserve_minor=first),
        )
    cast.place_order(story.qinghe, hourly(story, "9.00", quantity_max=8, rolls_over=True))
    cast.place_order(story.qinghe, hourly(story, "7.00", quantity_max=1, first=8, last=10))

    def settled(together: int) -> list[object]:
        monkeypatch.setattr(settle, "TOGETHER", together)
        with transaction.atomic():
            run_round(story)
            found = _all_that_a_round_writes()
            transaction.set_rollback(True)
        return found

    one_by_one = settled(1)
    assert settled(3) == settled(50) == one_by_one
    assert "sold" in str(one_by_one)


def _all_that_a_round_writes() -> list[object]:
    """Return every figure that settling writes, without ids of its own and without the order of writing."""
    rows: list[list[tuple[object, ...]]] = [
        list(Order.objects.order_by("seq").values_list("status", "filled_unit_hours", "closed_unit_hours")),
        list(Hold.objects.order_by("source_id").values_list("source_id", "amount_minor", "event_count")),
        list(Offer.objects.order_by("seq").values_list("status", "sold_unit_hours", "closed_at")),
        list(OfferSlot.objects.order_by("offer", "starts_at").values_list("offer_id", "starts_at", "sold")),
        list(CapacitySlot.objects.order_by("offering", "starts_at").values_list("offering_id", "offered", "sold")),
        list(
            Trade.objects.order_by("order", "offer", "starts_at").values_list(
                "order_id", "offer_id", "starts_at", "ends_at", "quantity", "price_micros"
            )
        ),
        list(
            Contract.objects.order_by("hold", "provider").values_list(
                "hold_id", "provider_id", "value_minor", "share_minor", "held_minor", "terms_digest"
            )
        ),
        list(
            Lease.objects.order_by("contract__hold", "offering", "starts_at").values_list(
                "contract__hold_id", "quantity", "starts_at", "ends_at", "acknowledge_by"
            )
        ),
        list(RoundOrder.objects.order_by("order__seq").values_list("state", "filled_unit_hours", "surplus_micros")),
        list(
            AuditRecord.objects.exclude(action="offer.sell")  # once for each offer of a batch
            .values_list("action")
            .annotate(Count("id"))
            .order_by("action")
        ),
        list(
            Event.objects.exclude(type__startswith="offer.").values_list("type").annotate(Count("id")).order_by("type")
        ),
    ]
    return [row for table in rows for row in table]
