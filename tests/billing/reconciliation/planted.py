"""One difference of each kind, planted in May 2026 the way it could come about, or by a row that somebody wrote."""

from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction

from accounts.foundation import ids
from billing.cards.models import CardPayment
from billing.contracts import services as contracts
from billing.contracts.models import Contract
from billing.gateway import balance, facts, own_payouts
from billing.gateway.models import BalanceTransaction
from billing.invoices.models import Invoice, InvoiceLine, InvoiceSeries, InvoiceTax
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Line, Source, credit, debit
from billing.payments import services as payments
from billing.payments.models import BankReceipt
from billing.payouts import paying
from billing.rating import services as rating
from billing.usage import services as usage
from catalog.measures.money import Money
from tests.billing import delivery
from tests.billing.cast import party_of
from tests.billing.delivery import AFTER, DAY, SYSTEM, Stage
from tests.billing.ledger.books import NOW, invoice, source, top_up
from tests.billing.payments.cast import line, person
from tests.billing.payouts import cast as payees
from tests.billing.payouts.cast import DUE, MONDAY
from tests.catalog import cast as providers

TRADER: Final = "planted-trader"
ISSUER: Final = {"legal_name": "Planted Exchange"}  # of documents that nobody issued


def everything(*, recent: datetime) -> Stage:
    """Plant one of each kind. What could not be taken is remembered for five weeks only, so that is of `recent`."""
    stage = delivery.stage()
    delivery.fund(stage.buyer, 6_000_000)
    with transaction.atomic():
        _wallets(stage)
        _payables(stage)
        _contracts(stage, recent)
        _document(stage)
        _stripe(stage)
    return stage


def _post(kind: str, *lines: Line) -> None:
    ledger.post(source(kind, "plant"), lines, currency="CNY", effective_at=NOW, now=NOW)


def _wallets(stage: Stage) -> None:
    """A top-up that does not come, one credited beside its amount, receipts, an overdraft, the bank and clearing."""
    lab = party_of(stage.buyer)
    trader = person(lab, TRADER, *providers.BUYING)
    payments.request_top_up(trader, Money(70_000, "CNY"), now=NOW)
    beside = payments.request_top_up(trader, Money(80_000, "CNY"), now=NOW)
    ledger.post(
        Source("top_up", beside.id, "gift"),
        [debit(Code.BANK, 15_000), credit(Code.WALLET, 15_000, stage.buyer.id)],
        currency="CNY", effective_at=NOW, now=NOW,
    )  # fmt: skip
    payments.record_receipt(stage.finance, line(99_900, "thank you"), now=NOW)
    BankReceipt.objects.create(
        bank_reference="B-NOT-POSTED", amount_minor=33_300, currency="CNY", value_date=date(2026, 5, 1), payer="?",
        status="matched", top_up=beside, matched_at=NOW, recorded_at=NOW,
    )  # fmt: skip
    _post("gift", debit(Code.PROMOTION, 12_000), credit(Code.SUSPENSE, 12_000))
    _post("gift", debit(Code.STRIPE_CLEARING, 13_000), credit(Code.VOUCHERS, 13_000))
    overdrawn = party_of(providers.organisation("Overdrawn Lab", can_buy=True))
    top_up(overdrawn, 10_000)
    invoice(overdrawn, 25_000, extras_minor=15_000)


def _payables(stage: Stage) -> None:
    """A release that nobody made, payables posted by hand, and a payout that the bank never showed."""
    paid = payees.of(stage.provider, stage.exchange)
    payees.owe(paid, 373_112)
    paying.make_due(now=MONDAY)
    paying.approve(paid.approver, payees.the_payout().id, now=MONDAY)
    paying.send(paid.clerk, payees.the_payout().id, now=MONDAY)
    payees.state(paid, 50_000, due_at=DUE)
    for code in (Code.PAYABLE_PENDING, Code.PAYABLE_AVAILABLE):
        _post("gift", debit(Code.PROMOTION, 11_000), credit(code, 11_000, stage.provider.id))


def _contracts(stage: Stage, recent: datetime) -> None:
    """Contracts that are over: without a lease, without a report, with reports not rated, with charges not billed."""
    _over(stage, hours=(0, 1))
    silent = _over(stage, hours=(2, 3))
    delivery.point(silent, stage.offering)
    for n, rated in enumerate((False, True)):
        start = 4 + 2 * n
        agreed = _over(stage, hours=(start, start + 1))
        metered = delivery.point(agreed, stage.offering)
        delivery.report(stage, [delivery.segment(metered, f"p{n}", start, start + 1, 4)])
        if rated:
            rating.rate_pending(agreed, until=AFTER, now=AFTER)
    other = delivery.segment(metered, "p1", start, start + 1, 3)
    usage.ingest(stage.agent, [other, delivery.segment(metered, "late", start, start + 1, 4)], now=recent)


