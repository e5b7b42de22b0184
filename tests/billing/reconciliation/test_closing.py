"""A month is closed when nothing keeps it open, and then nothing takes effect in it until two people reopen it."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.actors.errors import NotAllowed
from accounts.foundation.errors import Invalid
from billing.journals import services as journals
from billing.journals.rules import Entry, JournalKind
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.errors import PeriodClosed
from billing.ledger.rules import credit, debit
from billing.periods import queries as periods
from billing.periods import services as period_services
from billing.periods.errors import LaterPeriodClosed, OwnReopening, PeriodNotClosed, ReopeningDecided
from billing.periods.models import AccountingPeriod
from billing.reconciliation import closing, runs, services
from billing.reconciliation.errors import PeriodNotReady
from billing.reconciliation.models import Break
from billing.webhooks import services as webhooks
from billing.webhooks.errors import MessageNotParked
from billing.webhooks.models import StripeEvent
from tests.billing.ledger.books import NOW, source
from tests.billing.reconciliation import desk as desks
from tests.billing.reconciliation.desk import JUNE, Desk, stray

pytestmark = pytest.mark.django_db

MAY, APRIL = date(2026, 5, 1), date(2026, 4, 1)
DAY = timedelta(days=1)
ONE_PERSON = (
    "INSERT INTO billing_periodreopening (id, reason, status, requested_at, decided_at, requested_by_id, decided_by_id,"
    " period_id) SELECT gen_random_uuid(), 'x', 'approved', closed_at, closed_at, closed_by_id, closed_by_id, id"
    " FROM billing_accountingperiod"
)


@pytest.fixture
def desk() -> Desk:
    return desks.make()


def failing(desk: Desk, month: date = MAY, *, now: object = JUNE) -> set[str]:
    return {check.code for check in closing.checklist(desk.auditor, month, now=now) if not check.passes}  # type: ignore[arg-type]


def closed_may(desk: Desk) -> AccountingPeriod:
    runs.run(desk.clerk, now=JUNE)
    return closing.close(desk.approver, MAY, now=JUNE)


def test_a_month_in_order_is_closed_once_and_keeps_what_was_looked_at(desk: Desk) -> None:
    assert failing(desk, now=JUNE - timedelta(seconds=1)) == {"month_over", "reconciled"}
    period = closed_may(desk)
    assert (period.closed_by_id, period.closed_at, len(period.checklist)) == (desk.approver.user_id, JUNE, 12)
    assert closing.close(desk.approver, MAY, now=JUNE + DAY).closed_at == JUNE
    with pytest.raises(NotAllowed):
        closing.close(desk.clerk, MAY, now=JUNE)


def test_open_breaks_of_the_threshold_or_more_keep_a_month_open(desk: Desk) -> None:
    stray(9_999)
    runs.run(desk.clerk, now=JUNE)
    assert failing(desk) == set()
    stray(10_000)
    # Posted in May, before the last run: only the next one sees it.
    assert failing(desk) == set()
    runs.run(desk.clerk, now=JUNE + timedelta(minutes=1))
    assert failing(desk, now=JUNE + timedelta(minutes=1)) == {"breaks"}
    with pytest.raises(PeriodNotReady) as refused:
        closing.close(desk.approver, MAY, now=JUNE + timedelta(minutes=1))
    assert [problem.pointer for problem in refused.value.problems] == ["/breaks"]
    row = Break.objects.get(amount_minor=10_000)
    services.explain(desk.clerk, row.id, "A gift.", now=JUNE)
    assert closing.close(desk.approver, MAY, now=JUNE + timedelta(minutes=1)).status == "closed"


def test_a_message_of_stripe_that_nobody_read_keeps_a_month_open_until_it_is_set_aside(desk: Desk) -> None:
    runs.run(desk.clerk, now=JUNE)
    for state, handled_at in (("received", None), ("parked", NOW), ("processed", NOW), ("ignored", NOW)):
        StripeEvent.objects.create(
            stripe_id=f"evt_{state}", type="payout.paid", object_kind="payout", object_id="po_1", created_at=NOW,
            received_at=NOW, state=state, handled_at=handled_at,
        )  # fmt: skip
    (check,) = [check for check in closing.checklist(desk.auditor, MAY, now=JUNE) if not check.passes]
    assert (check.code, check.found[:45]) == ("events_processed", "0 jobs that fell due and 2 messages of Stripe")
    StripeEvent.objects.filter(state="received").update(state="processed", handled_at=NOW)
    parked = StripeEvent.objects.get(state="parked")
    with pytest.raises(NotAllowed):
        webhooks.set_aside(desk.auditor, parked.id, "Of another program.", now=JUNE)
    webhooks.set_aside(desk.clerk, parked.id, "Of another program.", now=JUNE)
    with pytest.raises(MessageNotParked):
        webhooks.set_aside(desk.clerk, parked.id, "Again.", now=JUNE)
    assert failing(desk) == set()


def test_months_are_closed_in_their_order(desk: Desk) -> None:
    stray(5, at=NOW - timedelta(days=20))
    runs.run(desk.clerk, now=JUNE)
    assert failing(desk) == {"earlier_months"}
    closing.close(desk.approver, APRIL, now=JUNE)
    assert failing(desk) == set()


def test_an_entry_by_hand_takes_effect_now_or_earlier(desk: Desk) -> None:
    entries = [Entry(Code.PROMOTION, 5), Entry(Code.VOUCHERS, -5)]
    with pytest.raises(Invalid, match="a time up to now"):
        journals.propose(
            desk.clerk, JournalKind.ADJUSTMENT, entries, currency="CNY", reason="Gift.", effective_at=JUNE, now=NOW
        )


def test_an_undecided_entry_and_an_aged_clearing_account_keep_a_month_open(desk: Desk) -> None:
    entries = [Entry(Code.PROMOTION, 5), Entry(Code.VOUCHERS, -5)]
    proposed = journals.propose(
        desk.clerk, JournalKind.ADJUSTMENT, entries, currency="CNY", reason="Gift.", effective_at=NOW, now=NOW
    )
    ledger.post(
        source("gift", "give"),
        [debit(Code.STRIPE_CLEARING, 5), credit(Code.VOUCHERS, 5)],
        currency="CNY", effective_at=NOW, now=NOW,
    )  # fmt: skip
    runs.run(desk.clerk, now=JUNE)
    assert failing(desk) == {"journals_decided", "clearing_accounts"}
    journals.decline(desk.clerk, proposed.id, now=JUNE)
    assert failing(desk) == {"clearing_accounts"}


def test_nothing_takes_effect_in_a_closed_month(desk: Desk) -> None:
    closed_may(desk)
    with pytest.raises(PeriodClosed), transaction.atomic():
        stray(at=JUNE - timedelta(seconds=1))
    # Nor before it: a close counts all that came before its end.
    with pytest.raises(PeriodClosed), transaction.atomic():
        stray(at=JUNE - 40 * DAY)
    stray(at=JUNE)
    assert periods.effective(NOW) == JUNE
    assert periods.effective(JUNE + DAY) == JUNE + DAY


def test_a_month_is_reopened_by_two_people(desk: Desk) -> None:
    closed_may(desk)
    asked = period_services.request_reopening(desk.approver, MAY, "A late invoice.", now=JUNE)
    with pytest.raises(ReopeningDecided):
        period_services.request_reopening(desk.clerk, MAY, "Me too.", now=JUNE)
    with pytest.raises(OwnReopening):
        period_services.decide_reopening(desk.approver, asked.id, approve=True, now=JUNE)
    with pytest.raises(NotAllowed):
        period_services.decide_reopening(desk.clerk, asked.id, approve=True, now=JUNE)
    period_services.decide_reopening(desk.colleague, asked.id, approve=True, now=JUNE)
    stray(at=JUNE - DAY)
    with pytest.raises(ReopeningDecided):
        period_services.decide_reopening(desk.colleague, asked.id, approve=False, now=JUNE)
    with pytest.raises(PeriodNotClosed):
        period_services.request_reopening(desk.clerk, MAY, "Again.", now=JUNE)


def test_a_declined_request_leaves_the_month_closed_and_only_the_last_month_opens(desk: Desk) -> None:
    stray(5)
    closed_may(desk)
    asked = period_services.request_reopening(desk.clerk, MAY, "Why not.", now=JUNE)
    period_services.decide_reopening(desk.approver, asked.id, approve=False, now=JUNE)
    assert periods.is_closed(MAY)
    july = JUNE + timedelta(days=31)
    runs.run(desk.clerk, now=july)
    closing.close(desk.approver, date(2026, 6, 1), now=july)
    with pytest.raises(LaterPeriodClosed):
        period_services.request_reopening(desk.clerk, MAY, "Again.", now=july)


@pytest.mark.parametrize(
    ("statement", "guard"),
    [
        (
            "UPDATE billing_accountingperiod SET status = 'open', closed_at = NULL, closed_by_id = NULL",
            "approved request",
        ),
        ("UPDATE billing_accountingperiod SET ends_at = ends_at - interval '1 day'", "may change"),
        ("DELETE FROM billing_accountingperiod", "billing_accountingperiod"),
        (ONE_PERSON, "two_people"),
    ],
)
def test_the_database_keeps_closed_months_whoever_writes(desk: Desk, statement: str, guard: str) -> None:
    closed_may(desk)
    with pytest.raises(IntegrityError, match=guard), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
