"""The sweeper of rounds: whatever lost its job gets it again, and what is overdue is said once.

A job row is enqueued in the transaction that makes it necessary, so there is nothing to mend in
ordinary life; this holds when a person parked a job or took a row away.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from django.db.models import F, Q

from accounts.actors.actor import Actor
from accounts.events.models import Event
from accounts.foundation.failures import Failures
from accounts.jobs import services as jobs
from exchange.auctions.clear import enqueue_settling
from exchange.auctions.gates import CLEAR_ROUND, LATE_AFTER
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.offers import gate as offers
from exchange.orders import gate as orders
from exchange.rounds import rules, services
from exchange.rounds.models import Round
from exchange.rounds.rules import RoundStatus, VoidState

OVERDUE: Final = "round.overdue"
LOOKED_BACK: Final = timedelta(days=7)
SHOWN: Final = 200  # rounds on the operators' page
_CLOCK: Final = Actor.system("clock")


def sweep(*, now: datetime) -> int:
    """Enqueue the next step of rounds in progress, say once which are overdue, end what no gate can deliver."""
    unfinished = list(Round.objects.filter(status__in=rules.IN_PROGRESS).order_by("scheduled_at"))
    for round_ in unfinished:
        if round_.status == RoundStatus.CLEARED:
            enqueue_settling(round_, now=now)
        else:
            jobs.enqueue(CLEAR_ROUND, str(round_.id), {}, now=now)
    for late in overdue(now=now):
        if not _was_said(late):
            services.alarm(late, OVERDUE, {"status": late.status}, now=now)
    failures = Failures()
    for market in Market.objects.order_by("id"):
        with failures.kept(f"ending orders of {market.code}"):
            orders.expire_due(_CLOCK, market, now=now)
        with failures.kept(f"ending offers of {market.code}"):
            offers.expire_due(_CLOCK, market, now=now)
    failures.raise_any()
    return len(unfinished)


def overdue(*, now: datetime) -> list[Round]:
    """Return the rounds that should have been published or given up by now, oldest first."""
    unfinished = Round.objects.filter(status__in=rules.TAKING_ORDERS | rules.IN_PROGRESS)
    due = unfinished.filter(scheduled_at__lt=now).select_related("market").order_by("scheduled_at")
    return [round_ for round_ in due if market_rules.publish_by(round_.market.terms, round_.scheduled_at) < now]


class Trouble(StrEnum):
    """What may be odd about a round."""

    OVERDUE = "overdue"  # should have been published or given up by now
    LATE = "late"  # its gate was run late
    SKIPPED = "skipped"  # void, by the clock or by people
    DEGRADED = "degraded"
    VOID_ASKED = "void_asked"  # somebody asks to give it up


@dataclass(frozen=True)
class Troubled:
    """A round that a person should look at, and why."""

    round: Round
    trouble: Trouble
    detail: str


def troubled(*, now: datetime, since: datetime) -> list[Troubled]:
    """Return the rounds to look at: what is unfinished, asked for, or went wrong at a gate since an instant."""
    found = [Troubled(round_, Trouble.OVERDUE, f"still {round_.status}") for round_ in overdue(now=now)]
    asked = Round.objects.filter(
        status__in=rules.TAKING_ORDERS | rules.IN_PROGRESS, void_requests__state=VoidState.ASKED
    )
    found += [
        Troubled(round_, Trouble.VOID_ASKED, round_.asked_reason)
        for round_ in asked.select_related("market").annotate(asked_reason=F("void_requests__reason"))
    ]
    recent = Round.objects.filter(scheduled_at__gte=since, scheduled_at__lte=now).select_related("market")
    odd = Q(late_seconds__gt=LATE_AFTER.total_seconds()) | Q(status=RoundStatus.VOID) | Q(degraded=True)
    found += [each for round_ in recent.filter(odd).order_by("-scheduled_at")[:SHOWN] for each in _troubles(round_)]
    return found


def _troubles(round_: Round) -> Iterator[Troubled]:
    if round_.status == RoundStatus.VOID:
        yield Troubled(round_, Trouble.SKIPPED, round_.void_reason)
    if round_.late_seconds > LATE_AFTER.total_seconds():
        yield Troubled(round_, Trouble.LATE, f"the gate was run {round_.late_seconds} seconds late")
    if round_.degraded:
        yield Troubled(round_, Trouble.DEGRADED, "cleared by a search that was cut short")


def _was_said(late: Round) -> bool:
    return Event.objects.filter(subject_type="round", subject_id=late.id, type=OVERDUE).exists()
