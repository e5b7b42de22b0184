"""Documents in every situation of a contract's life: in parts, twice, on credit, with nothing delivered, corrected."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts.actors.errors import NotAllowed
from accounts.foundation import clock, ids
from accounts.jobs.models import Job
from billing.contracts import services as contracts
from billing.contracts.errors import NoSuchContract
from billing.contracts.models import Contract
from billing.contracts.rules import TerminationReason
from billing.invoices import months, tasks
from billing.invoices import services as invoices
from billing.invoices.errors import ContractNotOver, NothingToInvoice
from billing.invoices.models import BilledCharge, Invoice
from billing.ledger import queries as books
from billing.ledger.chart import Code
from billing.ledger.models import LedgerTransaction
from billing.ledger.rules import Source
from billing.rating.models import Charge
from billing.usage.models import MeteringPoint
from tests.billing import delivery
from tests.billing.delivery import AFTER, DAY, SYSTEM, Stage
from tests.catalog import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Stage:
    stage = delivery.stage()
    delivery.fund(stage.buyer, 100_000)
    return stage


def signed(stage: Stage, *, prepaid: bool = True) -> tuple[Contract, MeteringPoint]:
    """Ten hours of four cards at 10.00: a value of 400.00."""
    contract = delivery.contract(stage, [delivery.slot(stage, 0, 10, 4, 10_000_000)], prepaid=prepaid)
    return contract, delivery.point(contract, stage.offering)


def ended(contract: Contract) -> tuple[Invoice | None, Invoice | None]:
    contracts.end(SYSTEM, contract.id, now=AFTER)
    invoice = invoices.invoice_contract(SYSTEM, contract.id, now=AFTER)
    return invoice, invoices.issue_statement(SYSTEM, contract.id, now=AFTER)


def available(stage: Stage) -> tuple[int, int]:
    funds = books.funds(stage.buyer.id, "CNY")
    return funds.balance_minor, funds.held_minor


def test_invoices_on_demand_and_the_last_one_bill_every_charge_once(stage: Stage) -> None:
    contract, metered = signed(stage)
    delivery.report(stage, [delivery.segment(metered, "s1", 0, 4, 4), delivery.reading(metered, "e1", 0, 4, "10")])
    first = invoices.invoice_on_demand(stage.trader, contract.id, now=AFTER)
    delivery.report(stage, [delivery.segment(metered, "s2", 4, 9, 4)])
    last, statement = ended(contract)

    assert last is not None
    assert statement is not None
    amounts = [[line.amount_minor for line in document.lines.all()] for document in (first, last, statement)]
    assert amounts == [[16_000, 500, 160], [20_000, -400, 200], [36_000, 500, -400, -1_460]]
    assert (first.contract_n, last.contract_n, statement.contract_n) == (1, 2, 1)
    assert BilledCharge.objects.count() == 2 * Charge.objects.count()


def test_an_invoice_on_demand_takes_extras_from_the_wallet_and_leaves_the_rest_of_the_hold(stage: Stage) -> None:
    contract, metered = signed(stage)
    assert available(stage) == (100_000, 42_824)
    delivery.report(stage, [delivery.segment(metered, "s1", 0, 5, 4), delivery.reading(metered, "e1", 0, 4, "10")])
    invoice = invoices.invoice_on_demand(stage.trader, contract.id, now=AFTER)
    assert invoice.total_minor == 20_000 + 500 + 200 + 1_242
    # Half of the capacity, its fee and its tax came out of the hold; the egress and its tax did not.
    assert available(stage) == (100_000 - 21_942, 42_824 - 21_412)
    contract.refresh_from_db()
    assert contract.held_minor == 21_412


def test_a_reserve_for_extras_pays_for_them_and_keeps_the_capacity_to_come_covered(stage: Stage) -> None:
    order_id = ids.new_id()
    held = delivery.hold(stage, 42_824 + 5_000, order_id)
    contract = contracts.open_contract(
        SYSTEM,
        source=Source("order", order_id, "fill"),
        buyer_id=stage.buyer.id,
        provider_id=stage.provider.id,
        project_id=held.project_id,
        market_code="ai-cards",
        currency="CNY",
        slots=[delivery.slot(stage, 0, 10, 4, 10_000_000)],
        hold_id=held.id,
        reserve_minor=5_000,
        now=delivery.PLACED,
    )
    metered = delivery.point(contract, stage.offering)
    delivery.report(stage, [delivery.segment(metered, "s1", 0, 5, 4), delivery.reading(metered, "e1", 0, 4, "10")])
    invoice = invoices.invoice_on_demand(stage.trader, contract.id, now=AFTER)
    # All of it came out of the hold: 214.12 for capacity, fee and tax, 5.30 for egress and its tax.
    assert available(stage) == (100_000 - invoice.total_minor, 47_824 - invoice.total_minor)
    last, _ = ended(contract)
    assert last is not None
    assert available(stage)[1] == 0


def test_nothing_new_is_nothing_to_invoice(stage: Stage) -> None:
    contract, metered = signed(stage)
    with pytest.raises(NothingToInvoice):
        invoices.invoice_on_demand(stage.trader, contract.id, now=AFTER)
    delivery.report(stage, [delivery.segment(metered, "s1", 0, 4, 4)])
    invoices.invoice_on_demand(stage.trader, contract.id, now=AFTER)
    with pytest.raises(NothingToInvoice):
        invoices.invoice_on_demand(stage.trader, contract.id, now=AFTER)
    assert Invoice.objects.count() == 1


def test_the_last_invoice_waits_for_the_end_and_is_drawn_once(stage: Stage) -> None:
    contract, metered = signed(stage)
    with pytest.raises(ContractNotOver):
        invoices.invoice_contract(SYSTEM, contract.id, now=AFTER)
    delivery.report(stage, [delivery.segment(metered, "s1", 0, 10, 4)])
    invoice, statement = ended(contract)
    assert invoices.invoice_contract(SYSTEM, contract.id, now=AFTER) == invoice
    assert invoices.issue_statement(SYSTEM, contract.id, now=AFTER) == statement
    assert Invoice.objects.count() == 2
    assert LedgerTransaction.objects.filter(purpose="issue").count() == 2


def test_ending_a_contract_leaves_the_work_as_jobs_that_may_run_in_any_order_and_twice(stage: Stage) -> None:
    contract, metered = signed(stage)
    delivery.report(stage, [delivery.segment(metered, "s1", 0, 10, 4)])
    contracts.end(SYSTEM, contract.id, now=AFTER)
    contracts.end(SYSTEM, contract.id, now=AFTER)
    jobs = {job.kind: job.key for job in Job.objects.all()}
    assert jobs == {"invoice_contract": str(contract.id), "issue_statement": str(contract.id)}
    with clock.travel(AFTER):
        for handler in (tasks.issue_statement, tasks.invoice_contract) * 2:
            handler(str(contract.id), {}, renew=lambda: None)
    contract.refresh_from_db()
    assert contract.status == "settled"
    assert sorted(Invoice.objects.values_list("number", flat=True)) == ["INV-2026-000001", "STM-2026-000001"]


def test_a_provider_who_delivers_nothing_owes_the_credit_and_the_hold_is_free(stage: Stage) -> None:
    contract, _ = signed(stage)
    note, statement = ended(contract)
    assert note is not None
    assert statement is not None
    assert (note.kind, note.number, note.status) == ("credit_note", "CN-2026-000001", "paid")
    assert (note.net_minor, note.tax_minor) == (-4_000, -240)
    assert statement.total_minor == -4_240
    assert available(stage) == (104_240, 0)
    assert books.balance(Code.PAYABLE_PENDING, "CNY", stage.provider.id) == 4_240


def test_a_contract_called_off_by_both_owes_nothing_for_the_time_after(stage: Stage) -> None:
    contract, metered = signed(stage)
    delivery.report(stage, [delivery.segment(metered, "s1", 0, 5, 4)], now=delivery.at(5))
    contracts.terminate(SYSTEM, contract.id, TerminationReason.MUTUAL, now=delivery.at(5))
    invoice = invoices.invoice_contract(SYSTEM, contract.id, now=delivery.at(5))
    assert invoice is not None
    assert [line.amount_minor for line in invoice.lines.all()] == [20_000, 200]
    assert available(stage) == (100_000 - invoice.total_minor, 0)


def test_a_provider_who_fails_owes_credit_for_the_whole_rest(stage: Stage) -> None:
    contract, metered = signed(stage)
    delivery.report(stage, [delivery.segment(metered, "s1", 0, 5, 4)], now=delivery.at(5))
    contracts.terminate(SYSTEM, contract.id, TerminationReason.PROVIDER_FAILURE, now=delivery.at(5))
    invoice = invoices.invoice_contract(SYSTEM, contract.id, now=delivery.at(5))
    assert invoice is not None
    assert [line.amount_minor for line in invoice.lines.all()] == [20_000, -2_000, 200]


def test_a_correction_after_an_invoice_goes_to_the_next_one(stage: Stage) -> None:
    contract, metered = signed(stage)
    delivery.report(stage, [delivery.segment(metered, "s1", 0, 5, 4)])
    first = invoices.invoice_on_demand(stage.trader, contract.id, now=AFTER)
    delivery.report(
        stage,
        [
            delivery.reversal("r1", "s1"),
            delivery.segment(metered, "s2", 0, 5, 3),
            delivery.segment(metered, "s3", 5, 10, 4),
        ],
    )
    last, statement = ended(contract)
    assert last is not None
    assert statement is not None
    assert [line.amount_minor for line in first.lines.all()] == [20_000, 200]
    assert [line.amount_minor for line in last.lines.all()] == [15_000, -500, 150]
    assert [line.amount_minor for line in statement.lines.all()] == [35_000, -500, -1_400]
    assert available(stage)[1] == 0


def test_extras_may_take_a_wallet_below_zero_and_a_top_up_brings_it_back(stage: Stage) -> None:
    contract, metered = signed(stage)
    delivery.report(stage, [delivery.segment(metered, "s1", 0, 10, 4), delivery.reading(metered, "e1", 0, 10, "5000")])
    invoice, _ = ended(contract)
    assert invoice is not None
    assert available(stage) == (100_000 - invoice.total_minor, 0)
    assert available(stage)[0] < 0
    assert invoice.status == "paid"
    delivery.fund(stage.buyer, 500_000)
    assert books.funds(stage.buyer.id, "CNY").overdraft_minor == 0


def test_a_customer_on_credit_owes_until_the_due_day(stage: Stage) -> None:
    contract, metered = signed(stage, prepaid=False)
    delivery.report(stage, [delivery.segment(metered, "s1", 0, 10, 4)])
    invoice, _ = ended(contract)
    assert invoice is not None
    assert invoice.issued_at is not None
    assert (invoice.status, invoice.paid_minor, invoice.due_at) == (
        "issued",
        0,
        invoice.issued_at + timedelta(days=30),
    )
    assert books.balance(Code.RECEIVABLE, "CNY", stage.buyer.id) == invoice.total_minor
    assert available(stage) == (100_000, 0)


def test_a_month_end_takes_what_ended_in_the_month_and_the_rest_follows(stage: Stage) -> None:
    contract, metered = signed(stage)
    delivery.report(
        stage,
        [
            delivery.segment(metered, "s1", 0, 4, 4),
            delivery.segment(metered, "s2", 4, 10, 4),
            delivery.reading(metered, "e1", 3, 5, "10"),
        ],
    )
    counts = [invoices.invoice_months(SYSTEM, [contract.id], until=delivery.at(4), now=AFTER) for _ in range(2)]
    month = Invoice.objects.get()
    last, _ = ended(contract)
    assert counts == [1, 0]
    assert last is not None
    assert [line.amount_minor for line in month.lines.all()] == [16_000, 160]
    # The reading that spans the month's end is placed by its own end.
    assert [line.amount_minor for line in last.lines.all()] == [24_000, 500, 240]


def test_contracts_that_run_over_a_months_end_are_invoiced_for_it_once(stage: Stage) -> None:
    delivery.fund(stage.buyer, 100_000)
    contract = delivery.contract(stage, [delivery.slot(stage, 0, 24 * 25, 1, 1_000_000)])
    over, _ = signed(stage)
    contracts.end(SYSTEM, over.id, now=AFTER)
    metered = delivery.point(contract, stage.offering)
    june = datetime(2026, 5, 31, 16, tzinfo=UTC)  # midnight in Shanghai
    delivery.report(stage, [delivery.segment(metered, "s1", 0, 24 * 20, 1)], now=june)

    assert months.last_end(june) == june
    assert months.last_end(june - timedelta(seconds=1)) == datetime(2026, 4, 30, 16, tzinfo=UTC)
    assert [months.enqueue_due(now=june + timedelta(minutes=minutes)) for minutes in (59, 60, 61)] == [0, 1, 0]
    job = Job.objects.get(kind="invoice_month")
    for _ in range(2):
        tasks.invoice_month(job.key, job.payload, renew=lambda: None)
    (invoice,) = Invoice.objects.filter(contract=contract)
    assert (invoice.reason, invoice.cutoff_at, invoice.net_minor) == ("month_end", june, 48_480)


def test_a_provider_outside_of_vat_is_stated_without_tax(stage: Stage) -> None:
    from accounts.organisations import services as organisations

    small = organisations.LegalDetails("Small DC", "", "CN", "", vat_registered=False)
    organisations.record_legal_entity(
        SYSTEM, stage.provider.id, small, effective_from=delivery.PLACED - timedelta(days=1), now=delivery.PLACED
    )
    contract, metered = signed(stage)
    delivery.report(stage, [delivery.segment(metered, "s1", 0, 10, 4)])
    invoice, statement = ended(contract)
    assert invoice is not None
    assert statement is not None
    assert (invoice.tax_minor, statement.tax_minor, statement.total_minor) == (2_424, 0, 38_400)
    assert [line.tax_category for line in statement.lines.all()] == ["O", "O"]


def test_a_stranger_cannot_have_a_contract_invoiced_and_a_provider_may_not(stage: Stage) -> None:
    contract, metered = signed(stage)
    delivery.report(stage, [delivery.segment(metered, "s1", 0, 4, 4)])
    stranger = cast.acting_for(cast.organisation("Stranger", can_buy=True), cast.BUYING)
    with pytest.raises(NoSuchContract):
        invoices.invoice_on_demand(stranger, contract.id, now=AFTER)
    with pytest.raises(NotAllowed):
        invoices.invoice_on_demand(stage.seller, contract.id, now=AFTER)
    assert invoices.invoice_on_demand(stage.finance, contract.id, now=AFTER).total_minor > 0


def test_lines_say_where_they_came_from(stage: Stage) -> None:
    contract, metered = signed(stage)
    delivery.report(stage, [delivery.segment(metered, "s1", 0, 4, 4), delivery.segment(metered, "s2", 4, 9, 4)])
    invoice, _ = ended(contract)
    assert invoice is not None
    capacity, credit, fee = invoice.lines.all()
    assert capacity.source["cell"] == "zjk-1/ascend-910b3/roce"
    assert (capacity.source["charges"], capacity.source["usage_events"]) == (2, 2)
    # Nobody reported the tenth hour: there is a charge for it, and no event.
    assert (credit.source["charges"], credit.source["usage_events"]) == (1, 0)
    assert fee.source["fee_version"] == 1
    assert {line.source["terms_digest"] for line in (capacity, credit, fee)} == {contract.terms_digest}
    assert invoice.seller["legal_name"] == "Exchange"
    assert invoice.buyer["legal_name"] == "Beichen AI Lab"


def test_terms_are_those_of_the_day_of_the_contract(stage: Stage) -> None:
    from catalog.offerings import services as offerings
    from catalog.offerings.services import Rate

    contract, metered = signed(stage)
    offerings.publish_rate_card(stage.seller, stage.offering.id, [Rate("egress_gb", 900_000)], currency="CNY", now=DAY)
    delivery.report(stage, [delivery.segment(metered, "s1", 0, 10, 4), delivery.reading(metered, "e1", 0, 1, "10")])
    invoice, _ = ended(contract)
    assert invoice is not None
    assert invoice.lines.get(kind="metered").amount_minor == 500