def _over(stage: Stage, *, hours: tuple[int, int]) -> Contract:
    agreed = delivery.contract(stage, [delivery.slot(stage, *hours, 4, 9_000_000)])
    contracts.begin(SYSTEM, agreed.id, now=DAY)
    return contracts.end(SYSTEM, agreed.id, now=AFTER)


def _document(stage: Stage) -> None:
    """An invoice on credit that was numbered without a posting, whose line names charges that are not there."""
    agreed = delivery.contract(stage, [delivery.slot(stage, 20, 21, 4, 9_000_000)], prepaid=False)
    delivery.point(agreed, stage.offering)
    document = Invoice.objects.create(
        kind="customer", reason="on_demand", contract=agreed, contract_n=1, side="customer", organisation=stage.buyer,
        series="INV", currency="CNY", period_start=DAY, period_end=AFTER, cutoff_at=AFTER, net_minor=20_000,
        tax_minor=1_200, total_minor=21_200, rounding="half_up", seller=ISSUER, buyer={}, created_at=AFTER,
    )  # fmt: skip
    InvoiceSeries.objects.create(entity=ISSUER["legal_name"], kind="customer", series="INV")
    InvoiceLine.objects.create(
        invoice=document, n=1, kind="capacity", description="Planted", unit="card_hours", quantity=1, raw_quantity=3600,
        raw_per_unit=3600, price_micros=200_000_000, amount_minor=20_000, tax_category="S", tax_rate_ppm=60_000,
        service_start=DAY, service_end=AFTER, source={"charges": 2},
    )  # fmt: skip
    InvoiceTax.objects.create(invoice=document, category="S", rate_ppm=60_000, base_minor=20_000, tax_minor=1_200)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE billing_invoice SET status = 'issued', year = 2025, n = 1, number = 'INV-2025-000001',"
            " digest = repeat('0', 64), issued_at = %s, due_at = %s WHERE id = %s",
            [AFTER, AFTER + timedelta(days=5), document.id],
        )


def _stripe(stage: Stage) -> None:
    """Rows of our Stripe balance that the books do not have so: none, other amounts, currencies, days and fees."""
    balance.take(moved("txn_hand", "fee", "", -500), now=NOW)
    differing: tuple[tuple[int, dict[str, Any]], ...] = (
        (19_000, {}), (20_000, {"currency": "HKD"}), (20_000, {"created_at": NOW + timedelta(days=9)}),
    )  # fmt: skip
    for n, (amount, more) in enumerate(differing):
        paid = card_payment(stage, f"ch_{n}", 20_000)
        balance.take(moved(f"txn_{n}", "charge", paid.charge_id, amount, **more), now=NOW)
    paid = card_payment(stage, "ch_fee", 20_000)
    seen = moved("txn_fee", "charge", paid.charge_id, 20_000, fee_minor=59)
    row = {name: value for name, value in asdict(seen).items() if name != "id"}
    BalanceTransaction.objects.create(stripe_id=seen.id, pulled_at=NOW, **row)
    own_payouts.take(
        facts.Payout("po_own", "paid", 5_000, "CNY", automatic=True, failure_code="", created_at=NOW,
                     arrives_on=NOW.date()), now=NOW,
    )  # fmt: skip


def moved(stripe_id: str, category: str, source_id: str, amount_minor: int, **more: Any) -> facts.Movement:
    """Return a row of our Stripe balance without a fee, which may be used at once."""
    fields: dict[str, Any] = {
        "id": stripe_id, "amount_minor": amount_minor, "fee_minor": 0, "currency": "CNY", "type": category,
        "reporting_category": category, "source_id": source_id, "status": "available", "available_on": NOW,
        "created_at": NOW, "description": "",
    } | more  # fmt: skip
    return facts.Movement(net_minor=fields["amount_minor"] - fields["fee_minor"], **fields)


def card_payment(stage: Stage, charge_id: str, amount_minor: int) -> CardPayment:
    """Credit a wallet with a card payment that succeeded."""
    payment_id = ids.new_id()
    posted = ledger.post(
        Source("card_payment", payment_id, "capture"),
        [debit(Code.STRIPE_CLEARING, amount_minor), credit(Code.WALLET, amount_minor, stage.buyer.id)],
        currency="CNY", effective_at=NOW, now=NOW,
    )  # fmt: skip
    return CardPayment.objects.create(
        id=payment_id, organisation=stage.buyer, purpose="top_up", amount_minor=amount_minor, currency="CNY",
        status="succeeded", intent_id=f"pi_{charge_id}", charge_id=charge_id, transaction=posted, created_at=NOW,
        succeeded_at=NOW,
    )  # fmt: skip
