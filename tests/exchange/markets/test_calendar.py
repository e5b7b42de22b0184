"""Calendars: which gates they make, held to a slow count; announced for rounds to come; followed by them."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.actors.errors import NotAllowed
from accounts.events.models import Event
from accounts.foundation import clock, ids
from accounts.jobs import services as jobs
from accounts.jobs.models import Job
from accounts.organisations.rules import Role
from billing.ledger.models import Hold
from exchange.auctions import clear, gates, settle, watch
from exchange.markets import queries, rules, services
from exchange.markets.calendar import Calendar, Schedule
from exchange.markets.errors import CalendarInvalid
from exchange.markets.models import Market
from exchange.rounds.models import Round
from exchange.trades.models import Trade
from tests.audit.stage import finding
from tests.exchange import cast
from tests.exchange.cast import GATE, NOW, Story
from tests.pages.visitors import signed_in

Call = Callable[..., Any]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONE = ZoneInfo("Asia/Shanghai")
ZERO = datetime(2026, 5, 1, tzinfo=ZONE).astimezone(UTC)

INTERVALS = st.sampled_from([3_600, 7_200, 5 * 3_600, 86_400])
CALENDARS = st.builds(
    lambda interval, offset, phase, closed: Calendar(
        None, interval, offset % interval, phase % interval, closed_days=tuple(sorted(closed))
    ),
    INTERVALS,
    st.integers(0, 30).map(lambda n: n * 3_600),
    st.integers(0, 3_600),
    st.sets(st.integers(0, 6).map(lambda n: date(2026, 5, 1) + n * DAY), max_size=4),
)


def dated(first: Calendar, later: list[tuple[int, Calendar]]) -> list[Calendar]:
    """Put calendars one after the other, each from an hour of the week on."""
    hours = sorted(dict(later).items(), key=lambda pair: pair[0])
    return [
        first,
        *(
            Calendar(ZERO + hour * HOUR, one.gate_interval_seconds, one.gate_offset_seconds, 0, 300, one.closed_days)
            for hour, one in hours
        ),
    ]


def all_gates(schedule: Schedule, first: datetime, last: datetime) -> list[datetime]:
    """Try every hour of a stretch: slow and obvious."""
    found = []
    hour = first
    while hour < last:
        calendar = [one for one in schedule.calendars if one.effective_from is None or one.effective_from <= hour][-1]
        since = (hour - schedule.slot_zero).total_seconds() - calendar.gate_offset_seconds
        closed = hour.astimezone(schedule.zone).date() in calendar.closed_days
        if since % calendar.gate_interval_seconds == 0 and not closed:
            found.append(hour)
        hour += HOUR
    return found


@given(
    first=CALENDARS,
    later=st.lists(st.tuples(st.integers(0, 150), CALENDARS), max_size=3),
    minutes=st.integers(0, 9_000),
)
def test_the_next_and_the_last_gate_are_those_of_a_slow_count(
    first: Calendar, later: list[tuple[int, Calendar]], minutes: int
) -> None:
    schedule = Schedule(ZERO, ZONE, dated(first, later))
    instant = ZERO + timedelta(minutes=minutes)
    every = all_gates(schedule, ZERO - 10 * DAY, ZERO + 20 * DAY)
    assert schedule.next_gate(instant) == next(gate for gate in every if gate > instant)
    assert schedule.last_gate(instant) == [gate for gate in every if gate <= instant][-1]


def calendar(start: datetime, **changes: Any) -> Calendar:
    fields: dict[str, Any] = {"gate_interval_seconds": 6 * 3_600, "gate_offset_seconds": 0, "no_cancel_seconds": 300}
    return Calendar(start, **{**fields, **changes})


def announce(story: Story, announced: Calendar, *, now: datetime = NOW) -> Market:
    return services.announce(story.operator, story.market.id, announced, now=now)


def test_an_announced_calendar_holds_for_rounds_that_are_not_open_and_is_followed(story: Story) -> None:
    closed = (date(2026, 5, 5),)
    start = GATE + DAY + HOUR
    announce(story, calendar(start, closed_days=closed, publish_seconds=60))
    market = Market.objects.get(id=story.market.id)
    ahead = queries.at(market, GATE + DAY).coming
    # Every six hours of Shanghai from then on; none on the fifth of May.
    local = [gate.gate_at.astimezone(ZONE) for gate in ahead]
    assert [(each.day, each.hour) for each in local] == [(3, 18), (4, 0), (4, 6), (4, 12), (4, 18)]
    after_closed = rules.next_gate(market.terms, ahead[-1].gate_at).astimezone(ZONE)
    assert (after_closed.day, after_closed.hour) == (6, 0)
    assert rules.last_gate(market.terms, datetime(2026, 5, 5, 12, tzinfo=ZONE)).astimezone(ZONE).day == 4
    assert ahead[0].cancel_deadline_at == ahead[0].gate_at - timedelta(minutes=5)
    assert ahead[0].publish_by_at == ahead[0].gate_at + timedelta(minutes=1)
    for instant in (NOW, GATE, GATE + DAY, *(gate.gate_at for gate in ahead)):
        with clock.travel(instant):
            gates.close_market(market, now=instant)
    made = set(Round.objects.values_list("scheduled_at", flat=True))
    assert made == {GATE, GATE + DAY, *(gate.gate_at for gate in ahead), after_closed.astimezone(UTC)}
    assert not finding("M20").violations


def test_a_round_is_overdue_when_its_calendar_says(story: Story) -> None:
    start = GATE + DAY + HOUR
    market = announce(story, calendar(start, publish_seconds=60))
    gate_at = rules.next_gate(market.terms, start)
    for instant in (NOW, gate_at - HOUR):
        gates.close_market(market, now=instant)
    late = Round.objects.get(scheduled_at=gate_at)
    assert late not in watch.overdue(now=gate_at + timedelta(seconds=60))
    assert late in watch.overdue(now=gate_at + timedelta(seconds=61))


def test_nothing_of_a_round_binds_or_is_seen_before_its_time(call: Call, story: Story) -> None:
    start = GATE + DAY + HOUR
    market = announce(story, calendar(start, publish_after_seconds=3_600, publish_seconds=4_500))
    gate_at = rules.next_gate(market.terms, start)
    publish_at = gate_at + HOUR
    # A provider has its whole lead time (30 minutes) after it learns what it sold.
    reach = rules.horizon(market.terms, gate_at)
    assert (reach.first_at, reach.last_at) == (gate_at + 2 * HOUR, gate_at + market.horizon_hours * HOUR)
    assert rules.instant_horizon(market.terms, gate_at).first_at == gate_at + HOUR
    with clock.travel(gate_at - HOUR):
        gates.close_market(market, now=gate_at - HOUR)
        first, last = 20, 24  # all that this gate delivers of the story's day
        cast.place_offer(story, story.huailai, story.huailai_cards, "8.00", first=first, last=last)
        order = cast.place_order(story.beichen, cast.hourly(story, "11.00", first=first, last=last))
    with clock.travel(gate_at + timedelta(minutes=1)):
        (round_id,) = gates.close_market(market, now=clock.now())
        clear.clear_round(str(round_id), {}, renew=lambda: None)
        job = Job.objects.get(kind=clear.SETTLE_ROUND, key=str(round_id))
        assert job.due_at == publish_at
        assert jobs.run_due(limit=20, now=clock.now()) >= 0
        watch.sweep(now=clock.now())
        with pytest.raises(AssertionError, match="publishes"):
            settle.settle_round(str(round_id), {}, renew=lambda: None)
        with pytest.raises(IntegrityError, match="before it may be published"), transaction.atomic():
            settle.settle_orders(Round.objects.get(id=round_id), [order.id], {}, now=clock.now())
        shown = call(story.beichen, "get", f"/v1/rounds/{ids.spell('rnd', round_id)}").json()
        assert (shown["status"], shown["outcome_digest"], shown["welfare"]) == ("cleared", None, None)
        assert call(story.beichen, "get", f"/v1/orders/{ids.spell('ord', order.id)}").json()["status"] == "locked"
        assert not Trade.objects.exists()
        assert order.hold.amount_minor == Hold.objects.get(id=order.hold_id).amount_minor
        with pytest.raises(IntegrityError, match="round_published_at_its_time"), transaction.atomic():
            Round.objects.filter(id=round_id).update(published_at=clock.now())
    with clock.travel(publish_at):
        jobs.run_due(limit=20, now=clock.now())
    published = Round.objects.get(id=round_id)
    assert (published.status, published.published_at) == ("published", publish_at)
    assert {trade.created_at for trade in Trade.objects.all()} == {publish_at}
    assert not finding("M20").violations


def test_the_operator_announces_on_a_page_and_everybody_sees_the_rounds_ahead(story: Story) -> None:
    page = "/market-data/ai-cards/calendar"
    assert signed_in(story.huailai, Role.PROVIDER_ADMIN).get(page).status_code == 403
    operator = signed_in(story.operator, Role.PLATFORM_ADMIN)
    with clock.travel(NOW):
        assert "Announce a calendar" in operator.get("/market-data/ai-cards").content.decode()
        assert operator.get(page).status_code == 200
        typed = {
            "effective_from": "2026-05-04T12:00",
            "gate_interval_seconds": "3600",
            "gate_offset_seconds": "0",
            "no_cancel_seconds": "120",
            "publish_after_seconds": "600",
            "publish_seconds": "600",
            "closed_days": "2026-05-10 2026-05-11",
        }
        refused = operator.post(page, typed)
        assert refused.status_code == 422
        assert "expected from 601" in refused.content.decode()
        assert operator.post(page, typed | {"closed_days": "10 May", "publish_seconds": "900"}).status_code == 422
        assert operator.post(page, typed | {"publish_seconds": "900"}).status_code == 302
        seen = Client().get("/market-data/ai-cards").content.decode()
    announced = Market.objects.get(id=story.market.id).terms.calendars
    assert announced == (
        Calendar(datetime(2026, 5, 4, 4, tzinfo=UTC), 3_600, 0, 120, 900, (date(2026, 5, 10), date(2026, 5, 11)), 600),
    )
    # The gate at noon of the fourth: opened by that of the third, published ten minutes later, late after fifteen.
    row = seen[seen.index("2026-05-04 12:00:00</time></th>") :]
    assert re.findall(r"2026-([-0-9]* [:0-9]*)</time></td>", row)[:4] == [
        "05-03 12:00:00",
        "05-04 11:58:00",
        "05-04 12:10:00",
        "05-04 12:15:00",
    ]
    assert "Announce a calendar" not in seen


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"gate_interval_seconds": 0}, "/gate_interval_seconds"),
        ({"gate_offset_seconds": 6 * 3_600}, "/gate_offset_seconds"),
        ({"no_cancel_seconds": 6 * 3_600}, "/no_cancel_seconds"),
        ({"publish_seconds": 0}, "/publish_seconds"),
        ({"publish_after_seconds": 300}, "/publish_seconds"),
        ({"publish_after_seconds": 6 * 3_600, "publish_seconds": 7 * 3_600}, "/publish_after_seconds"),
        ({"closed_days": (date(2026, 5, 6), date(2026, 5, 5))}, "/closed_days/1"),
        ({"effective_from": GATE + DAY}, "/effective_from"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(story: Story, changes: dict[str, Any], pointer: str) -> None:
    start = changes.get("effective_from", GATE + 2 * DAY)
    fields = {name: value for name, value in changes.items() if name != "effective_from"}
    with pytest.raises(CalendarInvalid) as refused:
        announce(story, calendar(start, **fields))
    assert pointer in {problem.pointer for problem in refused.value.problems}


def test_open_rounds_and_earlier_announcements_keep_what_was_said(story: Story) -> None:
    announce(story, calendar(GATE + 3 * DAY))
    with pytest.raises(CalendarInvalid, match="calendar"):
        announce(story, calendar(GATE + 3 * DAY))
    announce(story, calendar(GATE + 4 * DAY, gate_interval_seconds=3_600))
    with pytest.raises(NotAllowed):
        services.announce(story.huailai, story.market.id, calendar(GATE + 5 * DAY), now=NOW)
    assert Event.objects.filter(type="market.calendar_announced").count() == 2
    for attempt in ("'[]'", "jsonb_build_array(calendars -> 1)"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE exchange_market SET calendars = {attempt}")


def test_the_operator_announces_over_http_and_everybody_sees_it(call: Call, story: Story) -> None:
    body = {
        "effective_from": (GATE + 2 * DAY).isoformat(),
        "gate_interval_seconds": 3_600,
        "no_cancel_seconds": 120,
        "closed_days": ["2026-05-10"],
    }
    assert call(story.huailai, "post", "/v1/markets/ai-cards/calendars", body).status_code == 403
    answer = call(story.operator, "post", "/v1/markets/ai-cards/calendars", body)
    assert answer.status_code == 201, answer.json()
    seen = call(story.beichen, "get", "/v1/markets/ai-cards").json()
    assert seen["calendars"] == [
        {
            **body,
            "effective_from": "2026-05-04T04:00:00Z",
            "gate_offset_seconds": 0,
            "publish_after_seconds": 0,
            "publish_seconds": 300,
        }
    ]
    assert [gate["gate_at"] for gate in seen["coming_gates"][:3]] == [
        "2026-05-02T04:00:00Z",
        "2026-05-03T04:00:00Z",
        "2026-05-04T04:00:00Z",
    ]
    odd = call(story.operator, "post", "/v1/markets/ai-cards/calendars", body | {"closed_days": ["10 May"]})
    assert (odd.status_code, odd.json()["errors"][0]["pointer"]) == (400, "#/closed_days/0")
    page = Client().get("/market-data/ai-cards").content.decode()
    assert "every 3600 s, no-cancel phase 120 s, published after 0 s and within 300 s" in page
    assert "2026-05-10" in page
