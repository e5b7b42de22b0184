"""Pausing a lease: nothing is owed meanwhile, the provider keeps the units, and what stays due is charged later."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from psycopg.errors import CheckViolation

from accounts.actors.actor import Actor
from accounts.events.models import Event
from accounts.foundation import clock, ids
from accounts.foundation.errors import DomainError, Forbidden
from accounts.organisations.rules import Role
from billing.contracts.errors import NothingPaused, NothingToHandBack, NothingToPause
from billing.contracts.models import Contract, ContractPause, ContractResumption
from billing.invoices import services as invoices
from billing.usage import services as usage
from exchange.capacity.models import CapacitySlot
from exchange.leases import pauses, queries, returns, services, ticks
from exchange.leases.errors import LeaseIsOver, LeaseNotFound, PauseInvalid
from exchange.leases.models import Lease
from exchange.leases.pauses import Window
from exchange.leases.rules import EndReason
from exchange.offers.models import Offer
from tests.accounts import cast as accounts_cast
from tests.exchange import cast
from tests.exchange.cast import GATE, HOUR, D, funds, yuan
from tests.exchange.leases.delivery import Delivery, at, billed, deliver, lines, owed, part, segment, violated

Call = Callable[..., Any]


def pause(delivery: Delivery, first: int, last: int) -> Lease:
    window = Window(D + first * HOUR, D + last * HOUR)
    return pauses.pause(delivery.story.beichen, delivery.lease.id, window, now=clock.now())


def resume(delivery: Delivery, first: int) -> Lease:
    return pauses.resume(delivery.story.beichen, delivery.lease.id, starts_at=D + first * HOUR, now=clock.now())


def resume_from(actor: Actor, lease_id: UUID, window: Window, *, now: datetime) -> Lease:
    return pauses.resume(actor, lease_id, starts_at=window.starts_at, now=now)


def paused(delivery: Delivery) -> list[tuple[int, int, int]]:
    lease = Lease.objects.select_related("contract").get(id=delivery.lease.id)
    return [(run.quantity, (run.starts_at - D) // HOUR, (run.ends_at - D) // HOUR) for run in queries.pauses(lease)]


def test_an_offer_states_its_pause_credit_from_the_start_and_the_contract_keeps_it(delivery: Delivery) -> None:
    assert set(Offer.objects.values_list("pause_credit_ppm", flat=True)) == {200_000}
    contract = Contract.objects.get(id=delivery.lease.contract_id)
    assert set(contract.slots.values_list("pause_credit_ppm", flat=True)) == {200_000}


def test_what_is_paused_is_not_owed_and_stays_the_buyers(delivery: Delivery) -> None:
    before = funds(delivery.story.beichen)
    pause(delivery, 10, 22)
    assert owed(delivery.lease) == [(16, 0, 10), (16, 22, 24)]
    assert paused(delivery) == [(16, 10, 20), (16, 20, 22)]
    assert funds(delivery.story.beichen) == before, "what was held stays held"
    assert set(CapacitySlot.objects.filter(offering=delivery.lease.offering).values_list("sold", flat=True)) == {16}
    told = Event.objects.filter(type="lease.paused")
    assert {event.organisation_id for event in told} == {delivery.lease.buyer_id, delivery.lease.provider_id}
    assert queries.contracted_unit_hours(queries.get(delivery.story.beichen, delivery.lease.id)) == 16 * 12
    assert violated() == []


def test_what_was_paused_is_billed_once_at_what_stays_due(delivery: Delivery) -> None:
    returns.hand_back(delivery.story.beichen, delivery.lease.id, part(4, 12, 14), now=clock.now())
    pause(delivery, 10, 14)
    pause(delivery, 20, 24)
    at(D + HOUR)
    resume(delivery, 22)
    deliver(delivery, delivery.lease)
    contract = Contract.objects.get(id=delivery.lease.contract_id)
    assert contract.status == "ended"
    invoice, statement = billed(contract)
    # Paused: 16 cards from 10 to 12 and 12 from 12 to 14 at 10.00, 16 from 20 to 22 at 9.00; four fifths stay due.
    due = (56 * yuan("10.00") + 32 * yuan("9.00")) * 4 // 5
    night, day = 16 * 10 * yuan("9.00"), 16 * 8 * yuan("10.00")
    fee = (night + day) // 100
    returned = 8 * yuan("10.00") // 2
    assert lines(invoice) == [
        ("capacity", night),
        ("capacity", day),
        ("returned", returned),
        ("paused", due),
        ("fee", fee),
    ]
    assert lines(statement)[:4] == lines(invoice)[:4]
    line = invoice.lines.get(kind="paused")
    assert line.description.startswith("Still due of 88 card-hours paused for")
    contract.refresh_from_db()
    assert (contract.status, contract.held_minor, funds(delivery.story.beichen)[1]) == ("settled", 0, 0)
    assert violated() == []


def test_a_lease_goes_on_from_where_it_is_resumed_and_later_pauses_never_begin(delivery: Delivery) -> None:
    pause(delivery, 10, 14)
    pause(delivery, 18, 20)
    resume(delivery, 12)
    assert paused(delivery) == [(16, 10, 12)]
    assert owed(delivery.lease) == [(16, 0, 10), (16, 12, 24)]
    with pytest.raises(NothingPaused):
        resume(delivery, 12)
    pause(delivery, 12, 24)
    assert paused(delivery) == [(16, 10, 12), (16, 12, 20), (16, 20, 24)]
    assert violated() == []


def test_a_lease_keeps_its_end_while_its_last_hours_are_paused(delivery: Delivery) -> None:
    pause(delivery, 20, 24)
    returns.hand_back(delivery.story.beichen, delivery.lease.id, part(16, 0, 20), now=clock.now())
    lease = Lease.objects.get(id=delivery.lease.id)
    assert (lease.starts_at, lease.ends_at, lease.status) == (D + 20 * HOUR, D + 24 * HOUR, "scheduled")
    resume(delivery, 22)
    assert owed(lease) == [(16, 22, 24)]
    assert violated() == []


def test_what_is_paused_cannot_be_handed_back_or_paused_again(delivery: Delivery) -> None:
    pause(delivery, 10, 12)
    with pytest.raises(NothingToHandBack):
        returns.hand_back(delivery.story.beichen, delivery.lease.id, part(1, 11, 13), now=clock.now())
    with pytest.raises(NothingToPause):
        pause(delivery, 10, 12)


def test_nothing_is_reported_for_a_pause_and_a_lease_that_failed_charges_none_after_it(delivery: Delivery) -> None:
    pause(delivery, 4, 6)
    pause(delivery, 10, 20)
    agent, lease = delivery.huailai_agent, delivery.lease
    at(D)
    services.acknowledge(agent, lease.id, now=D)
    services.activate(agent, lease.id, access="ssh", now=D)
    at(D + 8 * HOUR)
    results = usage.ingest(agent, [segment(lease, 0, 4, 16), segment(lease, 4, 6, 16)], now=clock.now())
    assert [result.status for result in results] == ["accepted", "rejected"]
    before = funds(delivery.story.beichen)
    invoice = invoices.invoice_on_demand(delivery.story.beichen, lease.contract_id, now=clock.now())
    assert lines(invoice)[:2] == [("capacity", 64 * yuan("9.00")), ("paused", 32 * yuan("9.00") * 4 // 5)]
    assert funds(delivery.story.beichen)[2] == before[2], "out of what is held, and no more"
    services.end(agent, lease.id, reason=EndReason.PROVIDER_FAILURE, now=at(D + 9 * HOUR))
    assert paused(delivery) == [(16, 4, 6)], "nobody keeps the units any more"
    ticks.run_due(now=at(D + 25 * HOUR))
    contract = Contract.objects.get(id=lease.contract_id)
    last, _ = billed(contract)
    assert "paused" not in dict(lines(last))
    assert violated() == []


@pytest.mark.parametrize(
    ("first", "last", "pointer"),
    [(23, 25, "/ends_at"), (12, 10, "/ends_at"), (-1, 3, "/starts_at"), (0.5, 3, "/starts_at")],
)
def test_what_does_not_fit_is_refused_at_its_field(delivery: Delivery, first: float, last: int, pointer: str) -> None:
    with pytest.raises(PauseInvalid) as refused:
        pauses.pause(
            delivery.story.beichen,
            delivery.lease.id,
            Window(D + timedelta(hours=first), D + last * HOUR),
            now=clock.now(),
        )
    assert pointer in {problem.pointer for problem in refused.value.problems}


def test_the_lead_time_holds_for_both_and_only_the_buyer_may(delivery: Delivery) -> None:
    pause(delivery, 10, 14)
    at(D + 11 * HOUR + timedelta(minutes=31))
    with pytest.raises(PauseInvalid):
        resume(delivery, 12)
    with pytest.raises(PauseInvalid):
        pause(delivery, 12, 13)
    for stranger, refusal in (
        (delivery.story.lanting, LeaseNotFound),
        (delivery.huailai_agent, Forbidden),
        (cast.viewer(cast.organisation_of(delivery.story.beichen)), Forbidden),
    ):
        for verb in (pauses.pause, resume_from):
            with pytest.raises(DomainError) as refused:
                verb(stranger, delivery.lease.id, Window(D + 20 * HOUR, D + 21 * HOUR), now=clock.now())
            assert isinstance(refused.value, refusal)
    at(GATE)
    returns.hand_back(delivery.story.lanting, delivery.other.id, part(12, 8, 20), now=clock.now())
    with pytest.raises(LeaseIsOver):
        pauses.resume(delivery.story.lanting, delivery.other.id, starts_at=D + 9 * HOUR, now=clock.now())


def test_the_database_refuses_what_was_not_agreed(delivery: Delivery) -> None:
    pause(delivery, 9, 11)
    row = ContractPause.objects.get()
    fields = {"starts_at": D + 12 * HOUR, "ends_at": D + 13 * HOUR, "quantity": 16, "credit_ppm": 200_000}
    for changes, constraint in (
        ({"starts_at": D + 10 * HOUR, "quantity": 1}, "contract_claims_within_their_run"),
        ({"credit_ppm": 500_000}, "contract_pause_of_its_run"),
        ({"ends_at": D + 21 * HOUR}, "contract_pause_of_its_run"),
    ):
        wrong = ContractPause(
            contract_id=row.contract_id, slot_id=row.slot_id, created_at=row.created_at, **(fields | changes)
        )
        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            wrong.save(force_insert=True)
        cause = refused.value.__cause__
        assert isinstance(cause, CheckViolation)
        assert cause.diag.constraint_name == constraint
    with pytest.raises(IntegrityError), transaction.atomic():
        ContractResumption.objects.create(pause=row, resumes_at=row.ends_at, created_at=row.created_at)


def test_a_lease_is_paused_and_resumed_over_http_and_on_its_page(call: Call, delivery: Delivery) -> None:
    buyer, path = delivery.story.beichen, f"/v1/leases/{ids.spell('lse', delivery.lease.id)}"
    window = {"starts_at": (D + 10 * HOUR).isoformat(), "ends_at": (D + 12 * HOUR).isoformat()}
    assert call(buyer, "post", f"{path}/pause", window).status_code == 200
    schedule = call(buyer, "get", f"{path}/schedule").json()
    assert schedule["paused"] == [
        {"starts_at": "2026-05-03T02:00:00Z", "ends_at": "2026-05-03T04:00:00Z", "quantity": "16"}
    ]
    assert (schedule["return_credits_ppm"], schedule["pause_credits_ppm"]) == ([500_000], [200_000])
    assert call(buyer, "post", f"{path}/pause", window).json()["code"] == "nothing_to_pause"
    assert call(buyer, "post", f"{path}/resume", {"starts_at": window["starts_at"]}).status_code == 200
    assert call(buyer, "post", f"{path}/resume", {"starts_at": window["starts_at"]}).json()["code"] == "nothing_paused"
    contract = call(buyer, "get", f"/v1/contracts/{ids.spell('ctr', delivery.lease.contract_id)}").json()
    assert contract["pauses"][0]["resumes_at"] == "2026-05-03T02:00:00Z"
    client = Client()
    client.force_login(accounts_cast.member(cast.organisation_of(buyer), "trader", Role.BUYER_TRADER))
    page = f"/leases/{ids.spell('lse', delivery.lease.id)}"
    assert "Pause credit" in client.get(page).content.decode()
    client.post(f"{page}/pause", {"starts_at": "2026-05-03T12:00", "ends_at": "2026-05-03T13:00"})
    assert paused(delivery) == [(16, 12, 13)]
    assert "Take it up again" in client.get(page).content.decode()
    again = client.post(f"{page}/pause", {"starts_at": "2026-05-03T12:00", "ends_at": "2026-05-03T13:00"})
    assert (again.status_code, "Nothing of the lease is owed" in again.content.decode()) == (422, True)
    client.post(f"{page}/resume", {"starts_at": "2026-05-03T12:00"})
    assert paused(delivery) == []
    assert "Hand back what you do not need" in client.get(page).content.decode()
    client.post(f"{page}/pause", {"starts_at": "2026-05-03T00:00", "ends_at": "2026-05-04T00:00"})
    nothing_left = client.get(page).content.decode()
    assert "Take it up again" in nothing_left
    assert "Hand back what you do not need" not in nothing_left
