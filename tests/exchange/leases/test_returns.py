"""Handing back what is left of a lease: what is owed, billed, held, free again and refused."""

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from psycopg.errors import CheckViolation

from accounts.events.models import Event
from accounts.foundation import clock
from accounts.foundation.errors import DomainError, Forbidden
from billing.contracts import queries as contracts
from billing.contracts.errors import NothingToHandBack
from billing.contracts.models import Contract, ContractRelease
from billing.invoices import services as invoices
from billing.usage import services as usage
from catalog.measures.interval import Interval
from exchange.capacity.models import CapacitySlot
from exchange.leases import queries, returns, services, ticks
from exchange.leases.errors import LeaseIsOver, LeaseNotFound, ReturnInvalid, ReturnReported
from exchange.leases.models import Lease
from exchange.leases.rules import EndReason, LeaseStatus, Rectangle
from exchange.offers.models import Offer
from tests.exchange import cast
from tests.exchange.cast import GATE, HOUR, D, funds, yuan
from tests.exchange.leases.delivery import Delivery, at, billed, cleared, deliver, lines, owed, part, segment, violated


def hand_back(delivery: Delivery, rectangle: Rectangle, *, now: datetime = GATE) -> returns.Returned:
    return returns.hand_back(delivery.story.beichen, delivery.lease.id, rectangle, now=at(now))


def test_an_offer_states_its_return_credit_from_the_start_and_the_contract_keeps_it(delivery: Delivery) -> None:
    assert set(Offer.objects.values_list("return_credit_ppm", flat=True)) == {500_000}
    contract = Contract.objects.get(id=delivery.lease.contract_id)
    assert set(contract.slots.values_list("return_credit_ppm", flat=True)) == {500_000}


def test_a_rectangle_is_handed_back_credited_and_free_for_the_provider(delivery: Delivery) -> None:
    before = funds(delivery.story.beichen)
    returned = hand_back(delivery, part(4, 10, 12))
    # 8 card-hours at 10.00, half of it credited: 40.00, with fee 0.40 and VAT 2.42 no longer held, less two coins.
    assert str(returned.credited) == "40.00 CNY"
    after = funds(delivery.story.beichen)
    assert (after[0], before[1] - after[1]) == (before[0], yuan("42.80"))
    assert owed(delivery.lease) == [(16, 0, 10), (12, 10, 12), (16, 12, 24)]
    rows = CapacitySlot.objects.filter(offering=delivery.lease.offering).order_by("starts_at")
    assert [(row.sold, row.free) for row in rows][9:13] == [(16, 0), (12, 4), (12, 4), (16, 0)]
    told = Event.objects.filter(type="lease.returned")
    assert {event.organisation_id for event in told} == {delivery.lease.buyer_id, delivery.lease.provider_id}
    assert violated() == []
    # The provider offers the cards of those hours again.
    market = cast.make_market(delivery.story.operator, "hourly", gate_interval_seconds=3600, gate_offset_seconds=0)
    again = cast.Story(**{**vars(delivery.story), "market": market})
    cast.place_offer(again, again.huailai, again.huailai_cards, "9.00", quantity=4, first=10, last=12)


def test_what_was_handed_back_is_billed_once_at_what_stays_due_and_is_nobodys_failure(delivery: Delivery) -> None:
    hand_back(delivery, part(4, 10, 12))
    hand_back(delivery, part(16, 20, 22), now=D + 2 * HOUR)
    deliver(delivery, delivery.lease)
    contract = Contract.objects.get(id=delivery.lease.contract_id)
    assert contract.status == "ended"
    invoice, statement = billed(contract)
    # Delivered: 12 hours of night less two at 9.00, 12 of day at 10.00 less 8 card-hours; handed back: half of 8
    # card-hours at 10.00 and of 32 at 9.00 stays due.
    night, day = 160 * yuan("9.00"), 184 * yuan("10.00")
    due = (8 * yuan("10.00") + 32 * yuan("9.00")) // 2
    fee = (night + day) // 100
    assert lines(invoice) == [("capacity", night), ("capacity", day), ("returned", due), ("fee", fee)]
    commission = -round((night + day) * 4 / 100)
    assert lines(statement) == [*lines(invoice)[:3], ("commission", commission)]
    assert "40 card-hours handed back" in invoice.lines.get(kind="returned").description
    contract.refresh_from_db()
    assert (contract.status, contract.held_minor) == ("settled", 0)
    assert cast.funds(delivery.story.beichen)[1] == 0
    assert violated() == []


