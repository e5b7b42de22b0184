"""The life of a lease: hand-over, heartbeats, shortfall, ends, and what the clock does."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.actors.errors import NotAllowed
from accounts.events.models import Event
from accounts.jobs.models import Job
from billing.contracts.models import Contract
from billing.contracts.rules import ContractStatus
from billing.usage import services as usage
from exchange.leases import queries, services, ticks
from exchange.leases.errors import (
    AccessDetailsMissing,
    EndReasonRefused,
    LeaseIsNotRunning,
    LeaseIsOver,
    LeaseMoveRefused,
    LeaseNotFound,
    LeaseStillRuns,
)
from exchange.leases.models import DeliveredSegment, Lease
from exchange.leases.rules import EndReason, LeaseStatus
from tests.exchange.cast import GATE, HOUR, D
from tests.exchange.leases.delivery import Delivery, at

MINUTE = timedelta(minutes=1)
ACCESS = "ssh lab@10.0.0.7"


def status(lease: Lease) -> str:
    return Lease.objects.get(id=lease.id).status


def hand_over(delivery: Delivery) -> Lease:
    services.acknowledge(delivery.huailai_agent, delivery.lease.id, now=at(GATE + MINUTE))
    return services.activate(delivery.huailai_agent, delivery.lease.id, access=ACCESS, now=at(D))


def report(delivery: Delivery, first: int, last: int, quantity: int) -> None:
    event = {
        "specversion": "1.0",
        "id": f"{first}-{last}",
        "source": "/cluster",
        "type": "exchange.allocation.segment.v1",
        "data": {
            "lease": str(delivery.lease),
            "start": (D + first * HOUR).isoformat(),
            "end": (D + last * HOUR).isoformat(),
            "quantity": quantity,
        },
    }
    (result,) = usage.ingest(delivery.huailai_agent, [event], now=at(D + last * HOUR))
    assert result.status == "accepted", result


def test_a_lease_is_acknowledged_prepared_and_handed_over(delivery: Delivery) -> None:
    agent, lease = delivery.huailai_agent, delivery.lease
    assert services.acknowledge(agent, lease.id, now=GATE).status == LeaseStatus.ACKNOWLEDGED
    assert services.acknowledge(agent, lease.id, now=GATE + MINUTE).acknowledged_at == GATE
    assert services.provision(agent, lease.id, now=D - HOUR).status == LeaseStatus.PROVISIONING
    assert services.activate(agent, lease.id, access=ACCESS, now=D).status == LeaseStatus.ACTIVE
    assert Contract.objects.get(id=lease.contract_id).status == ContractStatus.ACTIVE


def test_access_details_are_stored_sealed_and_shown_to_the_buyer_alone_while_it_runs(delivery: Delivery) -> None:
    hand_over(delivery)
    lease = Lease.objects.get(id=delivery.lease.id)
    assert ACCESS.encode() not in bytes(lease.access_sealed or b"")
    assert queries.access_of(delivery.story.beichen, lease) == ACCESS
    assert queries.access_of(delivery.huailai_agent, lease) is None
    services.activate(delivery.huailai_agent, lease.id, access="ssh lab@10.0.0.8", now=D + MINUTE)
    assert queries.access_of(delivery.story.beichen, Lease.objects.get(id=lease.id)) == "ssh lab@10.0.0.8"
    services.end(delivery.huailai_agent, lease.id, reason=EndReason.PROVIDER_FAILURE, now=at(D + HOUR))
    assert queries.access_of(delivery.story.beichen, Lease.objects.get(id=lease.id)) is None


@pytest.mark.parametrize("access", ["", "   ", "x" * 4_001])
def test_a_hand_over_needs_access_details(delivery: Delivery, access: str) -> None:
    services.acknowledge(delivery.huailai_agent, delivery.lease.id, now=GATE)
    with pytest.raises(AccessDetailsMissing):
        services.activate(delivery.huailai_agent, delivery.lease.id, access=access, now=D)


def test_only_the_provider_delivers_and_only_what_is_its_own(delivery: Delivery) -> None:
    with pytest.raises(LeaseNotFound):
        services.acknowledge(delivery.zhangbei_agent, delivery.lease.id, now=GATE)
    with pytest.raises(NotAllowed):
        services.acknowledge(delivery.story.beichen, delivery.lease.id, now=GATE)


def test_a_lease_that_was_not_acknowledged_is_not_active(delivery: Delivery) -> None:
    with pytest.raises(LeaseMoveRefused):
        services.activate(delivery.huailai_agent, delivery.lease.id, access=ACCESS, now=D)
    with pytest.raises(LeaseIsNotRunning):
        services.heartbeat(delivery.huailai_agent, delivery.lease.id, now=D)


def test_the_alarm_for_a_missing_acknowledgement_or_hand_over_is_raised_once(delivery: Delivery) -> None:
    for _ in range(2):
        ticks.run_due(now=at(GATE + 16 * MINUTE))
    assert Event.objects.filter(type="lease.acknowledgement_late", subject_id=delivery.lease.id).count() == 2
    for _ in range(2):
        ticks.run_due(now=at(D))
    # One for each party.
    assert Event.objects.filter(type="lease.activation_late", subject_id=delivery.lease.id).count() == 2


def test_a_lost_heartbeat_impairs_a_lease_and_the_next_one_mends_it(delivery: Delivery) -> None:
    hand_over(delivery)
    ticks.run_due(now=at(D + 15 * MINUTE))
    assert status(delivery.lease) == LeaseStatus.ACTIVE
    ticks.run_due(now=at(D + 16 * MINUTE))
    assert status(delivery.lease) == LeaseStatus.IMPAIRED
    services.heartbeat(delivery.huailai_agent, delivery.lease.id, now=at(D + 17 * MINUTE))
    assert status(delivery.lease) == LeaseStatus.ACTIVE


def test_what_was_not_reported_when_the_reports_close_was_not_delivered(delivery: Delivery) -> None:
    hand_over(delivery)
    report(delivery, 0, 23, 16)
    services.heartbeat(delivery.huailai_agent, delivery.lease.id, now=at(D + 24 * HOUR - MINUTE))
    ticks.run_due(now=at(D + 24 * HOUR))
    assert status(delivery.lease) == LeaseStatus.ENDED
    assert not DeliveredSegment.objects.filter(lease=delivery.lease).exists()
    ticks.run_due(now=at(D + 24 * HOUR + 15 * MINUTE))
    segments = DeliveredSegment.objects.filter(lease=delivery.lease).order_by("starts_at")
    assert [((s.starts_at - D) // HOUR, (s.ends_at - D) // HOUR, s.quantity) for s in segments] == [
        (0, 23, 16),
        (23, 24, 0),
    ]
    assert segments[0].dispute_deadline == D + 23 * HOUR + timedelta(days=7)
    contract = Contract.objects.get(id=delivery.lease.contract_id)
    assert contract.status == ContractStatus.ENDED
    kinds = Job.objects.filter(key=str(contract.id)).values_list("kind", flat=True)
    assert set(kinds) == {"invoice_contract", "issue_statement"}


def test_a_lease_that_was_never_handed_over_has_failed_and_delivered_nothing(delivery: Delivery) -> None:
    ticks.run_due(now=at(D + 25 * HOUR))
    ticks.run_due(now=at(D + 25 * HOUR))
    lease = Lease.objects.get(id=delivery.lease.id)
    assert (lease.status, lease.end_reason) == (LeaseStatus.FAILED, EndReason.NEVER_ACTIVATED)
    assert [segment.quantity for segment in lease.delivered_segments.all()] == [0]


def test_an_impaired_lease_fails_at_its_end(delivery: Delivery) -> None:
    hand_over(delivery)
    ticks.run_due(now=at(D + HOUR))
    ticks.run_due(now=at(D + 24 * HOUR))
    lease = Lease.objects.get(id=delivery.lease.id)
    assert (lease.status, lease.end_reason) == (LeaseStatus.FAILED, EndReason.HEARTBEAT_LOST)


def test_a_provider_completes_a_lease_at_its_end_and_not_before(delivery: Delivery) -> None:
    hand_over(delivery)
    with pytest.raises(LeaseStillRuns):
        services.end(delivery.huailai_agent, delivery.lease.id, now=at(D + 23 * HOUR))
    report(delivery, 0, 24, 16)
    ended = services.end(delivery.huailai_agent, delivery.lease.id, now=D + 24 * HOUR)
    assert ended.closed_at == D + 24 * HOUR
    again = services.end(delivery.huailai_agent, delivery.lease.id, now=D + 25 * HOUR)
    assert again.closed_at == D + 24 * HOUR
    assert DeliveredSegment.objects.filter(lease=delivery.lease).count() == 1


def test_stopping_early_needs_a_reason_that_the_actor_may_give(delivery: Delivery) -> None:
    hand_over(delivery)
    with pytest.raises(EndReasonRefused, match="expected provider_failure"):
        services.end(delivery.huailai_agent, delivery.lease.id, reason=EndReason.OPERATOR, now=at(D + HOUR))
    stopped = services.end(delivery.story.operator, delivery.lease.id, reason=EndReason.OPERATOR, now=D + HOUR)
    assert (stopped.status, stopped.end_reason) == (LeaseStatus.FAILED, EndReason.OPERATOR)
    with pytest.raises(LeaseIsOver):
        services.end(delivery.story.operator, delivery.lease.id, reason=EndReason.OPERATOR, now=D + HOUR)
    # Its reports close with its contracted time.
    ticks.run_due(now=at(D + 2 * HOUR))
    assert Lease.objects.get(id=delivery.lease.id).closed_at is None
    ticks.run_due(now=at(D + 25 * HOUR))
    assert Lease.objects.get(id=delivery.lease.id).closed_at is not None


def test_the_database_refuses_a_lease_of_more_than_its_contract(delivery: Delivery) -> None:
    with pytest.raises(IntegrityError, match="not what contract"), transaction.atomic():
        Lease.objects.filter(id=delivery.lease.id).update(quantity=17)
    with pytest.raises(IntegrityError), transaction.atomic():
        Lease.objects.filter(id=delivery.lease.id).update(status=LeaseStatus.ENDED)
