"""Two clerks, two workers, a dead process: money is credited and released once."""

import signal
import subprocess
import sys
from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction

from billing.invoices import claims
from billing.invoices import services as invoices
from billing.invoices.models import Invoice
from billing.invoices.rules import Resolution
from billing.ledger import queries as books
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.models import LedgerTransaction
from billing.ledger.rules import credit, debit
from billing.payments import services as payments
from billing.payments.models import BankReceipt
from billing.payments.rules import TopUpStatus
from billing.payouts import queries as payables
from billing.payouts import services as payouts
from billing.payouts.models import StatementRelease
from catalog.measures.money import Money
from tests.billing import delivery
from tests.billing.ledger.books import NOW, Party, party, source
from tests.billing.payments import cast
from tests.billing.payments.cast import line
from tests.billing.payouts import disputed
from tests.races.together import refusals, together

pytestmark = pytest.mark.django_db(transaction=True)

DUE = NOW + timedelta(days=7)


def test_a_top_up_confirmed_by_many_clerks_at_once_is_credited_once() -> None:
    people = cast.make()
    asked = payments.request_top_up(people.trader, Money(1_000, "CNY"), now=NOW)
    results = together([lambda: payments.confirm(people.clerk, asked.id, line(1_000), now=NOW)] * 6)
    assert refusals(results) == 5
    assert books.funds(people.lab.id, "CNY").balance_minor == 1_000
    assert BankReceipt.objects.count() == 1


def test_a_bank_line_recorded_by_many_at_once_is_recorded_once() -> None:
    people = cast.make()
    asked = payments.request_top_up(people.trader, Money(1_000, "CNY"), now=NOW)
    same = line(1_000, asked.reference)
    results = together([lambda: payments.record_receipt(people.clerk, same, now=NOW)] * 6)
    assert refusals(results) == 5
    assert books.balance(Code.BANK, "CNY") == books.funds(people.lab.id, "CNY").balance_minor == 1_000


def test_a_top_up_confirmed_and_cancelled_at_once_ends_one_way() -> None:
    people = cast.make()
    for _ in range(4):
        asked = payments.request_top_up(people.trader, Money(1_000, "CNY"), now=NOW)
        before = books.funds(people.lab.id, "CNY").balance_minor
        confirm = partial(payments.confirm, people.clerk, asked.id, line(1_000), now=NOW)
        cancel = partial(payments.cancel_top_up, people.trader, asked.id, now=NOW)
        results = together([confirm, cancel])
        assert refusals(results) == 1
        asked.refresh_from_db()
        credited = books.funds(people.lab.id, "CNY").balance_minor - before
        assert credited == (1_000 if asked.status == TopUpStatus.CONFIRMED else 0)


def statements(provider: Party, count: int) -> None:
    for _ in range(count):
        with transaction.atomic():
            issued = source("statement", "issue")
            ledger.post(
                issued,
                [debit(Code.COST_OF_CAPACITY, 100), credit(Code.PAYABLE_PENDING, 100, provider.id)],
                currency="CNY",
                effective_at=NOW,
                now=NOW,
            )
            payouts.schedule_release(issued.id, provider.id, amount_minor=100, currency="CNY", due_at=DUE, now=NOW)


def available(provider: Party) -> tuple[int, int]:
    row = payables.payable(provider.id, "CNY")
    assert row is not None
    return row.pending_minor, row.available_minor


def test_workers_that_release_at_once_share_the_work() -> None:
    centre = party("Huailai Compute", can_sell=True)
    statements(centre, 12)
    released = together([lambda: payouts.release_due(now=DUE)] * 4)
    assert sum(int(str(count)) for count in released) == 12
    assert available(centre) == (0, 1_200)


WORKER = """
import sys, time
import django
django.setup()
from datetime import datetime
from django.db import transaction
from billing.payouts import services
real = services.audit.record
def slow(*args, **kwargs):
    record = real(*args, **kwargs)
    if services.StatementRelease.objects.filter(released_at__isnull=False).count() == 3:
        print("third", flush=True)
        time.sleep(60)
    return record
services.audit.record = slow
services.release_due(now=datetime.fromisoformat(sys.argv[1]))
"""


def test_a_worker_killed_in_the_middle_leaves_whole_releases_and_the_next_one_finishes(
    process_environment: dict[str, str],
) -> None:
    centre = party("Huailai Compute", can_sell=True)
    statements(centre, 5)
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, DUE.isoformat()], env=process_environment, stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdout is not None
        # The third release is written and not yet committed.
        assert worker.stdout.readline() == "third\n"
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert StatementRelease.objects.filter(released_at__isnull=False).count() == 2
    assert available(centre) == (300, 200)
    assert payouts.release_due(now=DUE) == 3
    assert available(centre) == (0, 500)
    assert LedgerTransaction.objects.filter(purpose="release").count() == 5


def test_a_dispute_beside_the_release_or_the_statement_holds_its_part_once() -> None:
    stage = disputed.stage()
    early, late = disputed.drawn(stage), disputed.drawn(stage, states_first=False, series="b")

    def dispute(invoice: Invoice) -> object:
        return claims.dispute(stage.trader, invoice.id, reason="Wrong", now=disputed.RELEASED - timedelta(days=2))

    state = partial(invoices.issue_statement, delivery.SYSTEM, late.contract_id, now=disputed.RELEASED)
    release = partial(payouts.release_due, now=disputed.RELEASED)
    results = together([partial(dispute, early), release, partial(dispute, late), state, release])
    assert refusals(results) == 0
    payouts.release_due(now=disputed.RELEASED)
    row = payables.payable(stage.provider.id, "CNY")
    assert row is not None
    assert (row.pending_minor, row.available_minor, row.reserved_minor) == (0, 2 * disputed.HALF, 2 * disputed.HALF)
    answers = [
        partial(claims.resolve, stage.finance, invoice.id, Resolution.REJECTED, reason="x", now=disputed.MONDAY)
        for invoice in (early, late)
    ]
    assert refusals(together(answers * 2)) == 2
    row = payables.payable(stage.provider.id, "CNY")
    assert row is not None
    assert (row.available_minor, row.reserved_minor) == (4 * disputed.HALF, 0)
