"""The simulated agent against the real services: it delivers a lease whole, however it is interrupted."""

from datetime import timedelta

import pytest

from accounts.organisations.models import Organisation
from billing.contracts.models import Contract
from billing.contracts.rules import ContractStatus
from billing.usage.models import AllocationSegment, UsageEvent, UsageRejection
from exchange.agents import services as agents
from exchange.agents.plan import Behaviour
from exchange.leases import ticks
from exchange.leases.models import Lease
from exchange.leases.rules import LeaseStatus
from tests.exchange.cast import GATE, HOUR, D, Story
from tests.exchange.leases.delivery import Delivery, at, cleared

MINUTE = timedelta(minutes=1)


@pytest.fixture
def delivery(story: Story) -> Delivery:
    """Two leases, one of them of a provider whose agent is simulated."""
    made = cleared(story)
    Organisation.objects.filter(id=story.huailai.organisation()).update(simulated_agent=True)
    return made


def test_the_agent_serves_only_providers_that_have_one(delivery: Delivery) -> None:
    assert agents.serve(now=at(GATE + MINUTE)) == 1
    assert Lease.objects.get(id=delivery.lease.id).status == LeaseStatus.ACKNOWLEDGED
    assert Lease.objects.get(id=delivery.other.id).status == LeaseStatus.SCHEDULED


def test_a_lease_is_delivered_to_its_end_by_an_agent_that_comes_now_and_then(delivery: Delivery) -> None:
    behaviours = {delivery.lease.id: Behaviour(readings=(), step=HOUR)}
    moments = [GATE + MINUTE, D - MINUTE, *(D + hour * HOUR for hour in (1, 2, 5, 9, 17, 24))]
    for moment in moments:
        agents.serve(now=at(moment), behaviours=behaviours)
        ticks.run_due(now=moment)
    lease = Lease.objects.get(id=delivery.lease.id)
    # Away for hours it was impaired, but it came back before the end and reported everything.
    assert lease.closed_at == D + 24 * HOUR
    assert [segment.quantity for segment in lease.delivered_segments.all()] == [16]
    assert Contract.objects.get(id=lease.contract_id).status == ContractStatus.ENDED
    assert not UsageRejection.objects.exists()


def test_serving_twice_at_one_moment_reports_once(delivery: Delivery) -> None:
    for _ in range(2):
        agents.serve(now=at(GATE + MINUTE))
    agents.serve(now=at(D))
    for _ in range(2):
        agents.serve(now=at(D + 3 * MINUTE))
    segments = AllocationSegment.objects.filter(metering_point=delivery.lease.metering_point)
    assert [segment.ends_at - segment.starts_at for segment in segments.order_by("starts_at")] == [MINUTE] * 3
    assert UsageEvent.objects.filter(meter="egress_gb").count() in {0, 3}
    assert not UsageRejection.objects.exists()
