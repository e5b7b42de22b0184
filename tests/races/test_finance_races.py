"""Two people of finance at the same thing at the same moment: it is done once, and nothing lands in a closed month."""

from datetime import date, timedelta
from functools import partial

import pytest
from django.db import transaction

from accounts.foundation.errors import DomainError
from billing.journals.rules import Entry, JournalKind
from billing.ledger import queries as books
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.errors import PeriodClosed
from billing.ledger.models import LedgerTransaction
from billing.ledger.rules import credit, debit
from billing.payouts import paying
from billing.periods.models import AccountingPeriod
from billing.periods.rules import PeriodStatus
from billing.reconciliation import closing, runs, services
from billing.reconciliation.models import Break
from billing.reconciliation.rules import BreakStatus
from tests.billing.ledger.books import NOW, source
from tests.billing.payouts import cast as payouts
from tests.billing.payouts.cast import MONDAY
from tests.billing.reconciliation import desk as desks
from tests.billing.reconciliation.desk import JUNE, stray
from tests.races.together import refusals, together

pytestmark = pytest.mark.django_db(transaction=True)
MAY = date(2026, 5, 1)
LATER = JUNE + timedelta(hours=1)


def test_two_people_resolve_the_same_break_and_one_does() -> None:
    desk = desks.make()
    stray()
    runs.run(desk.clerk, now=NOW)
    row = Break.objects.get()
    entry = [Entry(Code.BAD_DEBT, 7_700), Entry(Code.PROMOTION, -7_700)]
    with transaction.atomic():
        services.propose_settlement(desk.clerk, row.id, JournalKind.WRITE_OFF, entry, "Agreed.", now=LATER)
    approve = [partial(services.approve_settlement, who, row.id, now=LATER) for who in (desk.approver, desk.colleague)]
    decline = [partial(services.decline_settlement, desk.clerk, row.id, now=LATER)]
    explain = [partial(services.explain, desk.colleague, row.id, "None.", now=LATER)]
    results = together([*approve, *decline, *explain])
    row.refresh_from_db()
    assert refusals(results) >= 2
    written_off = row.status == BreakStatus.WRITTEN_OFF
    assert books.balance(Code.BAD_DEBT, "CNY") == (7_700 if written_off else 0)
    assert (row.journal_id is not None) == written_off


def test_two_people_explain_the_same_break_and_one_does() -> None:
    desk = desks.make()
    stray()
    runs.run(desk.clerk, now=NOW)
    row = Break.objects.get()
    explain = [
        partial(services.explain, who, row.id, f"Said {n}.", now=LATER)
        for n, who in enumerate((desk.clerk, desk.colleague, desk.approver))
    ]
    assert refusals(together(explain)) == 2
    assert row.notes.filter(kind="resolved").count() == 1


def test_two_people_confirm_the_same_payout_and_the_bank_is_credited_once() -> None:
    cast = payouts.make()
    payouts.owe(cast, 373_112)
    payout = payouts.approved(cast)
    paying.send(cast.clerk, payout.id, now=MONDAY)
    confirm = [partial(paying.confirm, cast.clerk, payout.id, f"B-{n}", now=MONDAY) for n in range(3)]
    fail = [partial(paying.fail, cast.clerk, payout.id, "no", now=MONDAY)]
    assert refusals(together([*confirm, *fail])) == 3
    payout.refresh_from_db()
    assert payouts.in_books(cast.provider.id) in (
        {"owed": 0, "transit": 0, "bank": -373_112, "stripe": 0},
        {"owed": 373_112, "transit": 0, "bank": 0, "stripe": 0},
    )


def test_no_posting_lands_in_a_month_that_is_being_closed() -> None:
    desk = desks.make()
    stray(10)
    runs.run(desk.clerk, now=JUNE)

    def post() -> object:
        lines = [debit(Code.PROMOTION, 1), credit(Code.VOUCHERS, 1)]
        return ledger.post(source("gift", "late"), lines, currency="CNY", effective_at=NOW, now=LATER)

    results = together([post, post, partial(closing.close, desk.approver, MAY, now=LATER), post, post])
    closed = AccountingPeriod.objects.filter(status=PeriodStatus.CLOSED).first()
    late = [result for result in results if isinstance(result, DomainError)]
    if closed is None:  # a posting came first, and the close saw that nobody has looked at it
        assert [error.code for error in late] == ["period_not_ready"]
    else:
        assert all(isinstance(error, PeriodClosed) for error in late)
        assert len(late) == 4
        assert closed.transaction_count == LedgerTransaction.objects.filter(effective_at__lt=closed.ends_at).count()
