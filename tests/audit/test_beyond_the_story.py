"""What the story does not do, done properly, is no violation either."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.actors.actor import Actor, Capability
from accounts.foundation import clock, ids
from billing.journals import services as journals
from billing.journals.rules import Entry, JournalKind
from billing.ledger.chart import Code
from billing.payments import services as payments
from billing.payments.rules import BankLine
from billing.payouts import services as payouts
from billing.usage import services as usage
from billing.usage.models import UsageEvent
from billing.usage.rules import ItemStatus
from catalog.measures.money import Money
from exchange.demo.cast import acting_for
from exchange.orders.models import Order
from tests.accounts import cast as people
from tests.audit import stage

# Nobody runs gates, jobs and sweeps here while time passes, so rounds, jobs and quotes are rightly overdue.
BY_THE_CLOCK = {"M8", "O2", "Q4"}


@pytest.fixture
def later(guarded: None) -> Iterator[datetime]:
    """Live ten days after the story, in a transaction that is rolled back."""
    # Travelling puts the session's clock back afterwards.
    with clock.travel(clock.now()), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT max(at) FROM accounts_event")
            (last,) = cursor.fetchone()
        clock.set_virtual(last + timedelta(days=10))
        yield clock.now()
        transaction.set_rollback(True)


@pytest.fixture
def clerk() -> Actor:
    return Actor.system("clerk")


def violated() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what a commit would do
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return [code for code in stage.INVARIANTS if code not in BY_THE_CLOCK and stage.finding(code).violations]


def test_a_release_after_the_dispute_window(later: datetime) -> None:
    assert payouts.release_due(now=later) == 2
    assert violated() == []


def test_a_transfer_that_waits_in_suspense_is_matched_and_taken_back(later: datetime, clerk: Actor) -> None:
    buyer = Order.objects.order_by("seq")[0].buyer
    amount = Money(12_345, "CNY")
    top_up = payments.request_top_up(acting_for(buyer, Capability.TRADE), amount, now=later)
    receipt = payments.record_receipt(
        clerk,
        BankLine(bank_reference="BANK-1", amount=amount, value_date=date(2026, 11, 30), payer="?", remittance="?"),
        now=later,
    )
    assert violated() == []
    payments.match_receipt(clerk, receipt.id, top_up_id=top_up.id, now=later)
    assert violated() == []
    payments.return_top_up(clerk, top_up.id, now=later)
    assert violated() == []


def test_an_entry_by_hand_on_suspense(later: datetime) -> None:
    clerk, colleague = (
        Actor(None, people.user(name).id, None, frozenset(Capability), name) for name in ("clerk", "colleague")
    )
    entries = [Entry(Code.SUSPENSE, 5), Entry(Code.BANK, -5)]
    proposed = journals.propose(
        clerk, JournalKind.ADJUSTMENT, entries, currency="CNY", reason="Too much", effective_at=later, now=later
    )
    journals.approve(colleague, proposed.id, now=later)
    assert violated() == []


def test_a_conflicting_and_a_rejected_event(later: datetime) -> None:
    known = UsageEvent.objects.order_by("id")[0]
    provider = Actor(known.organisation_id, None, None, frozenset({Capability.METER}), "meter")
    item: dict[str, Any] = {
        "specversion": "1.0",
        "id": known.event_id,
        "source": known.source,
        "type": "exchange.meter.reading.v1",
        "data": {
            "lease": ids.spell("lse", ids.new_id()),
            "meter": "egress_gb",
            "start": "2026-11-29T00:00:00Z",
            "end": "2026-11-29T01:00:00Z",
            "quantity": "1",
        },
    }
    conflicting, rejected = usage.ingest(provider, [item, {**item, "id": "never-seen"}], now=later)
    assert conflicting.status is ItemStatus.CONFLICT
    assert rejected.status is ItemStatus.REJECTED
    assert stage.finding("U5").counted == 2
    assert violated() == []
