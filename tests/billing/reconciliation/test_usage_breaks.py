"""What a client sends wrongly many times is one break a day and reason; nothing new hides behind what was closed."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.actors.actor import Actor, Capability
from accounts.foundation import clock
from accounts.organisations.rules import Role
from billing.reconciliation import queries, runs, services
from billing.reconciliation.models import Break
from billing.reconciliation.rules import BreakStatus
from billing.usage import services as usage
from tests.accounts import cast as people
from tests.billing import delivery
from tests.billing.delivery import AFTER, Stage
from tests.billing.reconciliation import desk as desks

pytestmark = pytest.mark.django_db


def send(stage: Stage, first: int, count: int) -> None:
    """Send segments of a metering point that does not exist, each of another source, and one that is not readable."""
    metered = delivery.point(delivery.contract(stage, [delivery.slot(stage, 0, 2, 4, 9_000_000)]), stage.offering)
    good: Any = delivery.segment(metered, "x", 0, 1, 4)
    wrong = [
        {**good, "id": f"w{n}", "source": f"//agent/{n}", "type": "no.such.type"} for n in range(first, first + count)
    ]
    usage.ingest(stage.agent, wrong, now=AFTER)


def open_breaks() -> list[Break]:
    return list(Break.objects.filter(status=BreakStatus.OPEN, kind="usage_rejected").order_by("since", "id"))


@pytest.fixture
def stage() -> Stage:
    made = delivery.stage()
    delivery.fund(made.buyer, 6_000_000)
    return made


def clerk_of(stage: Stage) -> Actor:
    return desks.person(stage.exchange, "clerk", Role.FINANCE_OPERATOR, Capability.OPERATE_BOOKS)


def test_many_wrong_events_are_one_break_with_their_count_and_their_list(stage: Stage, client: Client) -> None:
    clerk = clerk_of(stage)
    send(stage, 0, 40)
    runs.run(clerk, now=AFTER)
    (row,) = open_breaks()
    assert (row.count, row.organisation_id, row.since) == (40, stage.provider.id, AFTER)
    assert row.cause.startswith("40 usage reports were declined (")
    assert "the first: " in row.cause
    assert "The last: " in row.cause

    send(stage, 40, 2)
    runs.run(clerk, now=AFTER)
    (row,) = open_breaks()
    assert row.count == queries.reports(clerk, row.id).count() == 42
    assert "There were 40 and are 42." in [note.text for note in row.notes.all()]

    client.force_login(people.member(stage.exchange, "reader", Role.FINANCE_VIEWER))
    with clock.travel(AFTER):
        shown = client.get(reverse("break", args=[row.id])).content.decode()
    assert "Reports that were not taken" in shown
    assert "no.such.type" in shown


def test_more_of_the_same_after_it_was_explained_is_another_break(stage: Stage) -> None:
    clerk = clerk_of(stage)
    send(stage, 0, 3)
    runs.run(clerk, now=AFTER)
    services.explain(clerk, open_breaks()[0].id, "A test of theirs.", now=AFTER)
    runs.run(clerk, now=AFTER)
    assert open_breaks() == []
    send(stage, 3, 1)
    runs.run(clerk, now=AFTER + timedelta(hours=1))
    (again,) = open_breaks()
    assert again.count == 4