def test_a_lease_ends_where_what_is_left_of_it_ends_and_begins_where_it_begins(delivery: Delivery) -> None:
    hand_back(delivery, part(16, 0, 3))
    hand_back(delivery, part(6, 18, 24))
    hand_back(delivery, part(10, 20, 24))
    lease = Lease.objects.get(id=delivery.lease.id)
    assert (lease.starts_at, lease.ends_at) == (D + 3 * HOUR, D + 20 * HOUR)
    assert owed(lease) == [(16, 3, 18), (10, 18, 20)]
    shown = queries.get(delivery.story.beichen, lease.id)
    assert queries.contracted_unit_hours(shown) == 16 * 15 + 10 * 2
    deliver(delivery, lease)
    lease.refresh_from_db()
    assert (lease.status, lease.end_reason) == (LeaseStatus.ENDED, EndReason.COMPLETED)
    assert lease.closed_at is not None
    assert {(row.quantity, row.contracted) for row in queries.segments(lease)} == {(16, 16), (10, 10)}
    assert violated() == []


def test_a_lease_handed_back_whole_is_over_and_half_of_it_stays_due(delivery: Delivery) -> None:
    hand_back(delivery, part(16, 0, 24))
    lease = Lease.objects.get(id=delivery.lease.id)
    assert (lease.status, lease.end_reason, owed(lease)) == (LeaseStatus.REPLACED, EndReason.RETURNED, [])
    assert violated() == []
    ticks.run_due(now=at(D + 25 * HOUR))
    contract = Contract.objects.get(id=lease.contract_id)
    assert contract.status == "ended"
    invoice, statement = billed(contract)
    assert lines(invoice) == lines(statement) == [("returned", yuan("1824.00"))]
    assert funds(delivery.story.beichen)[1] == 0
    assert violated() == []


def test_an_invoice_on_demand_after_a_return_takes_from_the_hold_and_not_from_the_wallet(delivery: Delivery) -> None:
    hand_back(delivery, part(16, 12, 24))
    lease = delivery.lease
    agent = delivery.huailai_agent
    at(D)
    services.acknowledge(agent, lease.id, now=D)
    services.activate(agent, lease.id, access="ssh", now=D)
    at(D + 2 * HOUR)
    usage.ingest(agent, [segment(lease, 0, 2, 16)], now=clock.now())
    before = funds(delivery.story.beichen)
    invoice = invoices.invoice_on_demand(delivery.story.beichen, lease.contract_id, now=clock.now())
    balance, held, available = funds(delivery.story.beichen)
    assert before[0] - balance == invoice.total_minor
    assert before[1] - held == invoice.total_minor
    assert available == before[2]


def test_nothing_is_reported_for_what_was_handed_back_whole(delivery: Delivery) -> None:
    hand_back(delivery, part(16, 4, 6))
    at(D + 8 * HOUR)
    results = usage.ingest(
        delivery.huailai_agent,
        [segment(delivery.lease, 3, 5, 16), segment(delivery.lease, 6, 8, 16)],
        now=clock.now(),
    )
    assert [(result.status, result.code) for result in results] == [("rejected", "outside_lease"), ("accepted", "")]


def test_what_was_reported_already_cannot_be_handed_back(story: cast.Story) -> None:
    market = cast.make_market(story.operator, "no-lead", lead_seconds=0)
    delivery = cleared(cast.Story(**{**vars(story), "market": market}))
    now = at(D + 2 * HOUR - timedelta(minutes=2))
    usage.ingest(delivery.huailai_agent, [segment(delivery.lease, 0, 2, 16)], now=now)
    hand_back(delivery, part(1, 2, 3), now=now)
    usage.ingest(
        delivery.huailai_agent, [segment(delivery.lease, 2, 3, 15)], now=at(D + 3 * HOUR - timedelta(minutes=2))
    )
    now = at(D + 2 * HOUR)
    with pytest.raises(ReturnReported):
        returns.hand_back(delivery.story.beichen, delivery.lease.id, part(1, 2, 3), now=now)


