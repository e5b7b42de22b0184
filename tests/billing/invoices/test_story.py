"""The billing half of the story: from the trade's contract to documents and books, every number exact."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing.contracts import services as contracts
from billing.contracts.models import Contract
from billing.invoices import services as invoices
from billing.invoices.models import Invoice
from billing.ledger import queries as books
from billing.ledger.chart import Code
from billing.payouts.models import StatementRelease
from tests.billing import delivery
from tests.billing.delivery import AFTER, DAY, SYSTEM, Stage

pytestmark = pytest.mark.django_db


def sign_b1(stage: Stage) -> Contract:
    delivery.fund(stage.buyer, 600_000)
    nights = 9_000_000
    return delivery.contract(
        stage,
        [
            delivery.slot(stage, 0, 8, 16, nights),
            delivery.slot(stage, 8, 20, 16, 10_000_000),
            delivery.slot(stage, 20, 24, 16, nights),
        ],
    )


def deliver_b1(stage: Stage, contract: Contract) -> None:
    metered = delivery.point(contract, stage.offering)
    delivery.report(
        stage,
        [
            delivery.segment(metered, "s1", 0, 13, 16),
            delivery.segment(metered, "s2", 13, 14, 12),
            delivery.segment(metered, "s3", 14, 24, 16),
            delivery.reading(metered, "e1", 0, 24, "125.5"),
        ],
    )


def finish(contract: Contract) -> tuple[Invoice, Invoice]:
    contracts.begin(SYSTEM, contract.id, now=DAY)
    contracts.end(SYSTEM, contract.id, now=AFTER)
    invoice = invoices.invoice_contract(SYSTEM, contract.id, now=AFTER)
    statement = invoices.issue_statement(SYSTEM, contract.id, now=AFTER)
    assert invoice is not None
    assert statement is not None
    return invoice, statement


def funds(stage: Stage) -> tuple[int, int, int]:
    found = books.funds(stage.buyer.id, "CNY")
    return found.balance_minor, found.held_minor, found.available_minor


def plain(quantity: Decimal) -> str:
    return f"{quantity:f}".rstrip("0").rstrip(".")


def test_the_lab_is_invoiced_what_was_delivered_and_pays_from_its_wallet() -> None:
    stage = delivery.stage()
    contract = sign_b1(stage)
    assert funds(stage) == (600_000, 390_555, 209_445)
    deliver_b1(stage, contract)
    invoice, _ = finish(contract)

    lines = [
        (
            line.description,
            f"{line.quantity:f}".rstrip("0").rstrip("."),
            line.unit,
            line.price_micros,
            line.amount_minor,
        )
        for line in invoice.lines.all()
    ]
    assert lines == [
        ("Ascend 910B3, Zhangjiakou, round price 9.00", "192", "card_hours", 9_000_000, 172_800),
        ("Ascend 910B3, Zhangjiakou, round price 10.00", "188", "card_hours", 10_000_000, 188_000),
        ("Egress", "125.5", "egress_gb", 500_000, 6_275),
        ("SLA credit, 4 card-hours not delivered on 2026-05-11 13:00-14:00", "10", "percent", None, -400),
        ("Exchange fee", "1", "percent", None, 3_608),
    ]
    assert (invoice.net_minor, invoice.tax_minor, invoice.total_minor) == (370_283, 22_217, 392_500)
    assert (invoice.number, invoice.status, invoice.paid_minor) == ("INV-2026-000001", "paid", 392_500)
    assert funds(stage) == (207_500, 0, 207_500)
    contract.refresh_from_db()
    assert (contract.status, contract.held_minor) == ("settled", 0)


def test_the_provider_is_stated_the_same_supply_less_commission_and_waits_for_the_dispute_window() -> None:
    stage = delivery.stage()
    contract = sign_b1(stage)
    deliver_b1(stage, contract)
    _, statement = finish(contract)

    assert [line.amount_minor for line in statement.lines.all()] == [172_800, 188_000, 6_275, -400, -14_683]
    assert (statement.net_minor, statement.tax_minor, statement.total_minor) == (351_992, 21_120, 373_112)
    assert statement.number == "STM-2026-000001"
    release = StatementRelease.objects.get(statement_id=statement.id)
    assert release.amount_minor == 373_112
    assert (release.due_at - delivery.at(24)).days == 7


def test_the_ledger_after_both_contracts_is_the_month_of_the_story() -> None:
    first = delivery.stage()
    second = delivery.another("Zhangbei Green DC", "Lanting Robotics", first)
    b1 = sign_b1(first)
    delivery.fund(second.buyer, 200_000)
    b2 = delivery.contract(second, [delivery.slot(second, 8, 20, 12, 10_000_000)])
    deliver_b1(first, b1)
    metered = delivery.point(b2, second.offering)
    delivery.report(second, [delivery.segment(metered, "s1", 8, 20, 12)])

    invoices_and_statements = [finish(b1), finish(b2)]
    assert [invoice.total_minor for invoice, _ in invoices_and_statements] == [392_500, 154_166]
    assert [statement.total_minor for _, statement in invoices_and_statements] == [373_112, 146_534]

    balance = books.trial_balance("CNY")
    by_code = {row.code: -row.balance_minor for row in balance.rows}
    revenue = by_code[Code.CAPACITY_REVENUE] + by_code[Code.SLA_CREDITS] + by_code[Code.FEE_INCOME]
    cost = -(by_code[Code.COST_OF_CAPACITY] + by_code[Code.SLA_CLAWBACK])
    assert (revenue, by_code[Code.OUTPUT_VAT]) == (515_723, 30_943)
    assert (cost, -by_code[Code.INPUT_VAT], by_code[Code.PAYABLE_PENDING]) == (490_232, 29_414, 519_646)
    assert revenue - cost == 25_491
    assert balance.difference_minor == 0
