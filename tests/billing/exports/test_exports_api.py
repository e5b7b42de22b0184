"""Files over HTTP: every row that the caller may see, and no other."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actors.actor import Capability
from accounts.foundation import clock, ids
from billing.contracts import services as contracts
from billing.invoices import services as invoices
from billing.invoices.models import Invoice
from billing.journals import services as journals
from billing.journals.rules import Entry, JournalKind
from billing.ledger.chart import Code
from billing.reconciliation import runs
from catalog.offerings.models import Offering
from tests.billing import delivery
from tests.billing.cast import Desk, desk, party_of
from tests.billing.payments.cast import person

CSV_FILES = (
    "invoices",
    "invoice-lines",
    "statements",
    "statement-lines",
    "ledger-entries",
    "top-ups",
    "bank-receipts",
    "holds",
    "receivables",
    "payouts",
    "breaks",
    "journals",
    "trial-balance",
    "payables",
    "unmatched-items",
)


def read(response: Any) -> list[dict[str, str]]:
    assert response.status_code == 200, response.content
    text = b"".join(response.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def billed(db: None) -> tuple[Desk, Invoice]:
    """A desk where Beichen AI Lab has an invoice and Huailai Compute a statement."""
    people = desk()
    from tests.catalog import cast

    operator = cast.acting_for(_organisation("Exchange"), frozenset({Capability.OPERATE}))
    provider, buyer = _organisation("Huailai Compute"), _organisation("Beichen AI Lab")
    site = cast.listed_site(operator, "zjk-1", name="Zhangjiakou")
    offering = cast.listed_offering(operator, cast.acting_for(provider, cast.SELLING), site)
    stage = delivery.Stage(_organisation("Exchange"), provider, buyer, offering)
    delivery.fund(buyer, 600_000)
    agreed = delivery.contract(stage, [delivery.slot(stage, 0, 10, 8, 9_000_000)])
    metered = delivery.point(agreed, offering)
    delivery.report(stage, [delivery.segment(metered, "s1", 0, 10, 8), delivery.reading(metered, "r1", 1, 2, "3.5")])
    contracts.end(delivery.SYSTEM, agreed.id, now=delivery.AFTER)
    invoice = invoices.invoice_contract(delivery.SYSTEM, agreed.id, now=delivery.AFTER)
    invoices.issue_statement(delivery.SYSTEM, agreed.id, now=delivery.AFTER)
    assert invoice is not None
    return people, invoice


def _organisation(name: str) -> Any:
    from accounts.organisations.models import Organisation

    return Organisation.objects.get(name=name)


def test_finance_takes_every_table_away_in_both_formats(billed: tuple[Desk, Invoice]) -> None:
    people, _ = billed
    for name in CSV_FILES:
        rows = read(people.auditor.get(f"/v1/exports/{name}.csv"))
        response = people.auditor.get(f"/v1/exports/{name}.xlsx")
        book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
        assert book.active is not None
        assert book.active.max_row == len(rows) + 1
        assert response["Content-Disposition"] == f'attachment; filename="{name}.xlsx"'
        assert response["Cache-Control"] == "no-store"


def test_a_table_says_what_the_documents_say(billed: tuple[Desk, Invoice]) -> None:
    people, invoice = billed

    (row,) = read(people.viewer.get("/v1/exports/invoices.csv"))
    lines = read(people.viewer.get("/v1/exports/invoice-lines.csv"))
    entries = read(people.auditor.get("/v1/exports/ledger-entries.csv"))

    assert (row["number"], row["total"]) == (invoice.number, "772.69")
    assert [(line["kind"], line["amount"]) for line in lines] == [
        ("capacity", "720.00"),
        ("metered", "1.75"),
        ("fee", "7.20"),
    ]
    debit = sum(float(entry["debit"] or 0) for entry in entries)
    assert debit == pytest.approx(sum(float(entry["credit"] or 0) for entry in entries))
    assert debit > 6000


def test_others_see_nothing_of_it(billed: tuple[Desk, Invoice]) -> None:
    people, _ = billed

    assert read(people.stranger.get("/v1/exports/invoices.csv")) == []
    assert read(people.stranger.get("/v1/exports/invoice-lines.csv")) == []
    assert read(people.stranger.get("/v1/exports/ledger-entries.csv")) == []
    assert len(read(people.seller.get("/v1/exports/statements.csv"))) == 1
    assert people.seller.get("/v1/exports/bank-receipts.csv").status_code == 403


def test_files_are_filtered_like_their_lists_and_refuse_what_they_do_not_know(billed: tuple[Desk, Invoice]) -> None:
    people, _ = billed

    assert read(people.auditor.get("/v1/exports/invoices.csv", issued_from="2099-01-01T00:00:00Z")) == []
    assert len(read(people.auditor.get("/v1/exports/invoices.csv", status="paid"))) == 1
    refused = people.auditor.get("/v1/exports/invoices.csv", colour="red")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["parameter"] == "colour"


def test_a_buyer_takes_its_own_costs_away_and_finance_any_buyers(billed: tuple[Desk, Invoice]) -> None:
    people, invoice = billed
    lab = ids.spell("org", people.lab.id)

    own = read(people.viewer.get("/v1/exports/focus.csv", period="2026-05"))
    assert sum(float(row["BilledCost"]) for row in own) == pytest.approx(invoice.total_minor / 100)
    assert read(people.auditor.get("/v1/exports/focus.csv", period="2026-05", organisation=lab)) == own
    assert read(people.viewer.get("/v1/exports/focus.csv", period="2026-06")) == []
    assert people.stranger.get("/v1/exports/focus.csv", period="2026-05", organisation=lab).status_code == 404


@pytest.mark.parametrize(
    ("query", "wrong"),
    [({}, "period"), ({"period": "2026-13"}, "period"), ({"period": "2026-05", "version": "9"}, "version")],
)
def test_a_request_for_costs_names_what_is_wrong(db: None, query: dict[str, str], wrong: str) -> None:
    refused = desk().viewer.get("/v1/exports/focus.csv", **query)

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["parameter"] == wrong


def test_a_file_asks_the_database_as_often_for_many_rows_as_for_one(billed: tuple[Desk, Invoice]) -> None:
    people, _ = billed

    def queries(name: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            read(people.auditor.get(f"/v1/exports/{name}.csv"))
        return len(captured)

    before = {name: queries(name) for name in CSV_FILES}
    delivery.fund(people.lab, 100)
    delivery.fund(people.lab, 200)
    assert {name: queries(name) for name in CSV_FILES} == before


def test_what_finance_works_on_leaves_as_it_stands_and_is_no_formula(billed: tuple[Desk, Invoice]) -> None:
    people, _ = billed
    clerk = person(party_of(_organisation("Exchange")), "second clerk", Capability.OPERATE_BOOKS)
    lines = [Entry(Code.SUSPENSE, 500), Entry(Code.WALLET, -500, people.lab.id)]
    journals.propose(
        clerk,
        JournalKind.ADJUSTMENT,
        lines,
        currency="CNY",
        reason="=1+1",
        effective_at=delivery.AFTER,
        now=delivery.AFTER,
    )
    provider = _organisation("Huailai Compute")
    provider.name = "@SUM(A1)"
    provider.save(update_fields=["name"])
    runs.run(clerk, now=clock.now())

    entries = read(people.auditor.get("/v1/exports/journals.csv"))
    assert [(row["reason"], row["debit"], row["credit"]) for row in entries] == [
        ("'=1+1", "5.00", "0.00"),
        ("'=1+1", "0.00", "5.00"),
    ]
    balance = read(people.auditor.get("/v1/exports/trial-balance.csv"))
    assert sum(Decimal(row["balance"]) for row in balance) == 0
    assert sum(Decimal(row["debit"]) for row in balance) > 6_000
    held = read(people.viewer.get("/v1/exports/holds.csv"))
    assert [(row["held"], row["captured"]) for row in held] == [("0.00", "770.83")]
    (owed,) = read(people.seller.get("/v1/exports/payables.csv"))
    assert Decimal(owed["pending"]) > 0
    breaks, items = (read(people.auditor.get(f"/v1/exports/{name}.csv")) for name in ("breaks", "unmatched-items"))
    assert breaks
    assert {row["subject"] for row in breaks} == {row["subject"] for row in items}
    for rows in (breaks, items):
        assert "'@SUM(A1)" in {row["organisation_name"] for row in rows}


def test_receivables_are_what_is_outstanding_and_how_late(billed: tuple[Desk, Invoice]) -> None:
    people, _ = billed
    assert read(people.auditor.get("/v1/exports/receivables.csv")) == []  # paid from the wallet
    stage = delivery.Stage(
        _organisation("Exchange"),
        _organisation("Huailai Compute"),
        _organisation("Beichen AI Lab"),
        Offering.objects.get(),
    )
    agreed = delivery.contract(stage, [delivery.slot(stage, 10, 11, 8, 9_000_000)], prepaid=False)
    metered = delivery.point(agreed, stage.offering)
    delivery.report(stage, [delivery.segment(metered, "s9", 10, 11, 8)])
    contracts.end(delivery.SYSTEM, agreed.id, now=delivery.AFTER)
    invoice = invoices.invoice_contract(delivery.SYSTEM, agreed.id, now=delivery.AFTER)
    assert invoice is not None
    assert invoice.due_at is not None
    (row,) = read(people.auditor.get("/v1/exports/receivables.csv"))
    assert (row["number"], row["outstanding"], row["total"]) == (invoice.number, "77.08", "77.08")
    assert int(row["days_late"]) == (clock.now() - invoice.due_at) // timedelta(days=1)
    assert people.viewer.get("/v1/exports/receivables.csv").status_code == 403
    assert people.auditor.get("/v1/exports/payables.csv", colour="red").status_code == 400
