"""Each kind of difference shows with its age and cause, and sound books show none."""

from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction

from accounts.actors.errors import NotAllowed
from billing.contracts import services as contracts
from billing.invoices import services as invoices
from billing.invoices.models import Invoice, InvoiceSeries
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Source, credit, debit
from billing.payments import services as payments
from billing.payouts import services as payouts
from billing.reconciliation import checks, queries
from billing.reconciliation.rules import Item, ItemKind
from billing.usage import services as usage
from catalog.measures.money import Money
from tests.billing import delivery
from tests.billing.delivery import AFTER, DAY, SYSTEM
from tests.billing.ledger.books import NOW, hold, invoice, source, top_up
from tests.billing.payments import cast
from tests.billing.payments.cast import Cast, line
from tests.billing.reconciliation.planted import ISSUER

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=6)


@pytest.fixture
def people() -> Cast:
    return cast.make()


def items(people: Cast, kind: ItemKind, now: datetime = LATER) -> list[Item]:
    return [item for item in queries.unmatched_items(people.auditor, now=now).items if item.kind is kind]


def test_books_that_match_show_nothing(people: Cast) -> None:
    asked = payments.request_top_up(people.trader, Money(1_000, "CNY"), now=NOW)
    payments.confirm(people.clerk, asked.id, line(1_000), now=NOW)
    hold(people.lab, 100)
    found = queries.unmatched_items(people.auditor, now=LATER)
    assert (found.items, found.cut_kinds) == ((), ())


def test_every_kind_has_its_check() -> None:
    assert set(checks.CHECKS) == set(ItemKind)


def test_only_those_who_read_the_books_see_them(people: Cast) -> None:
    for actor in (people.trader, people.stranger):
        with pytest.raises(NotAllowed):
            queries.unmatched_items(actor, now=LATER)


def test_a_top_up_that_does_not_come(people: Cast) -> None:
    asked = payments.request_top_up(people.trader, Money(1_000, "CNY"), now=NOW)
    assert items(people, ItemKind.TOP_UP_AWAITED, NOW + timedelta(days=4)) == []
    (item,) = items(people, ItemKind.TOP_UP_AWAITED)
    assert (item.subject_id, item.amount_minor, item.since) == (asked.id, 1_000, NOW)
    assert asked.reference in item.cause


def test_a_receipt_says_what_speaks_for_whom(people: Cast) -> None:
    asked = payments.request_top_up(people.trader, Money(1_000, "CNY"), now=NOW)
    cancelled = payments.request_top_up(people.trader, Money(500, "CNY"), now=NOW)
    payments.cancel_top_up(people.trader, cancelled.id, now=NOW)
    for text, words in (
        ("thank you", "quoted no reference"),
        ("CX-00000-00000-0", "the reference of no top-up"),
        (asked.reference, "announced 10.00 CNY, and 9.99 CNY came"),
        (cancelled.reference, "is cancelled already"),
    ):
        receipt = payments.record_receipt(people.clerk, line(999, text), now=NOW)
        (item,) = [one for one in items(people, ItemKind.RECEIPT_UNMATCHED) if one.subject_id == receipt.id]
        assert words in item.cause
    assert items(people, ItemKind.SUSPENSE_DIFFERENCE) == []


def test_suspense_that_is_not_its_receipts(people: Cast) -> None:
    ledger.post(
        source("journal", "adjust"),
        [debit(Code.BANK, 77), credit(Code.SUSPENSE, 77)],
        currency="CNY",
        effective_at=NOW,
        now=NOW,
    )
    (item,) = items(people, ItemKind.SUSPENSE_DIFFERENCE)
    assert (item.amount_minor, item.currency, item.since) == (-77, "CNY", None)
    (item,) = items(people, ItemKind.POSTING_WITHOUT_SOURCE)
    assert (item.amount_minor, item.cause) == (77, "Posted for a journal (adjust) that does not exist.")


def test_a_wallet_that_was_credited_beside_its_top_up(people: Cast) -> None:
    asked = payments.request_top_up(people.trader, Money(1_000, "CNY"), now=NOW)
    ledger.post(
        Source("top_up", asked.id, "gift"),
        [debit(Code.BANK, 5), credit(Code.WALLET, 5, people.lab.id)],
        currency="CNY",
        effective_at=NOW,
        now=NOW,
    )
    (item,) = items(people, ItemKind.TOP_UP_POSTING)
    assert (item.subject_id, item.amount_minor) == (asked.id, -5)


def test_a_posting_whose_source_is_missing(people: Cast) -> None:
    posted = top_up(people.lab, 100)
    (item,) = items(people, ItemKind.POSTING_WITHOUT_SOURCE)
    assert (item.subject_id, item.amount_minor) == (posted.id, 100)


def test_an_overdrawn_wallet(people: Cast) -> None:
    top_up(people.lab, 100)
    invoice(people.lab, 130, extras_minor=30)
    (item,) = items(people, ItemKind.WALLET_OVERDRAWN)
    assert (item.organisation_id, item.amount_minor, item.since) == (people.lab.id, 30, NOW)


