"""What the database refuses, whoever writes: agreed terms, reports and issued documents stay as they are."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from billing.contracts import services as contracts
from billing.contracts.models import Contract
from billing.invoices import issuing
from billing.invoices import services as invoices
from billing.invoices.models import Invoice
from tests import databases
from tests.billing import delivery
from tests.billing.delivery import AFTER, SYSTEM, Stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Stage:
    stage = delivery.stage()
    delivery.fund(stage.buyer, 600_000)
    return stage


@pytest.fixture
def contract(stage: Stage) -> Contract:
    """A contract that was delivered (with a correction) and billed on both sides."""
    agreed = delivery.contract(stage, [delivery.slot(stage, 0, 10, 4, 10_000_000)])
    metered = delivery.point(agreed, stage.offering)
    delivery.report(
        stage,
        [
            delivery.segment(metered, "s1", 0, 10, 3),
            delivery.reversal("r1", "s1"),
            delivery.segment(metered, "s2", 0, 10, 4),
            delivery.reading(metered, "e1", 0, 10, "10"),
        ],
    )
    contracts.end(SYSTEM, agreed.id, now=AFTER)
    invoices.invoice_contract(SYSTEM, agreed.id, now=AFTER)
    invoices.issue_statement(SYSTEM, agreed.id, now=AFTER)
    return agreed


def refused(statement: str) -> str:
    """Run SQL that must be refused, and return the reason."""
    with pytest.raises(DatabaseError) as caught:
        _run(statement)
    return str(caught.value)


@transaction.atomic
def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what the test has written is checked, and settled
        cursor.execute(statement)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize(
    "change",
    [
        "terms = terms || '{\"fees\": {}}'",
        "terms_digest = repeat('0', 64)",
        "value_minor = 1",
        "share_minor = share_minor + 1",
        "currency = 'USD'",
        "ends_at = ends_at + interval '1 hour'",
        "provider_id = buyer_id",
        "created_at = created_at - interval '1 hour'",
    ],
)
def test_what_was_agreed_never_changes(contract: Contract, change: str) -> None:
    assert "may change" in refused(f"UPDATE billing_contract SET {change}")


def test_a_contract_is_not_deleted_and_a_settled_one_moves_nowhere(contract: Contract) -> None:
    assert "never changed" in refused("DELETE FROM billing_contract")
    assert "may not move settled>active" in refused("UPDATE billing_contract SET status = 'active'")


@pytest.mark.django_db(transaction=True)
def test_not_even_the_owner_changes_or_removes_rows_that_only_grow(contract: Contract) -> None:
    tables = [
        "billing_contractslot",
        "billing_feeschedule",
        "billing_usageevent",
        "billing_usagereversal",
        "billing_charge",
        "billing_invoiceline",
        "billing_invoicetax",
        "billing_billedcharge",
    ]
    statements = [f"TRUNCATE billing_usageevent_p{n}" for n in range(8)]
    with databases.owner_cursor() as cursor:
        for table in tables:
            cursor.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
                " ORDER BY ordinal_position LIMIT 1",
                [table],
            )
            (column,) = cursor.fetchone()
            statements += [
                f"UPDATE {table} SET {column} = {column}",
                f"DELETE FROM {table}",
                f"TRUNCATE {table} CASCADE",
            ]
        for statement in statements:
            with pytest.raises(DatabaseError, match="never changed"):
                cursor.execute(statement)


@pytest.mark.parametrize(
    "change",
    [
        "total_minor = total_minor + 1",
        "net_minor = net_minor + 1, total_minor = total_minor + 1",
        "number = 'INV-2026-000099'",
        "n = 99",
        "seller = '{}'",
        "digest = repeat('0', 64)",
        "issued_at = issued_at + interval '1 second'",
    ],
)
def test_an_issued_document_never_changes(contract: Contract, change: str) -> None:
    assert "may change" in refused(f"UPDATE billing_invoice SET {change} WHERE kind = 'customer'")


def test_nothing_is_added_to_an_issued_document(contract: Contract) -> None:
    for table in ("billing_invoiceline", "billing_invoicetax"):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT string_agg(column_name, ', ') FROM information_schema.columns"
                " WHERE table_name = %s AND column_name <> 'id'",
                [table],
            )
            (columns,) = cursor.fetchone()
        copy = f"INSERT INTO {table} (id, {columns}) SELECT gen_random_uuid(), {columns} FROM {table} LIMIT 1"
        assert "issued document" in refused(copy)
    assert "on a draft" in refused(
        "INSERT INTO billing_billedcharge (id, charge_id, side, line_id)"
        " SELECT gen_random_uuid(), charge_id, side, line_id FROM billing_billedcharge LIMIT 1"
    )


def test_a_document_is_not_deleted_nor_paid_beyond_its_total(contract: Contract) -> None:
    assert "never changed" in refused("DELETE FROM billing_invoice")
    assert "invoice_not_paid_beyond_total" in refused("UPDATE billing_invoice SET paid_minor = total_minor + 1")
    assert "may not move paid>issued" in refused(
        "UPDATE billing_invoice SET status = 'issued', paid_at = NULL WHERE status = 'paid'"
    )


def test_a_document_whose_lines_do_not_make_its_sum_cannot_be_issued(contract: Contract) -> None:
    columns = (
        "contract_id, organisation_id, series, currency, period_start, period_end, cutoff_at, tax_minor,"
        " rounding, seller, buyer, created_at, synthetic, credited_minor, written_off_minor, kind, side,"
        " correction_reason"
    )
    draft = f"""
        INSERT INTO billing_invoice
            (id, {columns}, reason, paid_minor, contract_n, net_minor, total_minor, status, number, digest)
        SELECT gen_random_uuid(), {columns}, 'on_demand', 0, 9, 100, 100 + tax_minor, 'draft', '', ''
        FROM billing_invoice WHERE kind = 'customer';
        UPDATE billing_invoice SET status = 'issued', year = 2026, n = 2, number = 'INV-2026-000002',
            issued_at = created_at, digest = repeat('0', 64) WHERE contract_n = 9;
    """
    assert "differ from net" in refused(draft)


def test_a_counter_gives_no_number_without_its_document_and_never_goes_back(contract: Contract) -> None:
    assert "went from 1 to 3 for 0 documents" in refused(
        "UPDATE billing_invoicecounter SET last = last + 2 WHERE series = 'INV'"
    )
    assert "goes from 1 to 0" in refused("UPDATE billing_invoicecounter SET last = last - 1 WHERE series = 'INV'")
    assert "never changed" in refused("DELETE FROM billing_invoicecounter")


def test_segments_in_force_never_overlap(contract: Contract) -> None:
    assert "allocation_segment_one_at_a_time" in refused(
        "INSERT INTO billing_allocationsegment (id, metering_point_id, starts_at, ends_at, quantity)"
        " SELECT gen_random_uuid(), metering_point_id, starts_at + interval '1 hour', ends_at, 1"
        " FROM billing_allocationsegment WHERE reversed_at IS NULL"
    )


def test_a_rolled_back_document_leaves_no_gap(stage: Stage) -> None:
    agreed = delivery.contract(stage, [delivery.slot(stage, 0, 10, 4, 10_000_000)])
    metered = delivery.point(agreed, stage.offering)
    delivery.report(stage, [delivery.segment(metered, "s1", 0, 4, 4)])
    with transaction.atomic():
        invoices.invoice_on_demand(stage.trader, agreed.id, now=AFTER)
        transaction.set_rollback(True)
    assert Invoice.objects.count() == 0
    assert invoices.invoice_on_demand(stage.trader, agreed.id, now=AFTER).number == "INV-2026-000001"


def test_the_digest_says_what_the_document_says(contract: Contract) -> None:
    for document in Invoice.objects.all():
        assert issuing.digest(document) == document.digest