@pytest.mark.parametrize(
    ("rectangle", "pointer"),
    [
        (part(4, 23, 25), "/ends_at"),
        (part(0, 10, 12), "/quantity"),
        (part(4, 12, 10), "/ends_at"),
        (Rectangle(4, D + timedelta(minutes=90), D + 3 * HOUR), "/starts_at"),
        (part(4, -1, 3), "/starts_at"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_field(delivery: Delivery, rectangle: Rectangle, pointer: str) -> None:
    with pytest.raises(ReturnInvalid) as refused:
        hand_back(delivery, rectangle)
    assert pointer in {problem.pointer for problem in refused.value.problems}


def test_the_lead_time_holds_and_no_more_than_is_owed_goes_back(delivery: Delivery) -> None:
    with pytest.raises(ReturnInvalid, match="cannot be handed back"):
        hand_back(delivery, part(1, 4, 5), now=D + 4 * HOUR - timedelta(minutes=29))
    hand_back(delivery, part(12, 4, 6), now=D)
    with pytest.raises(NothingToHandBack, match="4 units are owed and not on offer; 5"):
        hand_back(delivery, part(5, 5, 7), now=D)
    hand_back(delivery, part(4, 5, 7), now=D)
    assert owed(delivery.lease) == [(16, 0, 4), (4, 4, 5), (12, 6, 7), (16, 7, 24)]


def test_only_its_buyer_hands_a_lease_back_and_only_while_it_lasts(delivery: Delivery) -> None:
    for stranger, refusal in (
        (delivery.story.lanting, LeaseNotFound),
        (delivery.huailai_agent, Forbidden),
        (cast.viewer(cast.organisation_of(delivery.story.beichen)), Forbidden),
    ):
        with pytest.raises(DomainError) as refused:
            returns.hand_back(stranger, delivery.lease.id, part(1, 10, 12), now=at(GATE))
        assert isinstance(refused.value, refusal)
    hand_back(delivery, part(16, 0, 24))
    with pytest.raises(LeaseIsOver):
        hand_back(delivery, part(1, 0, 24))


def test_the_database_refuses_more_than_was_agreed_and_another_credit(delivery: Delivery) -> None:
    hand_back(delivery, part(10, 9, 11))
    release = ContractRelease.objects.get()
    beyond = {"quantity": 7, "starts_at": D + 10 * HOUR, "ends_at": D + 12 * HOUR}
    for changes, constraint in (
        (beyond, "contract_release_within_its_run"),
        ({"credit_ppm": 499_999, "quantity": 1}, "contract_release_of_its_run"),
        ({"ends_at": D + 21 * HOUR, "quantity": 1}, "contract_release_of_its_run"),
    ):
        row = ContractRelease(
            contract_id=release.contract_id,
            slot_id=release.slot_id,
            **{
                "starts_at": release.starts_at,
                "ends_at": release.ends_at,
                "quantity": release.quantity,
                "credit_ppm": release.credit_ppm,
                "created_at": release.created_at,
                **changes,
            },
        )
        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            row.save(force_insert=True)
        cause = refused.value.__cause__
        assert isinstance(cause, CheckViolation)
        assert cause.diag.constraint_name == constraint


def test_what_is_owed_is_the_schedule_less_every_return_hour_by_hour(delivery: Delivery) -> None:
    rectangles = [part(3, 2, 9), part(5, 7, 15), part(7, 7, 8), part(2, 14, 24), part(1, 0, 24)]
    for rectangle in rectangles:
        hand_back(delivery, rectangle)
    contract = Contract.objects.get(id=delivery.lease.contract_id)
    left: dict[datetime, int] = {}
    for _, slot in contracts.owed(contract):
        for hour in Interval(slot.starts_at, slot.ends_at).slots():
            left[hour.start] = slot.quantity
    for n in range(24):
        hour_starts = D + n * HOUR
        back = sum(one.quantity for one in rectangles if one.starts_at <= hour_starts < one.ends_at)
        assert left.get(hour_starts, 0) == 16 - back
    assert violated() == []
