"""The simulated agent's plan: what it does, when, and that repeating it changes nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from exchange.agents import plan
from exchange.agents.plan import Behaviour, LeaseFacts, Reading, Shortfall

START = datetime(2026, 11, 20, 16, tzinfo=UTC)
HOUR = timedelta(hours=1)
LEASE = LeaseFacts(
    reference="lse_00000000000000000000000001",
    character="zjk-1/ascend-910b3/roce 16",
    quantity=16,
    starts_at=START,
    ends_at=START + 24 * HOUR,
    acknowledged=False,
    running=False,
    last_heartbeat_at=None,
    reported_until=START,
    meters=("egress_gb",),
)
RUNNING = replace(LEASE, acknowledged=True, running=True, last_heartbeat_at=START)
QUIET = Behaviour(readings=())


def test_a_new_lease_is_acknowledged_and_nothing_else_before_its_time() -> None:
    actions = plan.next_actions(LEASE, QUIET, now=START - 6 * HOUR)
    assert actions == plan.Actions(acknowledge=True, activate=False, heartbeat=False, events=(), complete=False)


def test_a_lease_is_handed_over_five_minutes_before_its_start() -> None:
    assert plan.next_actions(LEASE, QUIET, now=START - timedelta(minutes=5)).activate
    assert not plan.next_actions(LEASE, QUIET, now=START - timedelta(minutes=6)).activate


def test_an_agent_that_comes_after_the_end_does_not_pretend_to_have_delivered() -> None:
    actions = plan.next_actions(LEASE, QUIET, now=START + 25 * HOUR)
    assert (actions.activate, actions.events, actions.complete) == (False, (), False)


def test_an_agent_that_keeps_up_reports_whole_minutes() -> None:
    actions = plan.next_actions(RUNNING, QUIET, now=START + timedelta(minutes=2, seconds=30))
    assert [event["data"]["end"] for event in actions.events] == ["2026-11-20T16:01:00Z", "2026-11-20T16:02:00Z"]
    assert actions.heartbeat


def test_an_agent_far_behind_reports_whole_hours_and_completes() -> None:
    actions = plan.next_actions(RUNNING, QUIET, now=START + 25 * HOUR)
    hours = [(event["data"]["start"], event["data"]["quantity"]) for event in actions.events]
    assert hours[0] == ("2026-11-20T16:00:00Z", 16)
    assert actions.complete
    assert not actions.heartbeat


def test_a_shortfall_cuts_the_segments_at_its_ends() -> None:
    short = Behaviour((Shortfall(START + timedelta(minutes=90), START + timedelta(minutes=150), 12),), ())
    actions = plan.next_actions(RUNNING, short, now=START + 6 * HOUR)
    spans = {
        (event["data"]["start"][11:16], event["data"]["end"][11:16]): event["data"]["quantity"]
        for event in actions.events
    }
    assert spans[("17:00", "17:30")] == 16
    assert spans[("17:30", "18:00")] == 12
    assert spans[("18:00", "18:30")] == 12
    assert spans[("18:30", "19:00")] == 16


def test_a_planned_reading_is_sent_once_with_the_report_its_interval_ends_in() -> None:
    reading = Reading("egress_gb", START, START + HOUR, Decimal("125.5"))
    actions = plan.next_actions(RUNNING, Behaviour(readings=(reading,)), now=START + 24 * HOUR)
    sent = [event for event in actions.events if event["type"] == plan.READING_TYPE]
    assert [event["data"]["quantity"] for event in sent] == ["125.5"]


def test_made_up_consumption_comes_only_for_meters_that_the_contract_prices() -> None:
    lease = replace(RUNNING, meters=("egress_gb", "bandwidth_mbps_p95"))
    actions = plan.next_actions(lease, Behaviour(), now=START + timedelta(minutes=1))
    assert [event["data"].get("meter") for event in actions.events] == [None, "egress_gb"]


@given(st.lists(st.integers(1, 600), min_size=1, max_size=12))
def test_however_often_it_runs_the_reports_cover_the_time_once(gaps: list[int]) -> None:
    lease, now, covered, seen = RUNNING, START, START, set[str]()
    for minutes in gaps:
        now += timedelta(minutes=minutes)
        actions = plan.next_actions(lease, QUIET, now=now)
        assert actions == plan.next_actions(lease, QUIET, now=now)
        for event in actions.events:
            assert event["id"] not in seen
            seen.add(event["id"])
            assert event["data"]["start"] == plan._spelled(covered)
            covered = datetime.fromisoformat(event["data"]["end"])
        assert covered <= now
        lease = replace(lease, reported_until=covered)
    assert covered >= min(now, LEASE.ends_at) - timedelta(minutes=1)


def test_an_agent_reports_what_is_owed_and_nothing_of_what_was_handed_back_whole() -> None:
    runs = (Shortfall(START, START + HOUR, 16), Shortfall(START + 2 * HOUR, START + 24 * HOUR, 12))
    hourly = Behaviour(readings=(), step=HOUR)
    actions = plan.next_actions(replace(RUNNING, runs=runs), hourly, now=START + 4 * HOUR)
    reported = [(event["data"]["start"], event["data"]["quantity"]) for event in actions.events]
    assert reported == [
        ("2026-11-20T16:00:00Z", 16),
        ("2026-11-20T18:00:00Z", 12),
        ("2026-11-20T19:00:00Z", 12),
    ]
