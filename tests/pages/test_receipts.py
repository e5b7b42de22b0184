"""A clerk matches money in suspense with the top-up it belongs to."""

from datetime import date

from django.urls import reverse

from accounts.actors.actor import Capability
from accounts.organisations import queries as organisations
from accounts.organisations.rules import Role
from billing.ledger import queries as ledger
from billing.payments import services as payments
from billing.payments.rules import BankLine
from catalog.measures.money import Money
from exchange.demo.cast import acting_for
from tests.exchange import cast
from tests.exchange.cast import Story
from tests.pages.visitors import signed_in


def test_a_receipt_in_suspense_is_matched_with_the_top_up_of_its_amount(story: Story) -> None:
    operator = organisations.operator()
    finance = acting_for(operator, Capability.OPERATE_BOOKS, Capability.VIEW_BOOKS)
    buyer = story.beichen
    before = ledger.funds(buyer.organisation(), "CNY").balance_minor
    amount = Money(123_45, "CNY")
    receipt = payments.record_receipt(finance, BankLine("BANK-1", amount, date(2026, 5, 1), "Payer"), now=cast.NOW)
    top_up = payments.request_top_up(buyer, amount, now=cast.NOW)
    clerk = signed_in(finance, Role.FINANCE_OPERATOR)

    listed = clerk.get(reverse("unmatched_items"))
    address = reverse("receipt_match", args=[receipt.id])
    assert address in listed.content.decode()
    assert top_up.reference in clerk.get(address).content.decode()

    answer = clerk.post(address, {"top_up": str(top_up.id)})
    assert answer.status_code == 302
    assert ledger.funds(buyer.organisation(), "CNY").balance_minor == before + amount.amount_minor


def test_only_top_ups_of_exactly_its_amount_are_offered(story: Story) -> None:
    finance = acting_for(organisations.operator(), Capability.OPERATE_BOOKS, Capability.VIEW_BOOKS)
    line = BankLine("BANK-2", Money(50_00, "CNY"), date(2026, 5, 1), "Payer")
    receipt = payments.record_receipt(finance, line, now=cast.NOW)
    other = payments.request_top_up(story.beichen, Money(50_01, "CNY"), now=cast.NOW)
    clerk = signed_in(finance, Role.FINANCE_OPERATOR)

    address = reverse("receipt_match", args=[receipt.id])
    assert "No top-up waits for exactly this amount" in clerk.get(address).content.decode()
    assert clerk.post(address, {"top_up": str(other.id)}).status_code == 422
