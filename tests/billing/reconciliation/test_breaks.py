"""A run opens one break for each difference and closes none; people do, alone with words or in two with an entry."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.actors.actor import Actor
from accounts.actors.errors import NotAllowed
from accounts.foundation import ids
from accounts.foundation.errors import Invalid
from billing.journals import services as journals
from billing.journals.errors import JournalSettlesSomething, OwnJournal
from billing.journals.models import ManualJournal
from billing.journals.rules import Entry, JournalKind
from billing.ledger import queries as books
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.models import LedgerTransaction
from billing.ledger.rules import credit, debit
from billing.reconciliation import checks, runs, services
from billing.reconciliation.errors import (
    BreakResolved,
    NoSuchBreak,
    NotAClerk,
    NotAmountOfBreak,
    NothingProposed,
    PersonNeeded,
    SettlementWaits,
)
from billing.reconciliation.models import Break, ReconciliationRun
from billing.reconciliation.rules import BreakStatus, ItemKind
from tests.billing.ledger.books import NOW, source
from tests.billing.reconciliation import desk as desks
from tests.billing.reconciliation.desk import Desk, only_break, stray

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)
WRITE_OFF = [Entry(Code.BAD_DEBT, 7_700), Entry(Code.PROMOTION, -7_700)]


@pytest.fixture
def desk() -> Desk:
    return desks.make()


def thread(row: Break) -> list[str]:
    return [note.text for note in row.notes.all()]


def run(desk: Desk, hours: int = 0) -> ReconciliationRun:
    return runs.run(desk.clerk, now=NOW + timedelta(hours=hours))


def test_a_run_opens_one_break_for_each_difference_however_often_it_is_repeated(desk: Desk) -> None:
    posted = stray()
    first, second = run(desk), run(desk, 1)
    row = only_break()
    assert (row.kind, row.subject_id, row.amount_minor, row.since) == (
        ItemKind.POSTING_WITHOUT_SOURCE, posted.id, 7_700, NOW,
    )  # fmt: skip
    assert (row.found_in_id, row.seen_in_id, row.status) == (first.id, second.id, BreakStatus.OPEN)
    assert [(one.found_count, one.new_count) for one in (first, second)] == [(1, 1), (1, 0)]
    assert thread(row) == ["Found: Posted for a gift (give) that does not exist."]


def test_a_difference_that_is_gone_stays_open_until_a_person_says_why(desk: Desk) -> None:
    posted = stray()
    run(desk)
    with transaction.atomic():
        ledger.reverse(posted.id, now=NOW)
    row = only_break()
    # The original has no source still: only a check that finds nothing makes it gone.
    run(desk, 1)
    assert only_break().difference_gone_at is None
    Break.objects.filter(id=row.id).update(owner_id=desk.clerk.user_id)
    gone = _forget(desk)
    assert gone.vanished_count == 1
    row = only_break()
    assert (row.status, row.difference_gone_at) == (BreakStatus.OPEN, NOW + timedelta(hours=2))
    assert run(desk, 3).new_count == 0
    row = only_break()
    assert row.difference_gone_at is None
    assert thread(row)[1:] == [
        "The difference is gone. Say why before you close it.",
        "The difference is there again.",
    ]
    services.explain(desk.clerk, row.id, "A test of the gift card.", now=LATER)
    assert only_break().status == BreakStatus.EXPLAINED


def _forget(desk: Desk) -> ReconciliationRun:
    """Run as if the check found nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "CHECKS", {ItemKind.POSTING_WITHOUT_SOURCE: lambda *_: []})
        return run(desk, 2)


def test_a_kind_with_more_than_a_run_takes_says_so_and_none_of_it_is_called_gone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        stray()
    run(desk)
    monkeypatch.setattr(runs, "PER_KIND", 2)
    made = run(desk, 1)
    assert (made.cut_kinds, made.found_count, made.vanished_count) == (["posting_without_source"], 2, 0)
    assert Break.objects.filter(difference_gone_at__isnull=True).count() == 3


def test_what_was_resolved_opens_again_only_when_the_difference_is_another(desk: Desk) -> None:
    desks.stray()
    run(desk)
    services.explain(desk.clerk, only_break().id, "Known.", now=LATER)
    assert [(one.new_count, one.settled_count) for one in (run(desk, 1), run(desk, 2))] == [(0, 1), (0, 1)]
    with pytest.MonkeyPatch.context() as patch:
        item = checks.CHECKS[ItemKind.POSTING_WITHOUT_SOURCE](NOW, 9)[0]
        other = [
            type(item)(
                item.kind, item.since, item.cause, item.subject_type, item.subject_id, amount_minor=5, currency="CNY"
            )
        ]
        patch.setattr(runs, "CHECKS", {item.kind: lambda *_: other})
        assert run(desk, 3).new_count == 1
    assert [row.amount_minor for row in Break.objects.order_by("id")] == [7_700, 5]


def test_the_amount_of_an_open_break_follows_the_difference(desk: Desk) -> None:
    for amount in (70, 7):
        ledger.post(
            source("statement", "issue"),
            [debit(Code.COST_OF_CAPACITY, amount), credit(Code.PAYABLE_PENDING, amount, desk.house.id)],
            currency="CNY", effective_at=NOW, now=NOW,
        )  # fmt: skip
        run(desk)
    row = only_break(ItemKind.PAYABLE_DIFFERENCE)
    assert row.amount_minor == -77
    assert "The amount was -0.70 CNY and is -0.77 CNY." in thread(row)