def test_a_contract_from_its_end_to_its_release(people: Cast) -> None:
    stage = delivery.stage()
    delivery.fund(stage.buyer, 600_000)
    agreed = delivery.contract(stage, [delivery.slot(stage, 0, 2, 4, 9_000_000)])
    metered = delivery.point(agreed, stage.offering)
    delivery.report(stage, [delivery.segment(metered, "s1", 0, 2, 4)])
    contracts.begin(SYSTEM, agreed.id, now=DAY)
    contracts.end(SYSTEM, agreed.id, now=AFTER)

    soon, late = AFTER + timedelta(minutes=59), AFTER + timedelta(hours=1)
    assert items(people, ItemKind.CONTRACT_NOT_SETTLED, soon) == []
    (item,) = items(people, ItemKind.CONTRACT_NOT_SETTLED, late)
    assert (item.subject_id, item.organisation_id, item.since) == (agreed.id, stage.buyer.id, AFTER)

    invoices.invoice_contract(SYSTEM, agreed.id, now=AFTER)
    statement = invoices.issue_statement(SYSTEM, agreed.id, now=AFTER)
    assert statement is not None
    for kind in (ItemKind.CONTRACT_NOT_SETTLED, ItemKind.DOCUMENT_POSTING, ItemKind.PAYABLE_DIFFERENCE):
        assert items(people, kind, late) == []

    overdue = AFTER + timedelta(days=8)
    (item,) = items(people, ItemKind.RELEASE_OVERDUE, overdue)
    assert (item.subject_id, item.amount_minor) == (statement.id, statement.total_minor)
    payouts.release_due(now=overdue)
    assert items(people, ItemKind.RELEASE_OVERDUE, overdue) == []
    assert items(people, ItemKind.PAYABLE_DIFFERENCE, overdue) == []


def test_a_payable_beside_its_statements(people: Cast) -> None:
    ledger.post(
        source("statement", "issue"),
        [debit(Code.COST_OF_CAPACITY, 70), credit(Code.PAYABLE_PENDING, 70, people.lab.id)],
        currency="CNY",
        effective_at=NOW,
        now=NOW,
    )
    (item,) = items(people, ItemKind.PAYABLE_DIFFERENCE)
    assert (item.organisation_id, item.amount_minor) == (people.lab.id, -70)


def test_a_document_that_was_never_posted_and_is_past_due(people: Cast) -> None:
    stage = delivery.stage()
    agreed = delivery.contract(stage, [delivery.slot(stage, 0, 2, 4, 9_000_000)], prepaid=False)
    with transaction.atomic():
        document = Invoice.objects.create(
            kind="customer", reason="contract_end", contract=agreed, contract_n=1, side="customer",
            organisation=stage.buyer, series="INV", currency="CNY", period_start=DAY, period_end=AFTER,
            cutoff_at=AFTER, net_minor=100, tax_minor=6, total_minor=106, rounding="half_up", seller=ISSUER, buyer={},
            created_at=AFTER,
        )  # fmt: skip
        InvoiceSeries.objects.create(entity=ISSUER["legal_name"], kind="customer", series="INV")
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE billing_invoice SET status = 'issued', year = 2026, n = 1, number = 'INV-2026-000001',"
                " digest = repeat('0', 64), issued_at = %s, due_at = %s WHERE id = %s",
                [AFTER, AFTER + timedelta(days=30), document.id],
            )
        (posting,) = items(people, ItemKind.DOCUMENT_POSTING)
        assert (posting.subject_type, posting.subject_id, posting.amount_minor) == ("invoice", document.id, 106)
        assert items(people, ItemKind.INVOICE_PAST_DUE, AFTER + timedelta(days=29)) == []
        (late,) = items(people, ItemKind.INVOICE_PAST_DUE, AFTER + timedelta(days=30))
        assert late.amount_minor == 106
        transaction.set_rollback(True)


def test_reports_that_could_not_be_taken(people: Cast) -> None:
    stage = delivery.stage()
    delivery.fund(stage.buyer, 600_000)
    agreed = delivery.contract(stage, [delivery.slot(stage, 0, 2, 4, 9_000_000)])
    metered = delivery.point(agreed, stage.offering)
    delivery.report(stage, [delivery.segment(metered, "s1", 0, 1, 4)])
    usage.ingest(
        stage.agent,
        [delivery.segment(metered, "s1", 0, 1, 3), delivery.segment(metered, "s2", 0, 1, 4)],
        now=AFTER,
    )
    (conflict,) = items(people, ItemKind.USAGE_CONFLICT, AFTER)
    (rejection,) = items(people, ItemKind.USAGE_REJECTED, AFTER)
    assert conflict.organisation_id == rejection.organisation_id == stage.provider.id
    assert "sent s1 twice" in conflict.cause
    forgotten = AFTER + timedelta(days=36)
    assert items(people, ItemKind.USAGE_CONFLICT, forgotten) == items(people, ItemKind.USAGE_REJECTED, forgotten) == []


def test_items_come_oldest_first_and_a_full_kind_says_so(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in range(3):
        at = NOW - timedelta(days=day)
        payments.request_top_up(people.trader, Money(1_000 + day, "CNY"), now=at)
    found = queries.unmatched_items(people.auditor, now=LATER)
    assert [item.amount_minor for item in found.items] == [1_002, 1_001, 1_000]
    monkeypatch.setattr(queries, "PER_KIND", 2)
    cut = queries.unmatched_items(people.auditor, now=LATER)
    assert [item.amount_minor for item in cut.items] == [1_002, 1_001]
    assert cut.cut_kinds == (ItemKind.TOP_UP_AWAITED,)
