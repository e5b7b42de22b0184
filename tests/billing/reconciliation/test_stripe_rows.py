"""Our Stripe balance is compared with the books row by row, both ways, and sound books show no difference."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from accounts.foundation import clock, ids
from billing.bank import services as bank
from billing.cards import refunds
from billing.connect import services as connect
from billing.gateway import balance, own_payouts
from billing.gateway.models import StripePayout
from billing.journals.rules import Entry, JournalKind
from billing.ledger import queries as books
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Source, credit, debit
from billing.payments import services as payments
from billing.payments import stripe_receipts, suspense
from billing.payments.models import BankReceipt
from billing.payments.rules import ReceiptStatus
from billing.payouts import paying, tasks, transfers
from billing.reconciliation import bank as bank_rows
from billing.reconciliation import runs, services, stripe_rows
from billing.reconciliation.models import Break
from billing.reconciliation.rules import ItemKind
from catalog.measures.money import Money
from tests.billing.bank.files import ACCOUNT, HEADER
from tests.billing.cards import cast as cards
from tests.billing.ledger.books import NOW, check_deferred
from tests.billing.payments.cast import line
from tests.billing.payouts import cast as payouts
from tests.billing.payouts.cast import MONDAY
from tests.billing.reconciliation import desk as desks
from tests.billing.reconciliation.planted import moved
from tests.stripe.server import Wire

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=3)


def csv_text(rows: Sequence[tuple[str, date, str, str]]) -> str:
    """Return a statement of rows (the bank's id, day, amount, counterparty)."""
    lines = [f"{ACCOUNT},{reference},{on},{amount},CNY,{party},," for reference, on, amount, party in rows]
    return "\n".join([HEADER, *lines])


def kinds(now: object = LATER) -> list[str]:
    return [str(one.kind) for one in stripe_rows.differences(now)]  # type: ignore[arg-type]


def test_payments_refunds_disputes_and_payouts_match_row_by_row(stripe_wire: Wire) -> None:
    buyers = cards.make()
    simulator = stripe_wire.simulator
    paid = cards.paid(buyers, stripe_wire)
    refund = refunds.request(buyers.clerk, paid.id, Money(20_000, "CNY"), reason="x", now=NOW)
    refund = refunds.push(refund.id, now=NOW)
    simulator.finish_refund(refund.stripe_id, fails=True)
    refunds.refresh_by_stripe_id(refund.stripe_id, now=NOW)
    simulator.pass_time(timedelta(days=2))
    sent = simulator.pay_out_automatically()
    balance.pull(now=NOW + timedelta(days=2))
    (own,) = own_payouts.discover(now=NOW + timedelta(days=2))
    assert (own.stripe_id, own.status) == (sent["id"], "paid")
    check_deferred()
    assert kinds() == []
    assert stripe_rows.fees(LATER, 9) == stripe_rows.payout_rows(LATER, 9) == []
    for code in (Code.STRIPE_CLEARING, Code.STRIPE_AVAILABLE):
        assert books.balance(code, "CNY") == 0
    assert books.balance(Code.BANK, "CNY") == sent["amount"] == StripePayout.objects.get().amount_minor
    simulator.land_payout(sent["id"], fails=True)
    (own,) = own_payouts.discover(now=NOW + timedelta(days=2))
    assert (own.status, books.balance(Code.BANK, "CNY")) == ("failed", 0)
    assert own_payouts.discover(now=NOW + timedelta(days=2)) == [own]


def test_transfers_and_what_came_back_of_them_match(stripe_wire: Wire) -> None:
    _, payout = payouts.sent_through_stripe(stripe_wire, 50_000)
    transfer = connect.locked_transfer_of(payout.id)
    stripe_wire.simulator.pass_time(MONDAY - NOW)
    only_the_fund = ["stripe_not_in_ledger"]  # the balance's top-up by hand
    with clock.travel(MONDAY):
        tasks.send_transfer(str(transfer.id), {}, renew=lambda: None)
        transfer.refresh_from_db()
        balance.pull(now=MONDAY)
        assert kinds(MONDAY + timedelta(hours=2)) == only_the_fund
        stripe_wire.simulator.land_payout(transfer.payout_stripe_id, fails=True)
        connect.refresh(transfer.id, now=MONDAY)
        transfers.follow(payout.id, now=MONDAY)
        tasks.reverse_transfer(str(transfer.reversals.get().id), {}, renew=lambda: None)
        assert kinds(MONDAY + timedelta(hours=2)) == [*only_the_fund, "ledger_not_at_stripe"]
        balance.pull(now=MONDAY)
    assert kinds(MONDAY + timedelta(hours=2)) == only_the_fund


def test_a_row_without_a_posting_is_settled_by_an_entry_of_two_people() -> None:
    desk = desks.make()
    balance.take(moved("txn_fee", "fee", "", -500), now=NOW)
    runs.run(desk.clerk, now=LATER)
    row = Break.objects.get(kind=ItemKind.STRIPE_NOT_IN_LEDGER)
    entry = [Entry(Code.PROCESSING_FEES, 500), Entry(Code.STRIPE_CLEARING, -500)]
    services.propose_settlement(desk.clerk, row.id, JournalKind.ADJUSTMENT, entry, "Monthly fee.", now=LATER)
    services.approve_settlement(desk.approver, row.id, now=LATER)
    assert kinds(LATER + timedelta(hours=2)) == []
    assert (books.balance(Code.STRIPE_CLEARING, "CNY"), books.balance(Code.STRIPE_AVAILABLE, "CNY")) == (0, -500)


def test_a_posting_that_stripe_does_not_know_is_taken_back_and_is_no_second_difference() -> None:
    desk = desks.make()
    lines = [debit(Code.STRIPE_AVAILABLE, 700), credit(Code.PROMOTION, 700)]
    ledger.post(Source("gift", ids.new_id(), "x"), lines, currency="CNY", effective_at=NOW, now=NOW)
    runs.run(desk.clerk, now=LATER)
    row = Break.objects.get(kind=ItemKind.LEDGER_NOT_AT_STRIPE)
    entry = [Entry(Code.PROMOTION, 700), Entry(Code.STRIPE_AVAILABLE, -700)]
    services.propose_settlement(desk.clerk, row.id, JournalKind.ADJUSTMENT, entry, "A mistake.", now=LATER)
    services.approve_settlement(desk.approver, row.id, now=LATER)
    assert kinds(LATER + timedelta(hours=2)) == ["ledger_not_at_stripe"]  # the first one, which is settled
    made = runs.run(desk.clerk, now=LATER + timedelta(hours=2))
    assert not Break.objects.filter(kind=ItemKind.LEDGER_NOT_AT_STRIPE, status="open").exists()
    assert made.settled_count >= 1


@pytest.mark.parametrize("known_first", [True, False])
def test_what_stripe_sent_is_known_again_in_the_statement_and_debited_once(
    stripe_wire: Wire, *, known_first: bool
) -> None:
    desk = desks.make()
    stripe_wire.simulator.fund(70_000)
    sent = stripe_wire.simulator.pay_out_automatically()
    text = csv_text([("S-1", NOW.date(), "700.00", "STRIPE PAYMENTS")])
    if known_first:
        own_payouts.discover(now=NOW)
    bank.import_statement(desk.clerk, text, file_name="may.csv", now=NOW)
    if not known_first:
        assert books.balance(Code.SUSPENSE, "CNY") == -70_000
        (own,) = own_payouts.discover(now=NOW)
        assert stripe_receipts.match_waiting(own, now=NOW)
        assert not stripe_receipts.match_waiting(own, now=NOW)
    receipt = BankReceipt.objects.get()
    assert (receipt.status, receipt.stripe_payout and receipt.stripe_payout.stripe_id) == (
        ReceiptStatus.MATCHED, sent["id"],
    )  # fmt: skip
    assert (books.balance(Code.BANK, "CNY"), books.balance(Code.SUSPENSE, "CNY")) == (70_000, 0)
    assert bank_rows.not_in_ledger(LATER, 9) == bank_rows.not_in_bank(NOW + timedelta(days=9), 9) == []


def test_the_statement_is_compared_both_ways_money_out_as_well() -> None:
    cast = payouts.make()
    payouts.owe(cast, 373_112)
    paid = payouts.approved(cast)
    paying.send(cast.clerk, paid.id, now=MONDAY)
    paying.confirm(cast.clerk, paid.id, "OUT-1", now=MONDAY)
    typed = payments.record_receipt(cast.clerk, replace(line(5_000, "thank you"), value_date=MONDAY.date()), now=MONDAY)
    suspense.give_back(cast.clerk, typed.id, reason="nobody's", now=MONDAY)
    late = MONDAY + timedelta(days=8)
    assert [item.amount_minor for item in bank_rows.not_in_bank(late, 9)] == [-5_000]
    day = MONDAY.date()
    rows = [("BACK-1", day, "-50.00", "Somebody"), ("OUT-2", day, "-9.99", "Bank"), ("LAST", day, "0.01", "Somebody")]
    text = csv_text([*rows, ("FIRST", day - timedelta(days=1), "0.02", "Somebody")])
    bank.import_statement(cast.clerk, text, file_name="may.csv", now=MONDAY)
    # The payout and the typed receipt should be on the statement of that day; a fee of the bank is in no posting.
    assert {item.amount_minor for item in bank_rows.not_in_bank(late, 9)} == {-373_112, 5_000}
    assert [(item.amount_minor, item.subject_type) for item in bank_rows.not_in_ledger(late, 9)] == [
        (-999, "bank_entry")
    ]
    text = csv_text([("OUT-1", day, "-3731.12", "Huailai"), (typed.bank_reference, day, "50.00", "Somebody")])
    bank.import_statement(cast.clerk, text, file_name="more.csv", now=MONDAY)
    assert bank_rows.not_in_bank(late, 9) == []
