"""The sweeper of rounds: whatever lost its job gets it again, and what is overdue is said once.

A job row is enqueued in the transaction that makes it necessary, so there is nothing to mend in
ordinary life; this holds when a person parked a job or took a row away.
"""

from datetime import datetime, timedelta
from typing import Final

from accounts.actors.actor import Actor
from accounts.events.models import Event
from accounts.foundation.failures import Failures
from accounts.jobs import services as jobs
from exchange.auctions.clear import SETTLE_ROUND
from exchange.auctions.gates import CLEAR_ROUND
from exchange.markets.models import Market
from exchange.offers import gate as offers
from exchange.orders import gate as orders
from exchange.rounds import rules, services
from exchange.rounds.models import Round
from exchange.rounds.rules import RoundStatus

# From the gate to publication; the same market's next gate waits meanwhile.
DEADLINE: Final = timedelta(minutes=5)
OVERDUE: Final = "round.overdue"
_CLOCK: Final = Actor.system("clock")


def sweep(*, now: datetime) -> int:
    """Enqueue the next step of rounds in progress, say once which are overdue, end what no gate can deliver."""
    unfinished = list(Round.objects.filter(status__in=rules.IN_PROGRESS).order_by("scheduled_at"))
    for round_ in unfinished:
        kind = SETTLE_ROUND if round_.status == RoundStatus.CLEARED else CLEAR_ROUND
        jobs.enqueue(kind, str(round_.id), {}, now=now)
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
    due = unfinished.filter(scheduled_at__lt=now - DEADLINE)
    return list(due.select_related("market").order_by("scheduled_at"))


def _was_said(late: Round) -> bool:
    return Event.objects.filter(subject_type="round", subject_id=late.id, type=OVERDUE).exists()
