"""A provider's money after the dispute window."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import DatabaseError, transaction

from accounts.actors.actor import Actor, Capability
from accounts.actors.errors import NotAllowed
from accounts.events.models import Event
from accounts.foundation import ids
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Source, credit, debit
from billing.payouts import queries, services
from billing.payouts.models import StatementRelease
from tests.billing.ledger.books import NOW, Party, check_deferred, party

pytestmark = pytest.mark.django_db

DUE = NOW + timedelta(days=7)


@pytest.fixture
def centre() -> Party:
    return party("Huailai Compute", can_sell=True)


def statement(provider: Party, amount_minor: int, due_at: datetime = DUE) -> UUID:
    """Post a statement's amount as pending and schedule its release."""
    statement_id = ids.new_id()
    ledger.post(
        Source("statement", statement_id, "issue"),
        [debit(Code.COST_OF_CAPACITY, amount_minor), credit(Code.PAYABLE_PENDING, amount_minor, provider.id)],
        currency="CNY",
        effective_at=NOW,
        now=NOW,
    )
    services.schedule_release(
        statement_id, provider.id, amount_minor=amount_minor, currency="CNY", due_at=due_at, now=NOW
    )
    return statement_id


def figures(provider: Party) -> tuple[int, int]:
    row = queries.payable(provider.id, "CNY")
    assert row is not None
    return row.pending_minor, row.available_minor


def test_nothing_is_released_before_its_deadline(centre: Party) -> None:
    statement(centre, 373_112)
    assert services.release_due(now=DUE - timedelta(microseconds=1)) == 0
    assert figures(centre) == (373_112, 0)


def test_what_is_due_becomes_available_once(centre: Party) -> None:
    statement_id = statement(centre, 373_112)
    assert services.release_due(now=DUE) == 1
    assert services.release_due(now=DUE) == 0
    check_deferred()
    assert figures(centre) == (0, 373_112)
    release = StatementRelease.objects.get()
    assert release.released_at == DUE
    assert release.transaction is not None
    assert release.transaction.source_id == statement_id
    told = Event.objects.get(type="statement.released")
    assert (told.organisation_id, told.payload["amount"]) == (centre.id, "3731.12")


def test_a_statement_against_the_provider_lowers_what_is_available(centre: Party) -> None:
    statement(centre, 1_000)
    statement(centre, -300)
    assert services.release_due(now=DUE) == 2
    check_deferred()
    assert figures(centre) == (0, 700)


def test_a_batch_leaves_the_rest_for_the_next(centre: Party) -> None:
    for days in range(3):
        statement(centre, 100 + days, DUE + timedelta(days=days))
    last = DUE + timedelta(days=9)
    assert services.release_due(now=last, limit=2) == 2
    assert figures(centre) == (102, 201)  # the oldest first
    assert services.release_due(now=last, limit=2) == 1


def test_the_next_release_is_told(centre: Party) -> None:
    assert queries.payable(centre.id, "CNY") is None
    statement(centre, 100, DUE + timedelta(days=1))
    statement(centre, 100, DUE)
    row = queries.payable(centre.id, "CNY")
    assert row is not None
    assert row.next_release_at == DUE


def test_a_provider_sees_its_own_and_finance_sees_all(centre: Party) -> None:
    other = party("Zhangbei Green DC", can_sell=True)
    statement(centre, 100)
    statement(other, 200)
    seller = Actor(centre.id, None, None, frozenset({Capability.VIEW_SELLING}), "seller")
    clerk = Actor(ids.new_id(), None, None, frozenset({Capability.VIEW_BOOKS}), "clerk")
    buyer = Actor(centre.id, None, None, frozenset({Capability.VIEW_BUYING}), "buyer")
    assert [row.pending_minor for row in queries.visible_payables(seller)] == [100]
    assert [row.pending_minor for row in queries.visible_payables(clerk)] == [100, 200]
    with pytest.raises(NotAllowed):
        queries.visible_payables(buyer)


def test_the_database_refuses_a_release_before_its_deadline(centre: Party) -> None:
    statement(centre, 100)
    release = StatementRelease.objects.get()
    release.released_at = DUE - timedelta(seconds=1)
    release.transaction = ledger.post(
        Source("test", ids.new_id(), "early"),
        [debit(Code.PAYABLE_PENDING, 1, centre.id), credit(Code.PAYABLE_AVAILABLE, 1, centre.id)],
        currency="CNY",
        effective_at=NOW,
        now=NOW,
    )
    with pytest.raises(DatabaseError, match="release_waits_for_its_deadline"), transaction.atomic():
        release.save(update_fields=["released_at", "transaction"])


def test_a_statement_is_scheduled_once(centre: Party) -> None:
    statement_id = statement(centre, 100)
    with pytest.raises(DatabaseError), transaction.atomic():
        services.schedule_release(statement_id, centre.id, amount_minor=100, currency="CNY", due_at=DUE, now=NOW)
