"""The invoice run: many contracts as sets are billed as if one by one, and one that fails keeps no other waiting."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.jobs.models import Job
from accounts.organisations import services as organisations
from billing.contracts.models import Contract
from billing.invoices import months, tasks
from billing.invoices import services as invoices
from billing.invoices.models import Invoice, InvoiceLine
from billing.ledger import services as ledger
from billing.ledger.errors import HoldTooSmall
from billing.ledger.models import Account, Hold
from billing.pricing import services as pricing
from billing.pricing.models import Voucher
from billing.pricing.services import VoucherSpec
from catalog.measures.money import Money
from config.audit.checks import ALL
from tests.billing import delivery
from tests.billing.delivery import AFTER, PLACED, SYSTEM, Stage

pytestmark = pytest.mark.django_db
UNTIL = delivery.at(6)


@pytest.fixture
def stage() -> Stage:
    return delivery.stage()


def running(stage: Stage, name: str, *, prepaid: bool = True, units: int = 4, egress: str = "") -> Contract:
    """Sign a contract of ten hours of which seven are delivered, the last before the month's end short."""
    contract = delivery.contract(stage, [delivery.slot(stage, 0, 10, units, 10_000_000)], prepaid=prepaid)
    metered = delivery.point(contract, stage.offering)
    reports = [
        delivery.segment(metered, f"{name}-1", 0, 5, units),
        delivery.segment(metered, f"{name}-2", 5, 6, units - 1),
        delivery.segment(metered, f"{name}-3", 6, 7, units),
    ]
    if egress:
        reports.append(delivery.reading(metered, f"{name}-e", 1, 3, egress))
    delivery.report(stage, reports)
    return contract


def everything() -> dict[str, Any]:
    """Return what a run has to leave behind, whichever way it went."""
    balances: dict[Any, list[int]] = {}
    for code, owner, *sums in Account.objects.values_list(
        "code", "organisation_id", "balance_minor", "held_minor", "overdraft_minor"
    ):
        before = balances.setdefault((code, owner), [0, 0, 0])  # the rows of a sharded account together
        balances[code, owner] = [old + new for old, new in zip(before, sums, strict=True)]
    return {
        "documents": list(
            Invoice.objects.order_by("n").values_list(
                "number", "contract", "net_minor", "tax_minor", "status", "paid_minor", "due_at"
            )
        ),
        "lines": list(
            InvoiceLine.objects.order_by("invoice__n", "n").values_list(
                "invoice__n", "n", "description", "raw_quantity", "price_micros", "amount_minor"
            )
        ),
        "balances": balances,
        "holds": list(Hold.objects.order_by("id").values_list("id", "amount_minor", "captured_minor")),
        "contracts": list(Contract.objects.order_by("id").values_list("id", "held_minor")),
        "vouchers": list(Voucher.objects.order_by("id").values_list("code", "used_minor")),
    }


def unsound() -> list[str]:
    """Return which invariants of bills and books fail, but for the chain (L7) and top-ups (L8), which are not here."""
    with connection.cursor() as cursor:
        codes = [one.code for one in ALL if one.code[0] in "ILVW" and one.check(cursor).violations]
    return [code for code in codes if code not in {"L7", "L8"}]


