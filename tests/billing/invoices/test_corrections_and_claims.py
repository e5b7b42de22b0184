"""Credit notes, reminders, disputes and claims given up: what they change, and what they refuse."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from accounts.actors.actor import Actor, Capability
from accounts.actors.errors import NotAllowed
from accounts.events.models import Event
from accounts.organisations.rules import Role
from billing.budgets.models import ProjectBudget
from billing.contracts import services as contracts
from billing.documents import cii
from billing.exports import costs
from billing.invoices import acts, claims, corrections
from billing.invoices import services as invoices
from billing.invoices.errors import (
    CreditTooLarge,
    DisputeNotCredited,
    DisputeTooLate,
    InvoiceMoveRefused,
    NoSuchDispute,
    NoSuchInvoice,
    NoSuchWriteOff,
    NothingToCredit,
    OwnWriteOff,
)
from billing.invoices.models import Invoice, InvoiceDispute
from billing.invoices.rules import InvoiceKind, InvoiceStatus, Resolution, Side
from billing.ledger import queries as books
from billing.ledger.chart import Code
from billing.pricing import services as pricing
from billing.pricing.services import VoucherSpec
from billing.wallets import services as wallets
from catalog.measures.money import Money
from config.audit.checks import ALL
from tests.accounts import cast as people
from tests.billing import delivery
from tests.billing.delivery import AFTER, PLACED, Stage
from tests.catalog import cast

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def stage() -> Stage:
    stage = delivery.stage()
    delivery.fund(stage.buyer, 200_000)
    return stage


def billed(stage: Stage, *, prepaid: bool = True, series: str = "a") -> tuple[Invoice, Invoice]:
    """Ten hours of four cards at 10.00, one hour short by two cards, and 10 GB at 0.50."""
    agreed = delivery.contract(stage, [delivery.slot(stage, 0, 10, 4, 10_000_000)], prepaid=prepaid)
    metered = delivery.point(agreed, stage.offering)
    reports = [
        delivery.segment(metered, f"{series}-s1", 0, 9, 4),
        delivery.segment(metered, f"{series}-s2", 9, 10, 2),
        delivery.reading(metered, f"{series}-e1", 0, 4, "10"),
    ]
    delivery.report(stage, reports)
    contracts.end(delivery.SYSTEM, agreed.id, now=AFTER)
    invoice = invoices.invoice_contract(delivery.SYSTEM, agreed.id, now=AFTER)
    statement = invoices.issue_statement(delivery.SYSTEM, agreed.id, now=AFTER)
    assert invoice is not None
    assert statement is not None
    return invoice, statement


def billed_costs(stage: Stage) -> dict[str, int]:
    """Return what the rows of the FOCUS export come to by document, in minor units."""
    sums: dict[str, int] = {}
    for row in costs.rows(stage.buyer, costs.Month(AFTER.year, AFTER.month)):
        number = row.document.number
        sums[number] = sums.get(number, 0) + int(row.billed * 100)
    return sums


def person(stage: Stage, name: str, *capabilities: Capability) -> Actor:
    user = people.member(stage.exchange, name, Role.FINANCE_OPERATOR)
    return Actor(stage.exchange.id, user.id, None, frozenset(capabilities), name)


def balance(stage: Stage) -> int:
    return books.funds(stage.buyer.id, "CNY").balance_minor


def unsound() -> list[str]:
    """Return which invariants of bills and books fail, but for the chain (L7) and top-ups (L8), which are not here."""
    with connection.cursor() as cursor:
        return [
            one.code
            for one in ALL
            if one.code[0] in "ILPUW" and one.code not in {"L7", "L8"} and one.check(cursor).violations
        ]


def names() -> list[str]:
    return list(Event.objects.order_by("id").values_list("type", flat=True))


def test_a_note_over_everything_leaves_the_books_as_if_nothing_had_been_billed(stage: Stage) -> None:
    invoice, _ = billed(stage)

    note = corrections.credit_invoice(
        stage.finance, invoice.id, reason="Billed in error", now=AFTER, provider_bears_it=True
    )

    invoice.refresh_from_db()
    assert note.number == "CN-2026-000001"
    assert note.corrects == invoice
    assert billed_costs(stage) == {document.number: document.total_minor for document in (invoice, note)}
    assert (note.net_minor, note.tax_minor) == (-invoice.net_minor, -invoice.tax_minor)
    assert (invoice.paid_minor, invoice.credited_minor) == (0, invoice.total_minor)
    assert balance(stage) == 200_000
    for code in (Code.CAPACITY_REVENUE, Code.FEE_INCOME, Code.SLA_CREDITS, Code.OUTPUT_VAT, Code.COST_OF_CAPACITY):
        assert books.balance(code, "CNY") == 0, code
    assert books.balance(Code.PAYABLE_PENDING, "CNY") == 0
    assert Invoice.objects.get(kind=InvoiceKind.PROVIDER_CREDIT).number == "SCN-2026-000001"
    assert unsound() == []


def test_notes_in_parts_take_back_the_tax_to_the_last_coin_and_no_more(stage: Stage) -> None:
    invoice, _ = billed(stage)
    for amount in (3_33, 3_33, 3_33):
        corrections.credit_invoice(stage.finance, invoice.id, reason="Part", amounts_minor={1: amount}, now=AFTER)
    rest = corrections.credit_invoice(stage.finance, invoice.id, reason="The rest", now=AFTER)

    invoice.refresh_from_db()
    assert invoice.credited_minor == invoice.total_minor
    assert sum(note.tax_minor for note in invoice.notes.all()) == -invoice.tax_minor
    assert rest.number == "CN-2026-000004"
    with pytest.raises(NothingToCredit):
        corrections.credit_invoice(stage.finance, invoice.id, reason="Again", now=AFTER)
    assert unsound() == []


@pytest.mark.parametrize("amounts", [{1: 0}, {1: -5}, {1: 38_001}, {9: 1}])
def test_a_note_that_would_take_back_more_than_a_line_names_the_line(stage: Stage, amounts: dict[int, int]) -> None:
    invoice, _ = billed(stage)

    with pytest.raises(CreditTooLarge) as refused:
        corrections.credit_invoice(stage.finance, invoice.id, reason="x", amounts_minor=amounts, now=AFTER)

    problem, (n,) = refused.value.problems[0], amounts
    assert problem.pointer == f"/lines/0/{'n' if n == 9 else 'amount'}"
    assert f"line {n}" in problem.detail.lower()


def test_what_a_note_gives_back_of_an_unpaid_invoice_comes_off_the_claim(stage: Stage) -> None:
    invoice, _ = billed(stage, prepaid=False)
    before = balance(stage)

    corrections.credit_invoice(stage.finance, invoice.id, reason="Part", amounts_minor={1: 100_00}, now=AFTER)

    invoice.refresh_from_db()
    assert (invoice.credited_minor, invoice.status) == (106_00, InvoiceStatus.ISSUED)
    assert books.balance(Code.RECEIVABLE, "CNY") == invoice.total_minor - 106_00
    corrections.credit_invoice(stage.finance, invoice.id, reason="The rest", now=AFTER)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.paid_minor) == (InvoiceStatus.PAID, 0)
    assert balance(stage) == before
    assert unsound() == []


def test_lines_that_together_exceed_what_is_left_are_refused(stage: Stage) -> None:
    invoice, _ = billed(stage)
    in_full = {line.n: line.amount_minor for line in invoice.lines.all() if line.amount_minor > 0}

    with pytest.raises(CreditTooLarge, match=rf"come to 4\d\d\.\d\d; at most 4\d\d\.\d\d is left of {invoice.number}"):
        corrections.credit_invoice(stage.finance, invoice.id, reason="x", amounts_minor=in_full, now=AFTER)


@pytest.mark.parametrize("is_closed", [False, True])
def test_a_voucher_gets_back_what_its_invoice_took_or_lapses_when_it_has_ended(stage: Stage, is_closed: bool) -> None:
    ends = AFTER + DAY
    worth = VoucherSpec(stage.buyer.id, "V-1", Money(50_00, "CNY"), PLACED, ends)
    given = pricing.issue_voucher(stage.finance, worth, now=PLACED)
    invoice, _ = billed(stage)
    if is_closed:
        pricing.close_expired(delivery.SYSTEM, now=ends)
    assert books.balance(Code.VOUCHERS, "CNY") == 0

    corrections.credit_invoice(stage.finance, invoice.id, reason="All of it", now=ends)

    given.refresh_from_db()
    assert given.used_minor == 0
    assert billed_costs(stage) == {one.number: one.total_minor for one in Invoice.objects.filter(side=Side.CUSTOMER)}
    assert books.balance(Code.VOUCHERS, "CNY") == (0 if is_closed else -50_00)
    assert balance(stage) == 200_000
    assert unsound() == []


def test_the_provider_bears_what_it_supplied_less_the_commission(stage: Stage) -> None:
    invoice, statement = billed(stage)

    corrections.credit_invoice(
        stage.finance, invoice.id, reason="x", amounts_minor={1: 100_00, 4: 1_00}, now=AFTER, provider_bears_it=True
    )

    note = Invoice.objects.get(kind=InvoiceKind.PROVIDER_CREDIT)
    assert note.corrects == statement
    assert note.net_minor == -(100_00 - 4_00)  # the fee on line 4 is the exchange's own
    assert note.digest != statement.digest
    assert b">261<" in cii.document_xml(note)
    assert unsound() == []


def test_only_finance_credits_and_only_invoices_are_credited(stage: Stage) -> None:
    invoice, statement = billed(stage)
    note = corrections.credit_invoice(stage.finance, invoice.id, reason="x", amounts_minor={1: 1}, now=AFTER)

    with pytest.raises(NotAllowed):
        corrections.credit_invoice(stage.trader, invoice.id, reason="x", now=AFTER)
    with pytest.raises(InvoiceMoveRefused):
        corrections.credit_invoice(stage.finance, note.id, reason="x", now=AFTER)
    with pytest.raises(NoSuchInvoice):
        corrections.credit_invoice(stage.finance, statement.id, reason="x", now=AFTER)


def test_the_database_refuses_a_credited_sum_that_no_note_explains(stage: Stage) -> None:
    invoice, _ = billed(stage)

    def claim_a_credit() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            Invoice.objects.filter(id=invoice.id).update(credited_minor=1, paid_minor=invoice.total_minor - 1)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(IntegrityError, match="its notes come to 0"):
        claim_a_credit()


def due(invoice: Invoice) -> datetime:
    assert invoice.due_at is not None
    return invoice.due_at


def test_an_unpaid_invoice_is_past_due_and_reminded_once_a_level(stage: Stage) -> None:
    invoice, _ = billed(stage, prepaid=False)

    assert claims.run_due(now=due(invoice) - DAY) == 0
    for days in (1, 2, 4, 5, 15, 31, 60):
        claims.run_due(now=due(invoice) + days * DAY)
        claims.run_due(now=due(invoice) + days * DAY)

    invoice.refresh_from_db()
    assert invoice.status == InvoiceStatus.PAST_DUE
    assert list(invoice.reminders.order_by("level").values_list("level_id", flat=True)) == [1, 2, 3]
    assert names().count("invoice.past_due") == 1
    assert names().count("invoice.reminded") == 3
    said = [one.payload for one in Event.objects.filter(type="invoice.reminded").order_by("id")]
    assert "please pay" in said[1]["text"]
    assert "请立即付款" in said[1]["text_zh"]
    reader = Client()
    reader.force_login(people.member(stage.buyer, "viewer", Role.BUYER_VIEWER))
    assert "请立即付款" in reader.get(reverse("invoice", args=[invoice.id])).content.decode()
    # Nobody is told of a fee, for nobody is charged one.
    assert not [name for payload in said for name in payload if "fee" in name]


def test_of_levels_that_were_missed_only_the_highest_goes_out(stage: Stage) -> None:
    invoice, _ = billed(stage, prepaid=False)

    claims.run_due(now=due(invoice) + 20 * DAY)

    assert list(invoice.reminders.values_list("level_id", flat=True)) == [2]


def test_a_dispute_holds_the_reminders_until_it_is_resolved(stage: Stage) -> None:
    invoice, _ = billed(stage, prepaid=False)
    claims.dispute(stage.trader, invoice.id, reason="Two hours too many", now=AFTER + DAY)

    assert claims.run_due(now=due(invoice) + 5 * DAY) == 0
    answered = claims.resolve(
        stage.finance, invoice.id, Resolution.REJECTED, reason="The segments say so", now=due(invoice) + 5 * DAY
    )
    assert answered.status == InvoiceStatus.PAST_DUE
    assert claims.run_due(now=due(invoice) + 5 * DAY) == 1
    with pytest.raises(NoSuchDispute):
        claims.resolve(stage.finance, invoice.id, Resolution.REJECTED, reason="x", now=due(invoice) + 6 * DAY)


def test_a_dispute_that_is_resolved_in_time_leaves_the_invoice_issued(stage: Stage) -> None:
    invoice, _ = billed(stage, prepaid=False)
    claims.dispute(stage.trader, invoice.id, reason="Wrong", now=AFTER + DAY)
    corrections.credit_invoice(stage.finance, invoice.id, reason="Upheld", amounts_minor={1: 50_00}, now=AFTER + DAY)

    answered = claims.resolve(stage.finance, invoice.id, Resolution.UPHELD, reason="Credited", now=AFTER + 2 * DAY)

    assert answered.status == InvoiceStatus.ISSUED
    assert unsound() == []


def test_a_note_of_before_the_dispute_upholds_nothing_by_the_service_or_the_database(stage: Stage) -> None:
    invoice, _ = billed(stage)
    corrections.credit_invoice(stage.finance, invoice.id, reason="A slip", amounts_minor={1: 50_00}, now=AFTER)
    claims.dispute(stage.trader, invoice.id, reason="Two hours too many", now=AFTER + DAY)

    with pytest.raises(DisputeNotCredited):
        claims.resolve(stage.finance, invoice.id, Resolution.UPHELD, reason="So it is", now=AFTER + DAY)
    said = {"resolution": "upheld", "resolution_reason": "x", "resolved_by": "x", "resolved_at": AFTER + 2 * DAY}
    with pytest.raises(IntegrityError, match="no credit note"), transaction.atomic():
        InvoiceDispute.objects.update(**said)
    assert unsound() == []


def test_a_dispute_comes_in_time_and_from_the_buyer_and_leaves_a_paid_invoice_paid(stage: Stage) -> None:
    paid, _ = billed(stage)
    invoice, _ = billed(stage, prepaid=False, series="b")

    claims.dispute(stage.trader, paid.id, reason="Two hours too many", now=AFTER)
    with pytest.raises(InvoiceMoveRefused, match="disputed cannot be disputed"):
        claims.dispute(stage.trader, paid.id, reason="Again", now=AFTER)
    assert Invoice.objects.get(id=paid.id).status == InvoiceStatus.PAID
    uphold = partial(claims.resolve, stage.finance, paid.id, Resolution.UPHELD, reason="So it is")
    with pytest.raises(DisputeNotCredited, match="Credit what is upheld first"):
        uphold(now=AFTER)
    assert "uphold" not in {act.name for act in acts.offered(stage.finance, paid, now=AFTER)}
    corrections.credit_invoice(stage.finance, paid.id, reason="Upheld", amounts_minor={1: 50_00}, now=AFTER)
    assert "uphold" in {act.name for act in acts.offered(stage.finance, paid, now=AFTER)}
    assert uphold(now=AFTER).status == "paid"
    assert names().count("invoice.disputed") == 1
    with pytest.raises(DisputeTooLate):
        claims.dispute(stage.trader, invoice.id, reason="x", now=due(invoice))
    with pytest.raises(NoSuchInvoice):
        claims.dispute(
            delivery.another("Other DC", "Lanting Robotics", stage).trader, invoice.id, reason="x", now=AFTER
        )


def test_a_claim_is_given_up_by_two_people_and_becomes_a_loss(stage: Stage) -> None:
    invoice, _ = billed(stage, prepaid=False)
    late = due(invoice) + 40 * DAY
    clerk = person(stage, "clerk", Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS)
    approver = person(stage, "approver", Capability.APPROVE_BOOKS)
    with pytest.raises(InvoiceMoveRefused):
        claims.ask_write_off(clerk, invoice.id, reason="Gone", now=AFTER)
    claims.run_due(now=late)
    with pytest.raises(NoSuchWriteOff):
        claims.approve_write_off(approver, invoice.id, now=late)

    claims.ask_write_off(clerk, invoice.id, reason="Insolvent", now=late)
    with pytest.raises(OwnWriteOff):
        claims.approve_write_off(clerk, invoice.id, now=late)
    invoice.refresh_from_db()
    assert "approve-write-off" not in {act.name for act in acts.offered(clerk, invoice, now=late)}
    assert "approve-write-off" in {act.name for act in acts.offered(approver, invoice, now=late)}
    client = Client()
    client.force_login(people.member(stage.exchange, "chief", Role.FINANCE_APPROVER))
    shown = client.get(reverse("invoice", args=[invoice.id])).content.decode()
    assert all(words in shown for words in ("Proposed to be written off", "Insolvent", "A colleague has to approve it"))
    given_up = claims.approve_write_off(approver, invoice.id, now=late)

    assert (given_up.status, given_up.written_off_minor) == (InvoiceStatus.WRITTEN_OFF, invoice.total_minor)
    assert books.balance(Code.BAD_DEBT, "CNY") == invoice.total_minor
    assert books.balance(Code.RECEIVABLE, "CNY") == 0
    with pytest.raises(NoSuchWriteOff):
        claims.approve_write_off(approver, invoice.id, now=late)
    with pytest.raises(InvoiceMoveRefused):
        corrections.credit_invoice(stage.finance, invoice.id, reason="x", now=late)
    assert unsound() == []


def test_over_http_each_verb_answers_with_the_document_and_names_what_is_wrong(stage: Stage) -> None:
    from accounts.foundation import ids
    from tests.api.caller import Api, pointers

    invoice, _ = billed(stage, prepaid=False)
    buyer = Api.signed_in(people.member(stage.buyer, "buyer", Role.BUYER_TRADER))
    clerk = Api.signed_in(people.member(stage.exchange, "clerk", Role.FINANCE_OPERATOR))
    path = f"/v1/invoices/{ids.spell('inv', invoice.id)}"

    wrong = clerk.post(f"{path}/credit-notes", {"reason": "x", "lines": [{"n": 1, "amount": "1.005"}]})
    assert (wrong.status_code, pointers(wrong)) == (400, ["#/lines/0/amount"])
    too_much = clerk.post(f"{path}/credit-notes", {"reason": "x", "lines": [{"n": 1, "amount": "99999.00"}]})
    assert (too_much.status_code, too_much.json()["code"]) == (422, "credit_too_large")
    note = clerk.post(f"{path}/credit-notes", {"reason": "Part", "lines": [{"n": 1, "amount": "10.00"}]}, key="once")
    again = clerk.post(f"{path}/credit-notes", {"reason": "Part", "lines": [{"n": 1, "amount": "10.00"}]}, key="once")
    assert note.status_code == 201
    assert note.json()["corrects"] == invoice.number
    assert again.json() == note.json()
    assert invoice.notes.count() == 1
    late = clerk.post(f"{path}/resolve-dispute", {"resolution": "rejected", "reason": "x"})
    assert (late.status_code, late.json()["code"]) == (404, "dispute_not_found")
    # The tests bill a day long past, whose dispute days are over.
    refused = buyer.post(f"{path}/dispute", {"reason": "Wrong"})
    assert (refused.status_code, refused.json()["code"]) == (409, "dispute_too_late")


def test_on_its_page_an_invoice_offers_what_its_reader_may_do(stage: Stage) -> None:
    from accounts.foundation import clock, ids

    invoice, _ = billed(stage, prepaid=False)
    path = f"/invoices/{ids.spell('inv', invoice.id)}"

    def reader(role: Role, of: object) -> Client:
        client = Client()
        client.force_login(people.member(of, str(role), role))  # type: ignore[arg-type]
        return client

    buyer, viewer = reader(Role.BUYER_TRADER, stage.buyer), reader(Role.BUYER_VIEWER, stage.buyer)
    clerk = reader(Role.FINANCE_OPERATOR, stage.exchange)
    with clock.travel(AFTER):
        assert "Dispute this invoice" in buyer.get(path).content.decode()
        assert f'action="{path}/dispute"' in buyer.get(path).content.decode()
        assert f'action="{path}/dispute"' not in viewer.get(path).content.decode()
        shown = clerk.get(path).content.decode()
        assert "Issue a credit note over all that is left" in shown
        assert "Dispute this invoice" not in shown
    assert "Dispute this invoice" not in buyer.get(path).content.decode()  # by now it is too late

    refused = clerk.post(f"{path}/take-back", {"reason": "much too long " * 20})
    assert refused.status_code == 422
    assert 'value="much too long ' in refused.content.decode()  # nothing typed is lost
    assert "Say why, in at most 200 characters." in refused.content.decode()
    done = clerk.post(f"{path}/take-back", {"reason": "Billed in error"}, follow=True)
    assert Invoice.objects.get(kind=InvoiceKind.CREDIT_NOTE).number in done.content.decode()
    assert "Taken back" in buyer.get(path).content.decode()
    assert clerk.post(f"{path}/no-such-act", {"reason": "x"}).status_code == 404


def test_a_budget_gets_back_what_a_credit_note_gives(stage: Stage) -> None:
    invoice, _ = billed(stage)
    principal = cast.acting_for(stage.buyer, frozenset({Capability.MANAGE_MEMBERS}))
    assert invoice.project_id is not None
    limit = Money(invoice.total_minor, "CNY")
    wallets.set_budget(principal, invoice.project_id, limit, now=AFTER)

    note = corrections.credit_invoice(stage.finance, invoice.id, reason="x", amounts_minor={1: 100_00}, now=AFTER)

    budget = ProjectBudget.objects.get()
    assert (budget.credited_minor, budget.left_minor) == (-note.total_minor, -note.total_minor)
    wallets.set_budget(principal, invoice.project_id, limit, now=AFTER)
    assert ProjectBudget.objects.get().left_minor == -note.total_minor
    assert unsound() == []
