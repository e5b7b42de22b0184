"""Invoices on credit are collected from the card that their buyer has chosen."""

from datetime import timedelta

import pytest

from billing.cards import collecting, methods, services
from billing.cards.errors import NothingToCollect
from billing.cards.models import CardPayment
from billing.cards.rules import PaymentStatus
from billing.invoices import paying
from billing.invoices import services as invoices
from billing.invoices.models import Invoice
from billing.invoices.rules import InvoiceStatus
from billing.ledger import queries as books
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Source, credit, debit
from tests.billing import delivery
from tests.billing.cards.cast import BACK
from tests.billing.delivery import AFTER, Stage
from tests.billing.ledger.books import check_deferred
from tests.stripe.server import Wire

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Stage:
    return delivery.stage()


@pytest.fixture
def owed(stage: Stage) -> Invoice:
    """An invoice on credit."""
    agreed = delivery.contract(stage, [delivery.slot(stage, 0, 1, 16, 9_000_000)], prepaid=False)
    metered = delivery.point(agreed, stage.offering)
    delivery.report(stage, [delivery.segment(metered, "e1", 0, 1, 16)])
    invoice = invoices.invoice_on_demand(stage.finance, agreed.id, now=AFTER)
    assert invoice.status == InvoiceStatus.ISSUED
    return invoice


def card(stage: Stage, wire: Wire, *, declines: str = "") -> None:
    setup = methods.request_setup(stage.trader, currency="CNY", return_to=BACK, now=AFTER)
    setup = methods.push_setup(setup.id, currency="CNY", now=AFTER)
    saved = wire.simulator.save_method(setup.session_id, declines=declines)
    methods.refresh_by_session(setup.session_id, now=AFTER)
    setup.refresh_from_db()
    assert setup.method is not None
    assert setup.method.stripe_id == saved["id"]
    methods.choose_for_invoices(stage.trader, setup.method.id, now=AFTER)


def receivable(invoice: Invoice) -> int:
    return books.balance(Code.RECEIVABLE, "CNY", invoice.organisation_id)


def test_an_invoice_is_collected_and_paid(stage: Stage, owed: Invoice, stripe_wire: Wire) -> None:
    card(stage, stripe_wire)
    assert receivable(owed) == owed.total_minor
    payment = services.collect_invoice(stage.finance, owed.id, now=AFTER)
    payment = services.push(payment.id, now=AFTER)
    check_deferred()
    owed.refresh_from_db()
    assert (payment.status, owed.status, owed.paid_minor) == (
        PaymentStatus.SUCCEEDED,
        InvoiceStatus.PAID,
        owed.total_minor,
    )
    assert receivable(owed) == 0
    assert books.balance(Code.STRIPE_CLEARING, "CNY") == owed.total_minor
    with pytest.raises(NothingToCollect, match="Nothing is open"):
        services.collect_invoice(stage.finance, owed.id, now=AFTER)


def test_a_declined_card_leaves_the_invoice_open_and_may_be_tried_again(
    stage: Stage, owed: Invoice, stripe_wire: Wire
) -> None:
    card(stage, stripe_wire, declines="insufficient_funds")
    payment = services.push(services.collect_invoice(stage.trader, owed.id, now=AFTER).id, now=AFTER)
    assert (payment.status, payment.failure) == (PaymentStatus.FAILED, "Your card was declined.")
    owed.refresh_from_db()
    assert (owed.status, receivable(owed)) == (InvoiceStatus.ISSUED, owed.total_minor)
    card(stage, stripe_wire)
    payment = services.push(services.collect_invoice(stage.trader, owed.id, now=AFTER).id, now=AFTER)
    assert payment.status == PaymentStatus.SUCCEEDED
    assert CardPayment.objects.filter(invoice=owed).count() == 2


def test_an_invoice_is_collected_once_at_a_time(stage: Stage, owed: Invoice, stripe_wire: Wire) -> None:
    card(stage, stripe_wire)
    services.collect_invoice(stage.finance, owed.id, now=AFTER)
    with pytest.raises(NothingToCollect, match="being collected already"):
        services.collect_invoice(stage.finance, owed.id, now=AFTER)


def test_without_a_chosen_card_nothing_is_collected(stage: Stage, owed: Invoice, stripe_wire: Wire) -> None:
    with pytest.raises(NothingToCollect, match="no saved method"):
        services.collect_invoice(stage.finance, owed.id, now=AFTER)


def test_what_an_invoice_does_not_need_any_more_goes_to_the_wallet(
    stage: Stage, owed: Invoice, stripe_wire: Wire
) -> None:
    card(stage, stripe_wire)
    payment = services.collect_invoice(stage.finance, owed.id, now=AFTER)
    # The customer has paid most of it by bank meanwhile.
    paid = paying.pay(owed.id, owed.total_minor - 100, now=AFTER)
    ledger.post(
        Source("bank_receipt", owed.id, "test"),
        [debit(Code.BANK, paid), credit(Code.RECEIVABLE, paid, owed.organisation_id)],
        currency="CNY",
        effective_at=AFTER,
        now=AFTER,
    )
    services.push(payment.id, now=AFTER)
    check_deferred()
    owed.refresh_from_db()
    assert (owed.status, receivable(owed)) == (InvoiceStatus.PAID, 0)
    assert books.funds(owed.organisation_id, "CNY").balance_minor == owed.total_minor - 100


def test_due_invoices_collect_themselves_and_a_declined_card_is_tried_again_some_days(
    stage: Stage, owed: Invoice, stripe_wire: Wire
) -> None:
    card(stage, stripe_wire, declines="insufficient_funds")
    assert owed.due_at is not None
    assert collecting.collect_due(now=owed.due_at - timedelta(seconds=1)) == 0
    begun = []
    for day in range(6):
        now = owed.due_at + timedelta(days=day)
        begun.append((collecting.collect_due(now=now), collecting.collect_due(now=now)))
        for payment in CardPayment.objects.filter(status=PaymentStatus.PREPARING):
            services.push(payment.id, now=now)
    assert begun == [(1, 0)] * 4 + [(0, 0)] * 2
