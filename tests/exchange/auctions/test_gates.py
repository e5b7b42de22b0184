"""What the clock does to rounds: the no-cancel phase, the gate, gates that nobody attended, rounds given up."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfoNotFoundError

import pytest
from django.test import Client

from accounts.actors.actor import Actor
from accounts.events.models import Event
from accounts.foundation import clock, ids
from accounts.jobs.models import Job
from accounts.organisations import services as organisations
from billing.ledger import queries as ledger
from catalog.offerings import services as offerings
from exchange.auctions import clear, gates, giving_up, settle, watch
from exchange.auctions.book import LeftOut
from exchange.auctions.models import RoundOrder
from exchange.auctions.rules import EntryState
from exchange.clearing.errors import EngineFault
from exchange.markets import services as markets
from exchange.markets.models import Market
from exchange.offers.models import Offer
from exchange.orders import services as orders
from exchange.orders.models import Order
from exchange.orders.rules import OrderStatus
from exchange.rounds import services as rounds
from exchange.rounds.errors import GateClosed, NoCancelPhase, RoundMoveRefused
from exchange.rounds.models import Round, RoundOutcome, RoundSnapshot
from exchange.rounds.rules import RoundStatus
from tests.exchange import cast
from tests.exchange.cast import GATE, NOW, Story

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def at(instant: datetime) -> datetime:
    """Move the clock and return the instant."""
    clock.set_virtual(instant)
    return instant


def close_due(instant: datetime) -> None:
    gates.close_due(now=at(instant))


def statuses(story: Story) -> list[str]:
    return list(Round.objects.filter(market=story.market).order_by("scheduled_at").values_list("status", flat=True))


@pytest.fixture
def entered(story: Story) -> Story:
    cast.place_offer(story, story.huailai, story.huailai_cards, "8.00")
    cast.place_order(story.beichen, cast.block(story, "12.50"))
    return story


def test_the_no_cancel_phase_begins_ten_minutes_before_the_gate(entered: Story) -> None:
    close_due(GATE - 11 * MINUTE)
    assert statuses(entered) == [RoundStatus.OPEN]
    close_due(GATE - 10 * MINUTE)
    assert statuses(entered)[0] == RoundStatus.LOCKED
    order = Order.objects.get()
    with pytest.raises(NoCancelPhase):
        orders.cancel(entered.beichen, order.id, now=clock.now())
    raised = orders.amend(entered.beichen, order.id, limit_micros=cast.micros("12.60"), now=clock.now())
    assert raised.limit_micros == cast.micros("12.60")


def test_the_gate_freezes_what_was_accepted_before_it_and_nothing_else(entered: Story) -> None:
    at(GATE)
    late = orders.place(entered.lanting, cast.hourly(entered, "11.00", first=48, last=60), now=GATE)
    close_due(GATE + timedelta(seconds=2))
    frozen = Round.objects.get(scheduled_at=GATE)
    assert (frozen.status, frozen.late_seconds) == (RoundStatus.GATED, 2)
    assert [entry.order_id for entry in RoundOrder.objects.all()] == [Order.objects.exclude(id=late.id).get().id]
    late.refresh_from_db()
    assert late.status == OrderStatus.OPEN
    assert Offer.objects.get().locked_at == GATE + timedelta(seconds=2)
    assert Job.objects.get(kind="clear_round").key == str(frozen.id)


def test_between_gate_and_freezing_nothing_of_the_book_changes(entered: Story) -> None:
    at(GATE)
    order = Order.objects.get()
    with pytest.raises(GateClosed):
        orders.amend(entered.beichen, order.id, limit_micros=cast.micros("13.00"), now=GATE)


def test_closing_twice_changes_nothing(entered: Story) -> None:
    close_due(GATE)
    before = RoundSnapshot.objects.get().digest
    close_due(GATE)
    assert RoundSnapshot.objects.get().digest == before


def test_of_gates_that_passed_unattended_the_last_is_run_and_each_has_its_row(entered: Story) -> None:
    close_due(GATE + 3 * DAY + MINUTE)
    assert statuses(entered) == [
        RoundStatus.VOID,
        RoundStatus.VOID,
        RoundStatus.VOID,
        RoundStatus.GATED,
        RoundStatus.OPEN,
    ]
    assert Event.objects.filter(type="round.gates_missed").exists()
    assert all(Round.objects.filter(status=RoundStatus.VOID).values_list("void_reason", flat=True))


def test_a_gate_run_more_than_a_minute_late_raises_an_alarm(entered: Story) -> None:
    close_due(GATE + 2 * MINUTE)
    assert Event.objects.get(type="round.late").payload["late_seconds"] == 120


def test_the_gate_of_a_suspended_market_is_void_and_its_orders_stay_open(entered: Story) -> None:
    markets.suspend(entered.operator, entered.market.id, reason="a flood", now=NOW)
    close_due(GATE)
    assert statuses(entered) == [RoundStatus.VOID]
    assert Order.objects.get().status == OrderStatus.OPEN


def test_a_market_that_cannot_be_closed_keeps_no_other_from_its_gate(entered: Story) -> None:
    broken = Market.objects.get(id=entered.market.id)
    broken.id, broken.code, broken.timezone = UUID(int=1), "broken", "Nowhere/Land"
    broken.save(force_insert=True)
    with pytest.raises(ZoneInfoNotFoundError):
        close_due(GATE)
    assert Round.objects.get(market=entered.market, scheduled_at=GATE).status == RoundStatus.GATED


def test_a_suspended_buyer_sits_the_round_out_and_stays_open(entered: Story) -> None:
    organisations.suspend(entered.operator, entered.beichen.organisation(), now=NOW)
    close_due(GATE)
    frozen = Round.objects.get(scheduled_at=GATE)
    order = Order.objects.get()
    assert (order.status, RoundOrder.objects.count()) == (OrderStatus.OPEN, 0)
    assert list(frozen.snapshot.left_out.values()) == [LeftOut.BARRED]


@pytest.mark.parametrize("what", ["provider", "offering"])
def test_nothing_is_sold_from_a_suspended_provider_or_offering(entered: Story, what: str) -> None:
    if what == "provider":
        organisations.suspend(entered.operator, entered.huailai.organisation(), now=NOW)
    else:
        offerings.suspend(entered.operator, entered.huailai_cards.id, now=NOW)
    close_due(GATE)
    frozen = Round.objects.get(scheduled_at=GATE)
    offer = Offer.objects.get()
    assert frozen.snapshot.left_out == {ids.spell("off", offer.id): LeftOut.BARRED}
    clear.clear_round(str(frozen.id), {}, renew=lambda: None)
    settle.settle_round(str(frozen.id), {}, renew=lambda: None)
    offer.refresh_from_db()
    assert (offer.sold_unit_hours, offer.locked_at) == (0, None)
    assert Order.objects.get().status == OrderStatus.UNFILLED


def test_the_next_gate_waits_until_the_round_before_it_is_over(entered: Story) -> None:
    close_due(GATE)
    close_due(GATE + DAY)
    assert statuses(entered)[:2] == [RoundStatus.GATED, RoundStatus.OPEN]
    first = Round.objects.get(scheduled_at=GATE)
    clear.clear_round(str(first.id), {}, renew=lambda: None)
    settle.settle_round(str(first.id), {}, renew=lambda: None)
    close_due(GATE + DAY + MINUTE)
    assert statuses(entered)[:2] == [RoundStatus.PUBLISHED, RoundStatus.GATED]


def test_after_a_round_given_up_before_its_gate_orders_are_taken_for_the_next(entered: Story) -> None:
    coming = Round.objects.get(scheduled_at=GATE)
    cast.give_up(coming.id, reason="The exchange is moved.", now=NOW)
    cast.place_order(entered.lanting, cast.hourly(entered, "11.00", first=48, last=60))
    close_due(GATE)
    assert RoundOrder.objects.count() == 0
    close_due(GATE + DAY)
    assert statuses(entered)[:2] == [RoundStatus.VOID, RoundStatus.GATED]


def test_operators_give_a_frozen_round_up_and_its_orders_go_on(entered: Story) -> None:
    close_due(GATE)
    frozen = Round.objects.get(scheduled_at=GATE)
    cast.give_up(frozen.id, now=GATE)
    order = Order.objects.get()
    assert order.status == OrderStatus.OPEN
    assert RoundOrder.objects.get().state == EntryState.RELEASED
    assert Offer.objects.get().locked_at is None
    assert ledger.funds(order.buyer_id, "CNY").held_minor == order.hold.amount_minor
    clear.clear_round(str(frozen.id), {}, renew=lambda: None)
    assert not RoundOutcome.objects.exists()


def test_a_decided_round_cannot_be_given_up(entered: Story) -> None:
    close_due(GATE)
    frozen = Round.objects.get(scheduled_at=GATE)
    clear.clear_round(str(frozen.id), {}, renew=lambda: None)
    with pytest.raises(RoundMoveRefused, match="cleared cannot become void"):
        cast.give_up(frozen.id, reason="too late", now=GATE)


def test_a_book_that_is_not_the_one_its_digest_names_is_not_cleared(story: Story) -> None:
    rounds.ensure_round(story.market, after=NOW, now=NOW)
    damaged = Round.objects.get(scheduled_at=GATE)
    RoundSnapshot.objects.create(
        round=damaged,
        text='{"cells":[],"grid":1,"offers":[],"orders":[]}',
        digest="0" * 64,
        salt=b"salt",
        gate_seq=0,
        first_slot=0,
        end_slot=0,
        created_at=GATE,
    )
    rounds.move(Actor.system("test"), rounds.lock(damaged.id), RoundStatus.GATED, now=GATE, gated_at=GATE)
    with pytest.raises(EngineFault, match="not the one"):
        clear.clear_round(str(damaged.id), {}, renew=lambda: None)
    assert Event.objects.filter(type="round.verification_failed", subject_id=damaged.id).exists()
    damaged.refresh_from_db()
    assert damaged.status == RoundStatus.CLEARING
    assert not RoundOutcome.objects.exists()


def test_a_round_that_is_not_over_in_time_is_said_to_be_overdue_once(entered: Story) -> None:
    close_due(GATE)
    for _ in range(2):
        watch.sweep(now=GATE + 6 * MINUTE)
    assert Event.objects.filter(type="round.overdue").count() == 1
    assert [round_.scheduled_at for round_ in watch.overdue(now=GATE + 6 * MINUTE)] == [GATE]


def test_operators_see_what_is_overdue_late_skipped_degraded_or_asked_for(
    entered: Story, call: Callable[..., Any]
) -> None:
    assert watch.troubled(now=NOW, since=NOW - DAY) == []
    close_due(GATE + 2 * MINUTE)
    first, _ = cast.two_operators()
    frozen = Round.objects.get(scheduled_at=GATE)
    giving_up.ask(first, frozen.id, reason="The site is on fire.", now=GATE)
    Round.objects.filter(id=frozen.id).update(degraded=True)
    at(GATE + 6 * MINUTE)
    found = call(first, "get", "/v1/rounds/troubled").json()["rounds"]
    assert [(row["trouble"], row["detail"]) for row in found] == [
        ("overdue", "still gated"),
        ("void_asked", "The site is on fire."),
        ("late", "the gate was run 120 seconds late"),
        ("degraded", "cleared by a search that was cut short"),
    ]
    assert Client().get("/readyz").json()["overdue_rounds"] == 1
    assert call(entered.beichen, "get", "/v1/rounds/troubled").status_code == 403
    giving_up.confirm(cast.two_operators()[1], frozen.id, now=GATE)
    assert [each.trouble for each in watch.troubled(now=GATE + DAY, since=GATE)] == ["skipped", "late", "degraded"]