def test_a_break_is_given_to_somebody_of_finance_and_talked_about(desk: Desk) -> None:
    stray()
    run(desk)
    row = only_break()
    services.assign(desk.clerk, row.id, desk.colleague.user_id, now=LATER)
    services.comment(desk.colleague, row.id, "Asked the provider.", now=LATER)
    services.assign(desk.clerk, row.id, None, now=LATER)
    assert thread(row)[1:] == ["Given to Colleague.", "Asked the provider.", "Given to nobody."]
    outsider = Actor(None, ids.new_id(), None, frozenset(), "x")
    with pytest.raises(NotAClerk):
        services.assign(desk.clerk, row.id, outsider.user_id, now=LATER)
    for actor in (desk.auditor, outsider):
        with pytest.raises(NotAllowed):
            services.comment(actor, row.id, "x", now=LATER)
    with pytest.raises(PersonNeeded):
        services.explain(Actor.system("reconciliation"), row.id, "x", now=LATER)
    with pytest.raises(NoSuchBreak):
        services.comment(desk.clerk, ids.new_id(), "x", now=LATER)


def test_a_write_off_takes_two_people_and_an_entry_of_the_breaks_amount(desk: Desk) -> None:
    stray()
    run(desk)
    row = only_break()
    with pytest.raises(NotAmountOfBreak):
        services.propose_settlement(
            desk.colleague, row.id, JournalKind.WRITE_OFF,
            [Entry(Code.BAD_DEBT, 1), Entry(Code.PROMOTION, -1)], "Too small.", now=LATER,
        )  # fmt: skip
    with pytest.raises(Invalid):
        services.propose_settlement(
            desk.colleague, row.id, JournalKind.WRITE_OFF, [*WRITE_OFF, WRITE_OFF[1]], "x", now=LATER
        )
    services.propose_settlement(desk.colleague, row.id, JournalKind.WRITE_OFF, WRITE_OFF, "Nobody knows.", now=LATER)
    for refused, step in (
        (OwnJournal, lambda: services.approve_settlement(desk.colleague, row.id, now=LATER)),
        (NotAllowed, lambda: services.approve_settlement(desk.clerk, row.id, now=LATER)),
        (SettlementWaits, lambda: services.explain(desk.clerk, row.id, "x", now=LATER)),
        (JournalSettlesSomething, lambda: journals.approve(desk.approver, ManualJournal.objects.get().id, now=LATER)),
    ):
        with pytest.raises(refused), transaction.atomic():
            step()
    assert books.balance(Code.BAD_DEBT, "CNY") == 0
    services.approve_settlement(desk.approver, row.id, now=LATER)
    row.refresh_from_db()
    assert (row.status, row.resolved_by_id, row.explanation) == (
        BreakStatus.WRITTEN_OFF, desk.approver.user_id, "Nobody knows.",
    )  # fmt: skip
    assert books.balance(Code.BAD_DEBT, "CNY") == 7_700
    posted = LedgerTransaction.objects.get(source_type="journal")
    assert (posted.source_id, posted.purpose) == (row.journal_id, "write_off")
    with pytest.raises(BreakResolved):
        services.explain(desk.clerk, row.id, "again", now=LATER)


def test_a_break_of_no_known_amount_is_written_off_with_the_amount_that_two_people_agree_on(desk: Desk) -> None:
    run(desk)
    row = Break.objects.create(
        kind="usage_conflict", subject_key="x", amount_minor=None, cause="Two reports.", since=NOW, status="open",
        found_in=ReconciliationRun.objects.get(), seen_in=ReconciliationRun.objects.get(),
    )  # fmt: skip
    services.propose_settlement(desk.clerk, row.id, JournalKind.WRITE_OFF, WRITE_OFF, "Agreed.", now=LATER)
    done = services.approve_settlement(desk.approver, row.id, now=LATER)
    assert (done.status, done.amount_minor) == (BreakStatus.WRITTEN_OFF, None)
    assert books.balance(Code.BAD_DEBT, "CNY") == 7_700


def test_a_declined_entry_moves_nothing_and_leaves_the_break_open(desk: Desk) -> None:
    stray()
    run(desk)
    row = only_break()
    with pytest.raises(NothingProposed):
        services.decline_settlement(desk.clerk, row.id, now=LATER)
    services.propose_settlement(desk.clerk, row.id, JournalKind.ADJUSTMENT, WRITE_OFF, "Try.", now=LATER)
    services.decline_settlement(desk.clerk, row.id, now=LATER)
    assert (only_break().status, only_break().journal_id) == (BreakStatus.OPEN, None)
    assert not LedgerTransaction.objects.filter(source_type="journal").exists()
    services.propose_settlement(desk.clerk, row.id, JournalKind.ADJUSTMENT, WRITE_OFF, "Again.", now=LATER)
    assert services.approve_settlement(desk.colleague, row.id, now=LATER).status == BreakStatus.ADJUSTED


@pytest.mark.parametrize(
    ("change", "guard"),
    [
        (
            "status = 'written_off', explanation = 'x', resolved_at = since, resolved_by_id = %(person)s",
            "not settled by",
        ),
        ("status = 'explained', explanation = '', resolved_at = since, resolved_by_id = %(person)s", "resolved_by"),
        ("status = 'explained', explanation = 'x', resolved_at = since, resolved_by_id = NULL", "resolved_by"),
        ("kind = 'other'", "may change"),
        ("since = since + interval '1 day'", "may change"),
    ],
)
def test_the_database_keeps_breaks_whoever_writes(desk: Desk, change: str, guard: str) -> None:
    stray()
    run(desk)
    with pytest.raises(IntegrityError, match=guard), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE billing_break SET {change}", {"person": desk.clerk.user_id})


def test_a_break_that_was_resolved_does_not_change(desk: Desk) -> None:
    stray()
    run(desk)
    services.explain(desk.clerk, only_break().id, "Known.", now=LATER)
    for statement in ("UPDATE billing_break SET cause = 'x'", "DELETE FROM billing_break"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