@pytest.mark.parametrize("spare_minor", [0, 40_00, 900_00])
def test_many_at_once_are_billed_as_each_would_be_alone(stage: Stage, spare_minor: int) -> None:
    held_minor = sum(units * 10_000 for units in (4, 2, 7, 1, 4))
    delivery.fund(stage.buyer, held_minor * 10706 // 10000 + 100 + spare_minor)
    other = delivery.another("Other DC", "Lanting Robotics", stage)
    delivery.fund(other.buyer, 100_000)
    worth = VoucherSpec(stage.buyer.id, "V-1", Money(250_00, "CNY"), PLACED, AFTER + timedelta(days=1))
    pricing.issue_voucher(stage.finance, worth, now=PLACED)
    contracts = [
        running(stage, "a"),
        running(stage, "b", units=2, egress="500"),
        running(stage, "c", prepaid=False, egress="9"),
        running(stage, "d", units=7, egress="2000"),  # beyond what is held
        running(other, "e", egress="1.5"),
        running(stage, "f", units=1, egress="0.001"),
        delivery.contract(stage, [delivery.slot(stage, 0, 10, 4, 10_000_000)]),  # nothing was reported
    ]
    contract_ids = sorted(contract.id for contract in contracts)

    def run(batches: Sequence[Sequence[Any]]) -> dict[str, Any]:
        with transaction.atomic():
            counts = [invoices.invoice_months(SYSTEM, batch, until=UNTIL, now=AFTER) for batch in batches]
            left = everything() | {"count": sum(counts), "unsound": unsound()}
            transaction.set_rollback(True)
        return left

    together, alone = run([contract_ids]), run([[one] for one in contract_ids])

    assert together == alone
    assert together["count"] == 6
    assert together["unsound"] == []


def test_one_that_cannot_be_billed_keeps_no_other_waiting(stage: Stage) -> None:
    delivery.fund(stage.buyer, 900_000)
    contracts = [running(stage, name) for name in ("a", "b", "c")]
    spoilt = contracts[1]
    assert spoilt.hold_id is not None
    ledger.change_hold(spoilt.hold_id, by_minor=-spoilt.held_minor, now=AFTER)  # the contract does not know

    contract_ids = [contract.id for contract in contracts]
    with pytest.raises(HoldTooSmall):
        invoices.invoice_months(SYSTEM, contract_ids, until=UNTIL, now=AFTER)

    assert list(Invoice.objects.order_by("n").values_list("number", "contract")) == [
        ("INV-2026-000001", contracts[0].id),
        ("INV-2026-000002", contracts[2].id),
    ]


def test_a_month_is_cut_into_jobs_once_and_each_may_run_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(months, "SLICE", 2)
    delivery.fund(stage.buyer, 900_000)
    until = months.last_end(delivery.DAY + timedelta(days=25))
    contracts = [delivery.contract(stage, [delivery.slot(stage, 0, 24 * 25, 1, 10_000)]) for _ in range(3)]
    for contract in contracts:
        metered = delivery.point(contract, stage.offering)
        delivery.report(stage, [delivery.segment(metered, f"{contract.id}", 0, 24 * 20, 1)], now=until)

    assert [months.enqueue_due(now=until + minutes * timedelta(minutes=1)) for minutes in (60, 61)] == [2, 0]
    for job in Job.objects.filter(kind=months.KIND):
        for _ in range(2):
            tasks.invoice_month(job.key, job.payload, renew=lambda: None)
    assert sorted(Invoice.objects.values_list("contract", "n")) == sorted(
        zip((contract.id for contract in contracts), (1, 2, 3), strict=True)
    )


def test_each_legal_entity_numbers_its_documents_from_one(stage: Stage) -> None:
    delivery.fund(stage.buyer, 900_000)
    before = running(stage, "a")
    successor = organisations.LegalDetails("Exchange Two", "TAX Two", "CN", "2 Test Road", vat_registered=True)
    organisations.record_legal_entity(
        SYSTEM, stage.exchange.id, successor, effective_from=PLACED - timedelta(hours=1), now=PLACED
    )
    contract_ids = [before.id, running(stage, "b").id, running(stage, "c").id]

    invoices.invoice_months(SYSTEM, contract_ids, until=UNTIL, now=AFTER)

    issued = Invoice.objects.order_by("series", "n")
    assert [(one.number, one.seller["legal_name"]) for one in issued] == [
        ("INV-2026-000001", "Exchange"),
        ("INV2-2026-000001", "Exchange Two"),
        ("INV2-2026-000002", "Exchange Two"),
    ]
    assert unsound() == []
