"""Cards of a buyer, card payments of finance, and a provider at Stripe, on pages."""

from typing import Any

from django.urls import reverse

from accounts.actors.actor import Capability
from accounts.organisations import queries as organisations
from accounts.organisations.rules import Role
from billing.cards import refunds, services
from billing.cards.models import CardPayment, CardRefund, MethodSetup, SavedMethod
from billing.ledger import queries as ledger
from billing.webhooks import services as webhooks
from billing.webhooks.models import StripeEvent
from exchange.demo.cast import acting_for
from tests.exchange import cast
from tests.exchange.cast import Story
from tests.pages.visitors import signed_in


def test_without_stripe_the_pages_name_the_other_way(story: Story) -> None:
    trader = signed_in(story.beichen, Role.BUYER_TRADER)
    page = trader.get(reverse("card_methods")).content.decode()
    assert "takes no cards" in page
    assert reverse("wallet") in page
    refused = trader.post(reverse("card_top_up"), {"amount": "10.00"})
    assert refused.status_code == 422
    assert "bank transfer" in refused.content.decode()


def test_a_trader_pays_at_stripe_and_finance_sends_some_back(story: Story, stripe_wire: Any) -> None:
    before = ledger.funds(story.beichen.organisation(), "CNY").balance_minor
    trader = signed_in(story.beichen, Role.BUYER_TRADER)
    answer = trader.post(reverse("card_top_up"), {"amount": "2500.00"})
    payment = CardPayment.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, payment.url)
    assert payment.url in trader.get(reverse("card_methods")).content.decode()
    stripe_wire.simulator.pay(payment.session_id)
    services.refresh(payment.id, now=cast.NOW)
    assert ledger.funds(story.beichen.organisation(), "CNY").balance_minor == before + 250_000

    house = acting_for(organisations.operator(), Capability.VIEW_BOOKS)
    clerk, approver = signed_in(house, Role.FINANCE_OPERATOR), signed_in(house, Role.FINANCE_APPROVER)
    address = reverse("card_payment", args=[payment.id])
    assert address in clerk.get(reverse("card_payments")).content.decode()
    assert clerk.post(address, {"amount": "2500.01", "reason": "all"}).status_code == 422
    assert clerk.post(address, {"amount": "1500.00", "reason": "too much"}).status_code == 302
    refund = CardRefund.objects.get()
    assert refund.status == "requested"
    assert address in approver.get(reverse("card_payments")).content.decode()
    own, other = (reader.get(address).content.decode() for reader in (clerk, approver))
    assert "You proposed it; a colleague has to approve it." in own
    assert 'value="yes"' not in own
    assert "Proposed by Finance_Operator." in other
    assert 'value="yes"' in other
    approver.post(reverse("refund_approve", args=[refund.id]), {"answer": "yes"})
    refunds.push(refund.id, now=cast.NOW)
    assert ledger.funds(story.beichen.organisation(), "CNY").balance_minor == before + 100_000


def test_a_trader_saves_a_card_has_invoices_collected_from_it_and_forgets_it(story: Story, stripe_wire: Any) -> None:
    stripe_wire.simulator.now = cast.NOW
    trader = signed_in(story.beichen, Role.BUYER_TRADER)
    answer = trader.post(reverse("card_save"))
    setup = MethodSetup.objects.get()
    assert answer["Location"] == setup.url
    stripe_wire.simulator.save_method(setup.session_id)
    webhooks.poll(now=cast.NOW)
    for event in StripeEvent.objects.all():
        webhooks.handle(event.id, now=cast.NOW)
    method = SavedMethod.objects.get()
    trader.post(reverse("card_choose", args=[method.id]))
    assert "Collected from this card" in trader.get(reverse("card_methods")).content.decode()
    trader.post(reverse("card_remove", args=[method.id]))
    assert "No card is saved" in trader.get(reverse("card_methods")).content.decode()


def test_a_provider_opens_an_account_and_is_led_to_stripe(story: Story, stripe_wire: Any) -> None:
    seller = signed_in(story.huailai, Role.PROVIDER_ADMIN)
    assert "Open an account at Stripe" in seller.get(reverse("stripe_account")).content.decode()
    answer = seller.post(reverse("stripe_account_continue"))
    assert answer["Location"].startswith("https://connect.example/")
    assert "Continue at Stripe" in seller.get(reverse("stripe_account")).content.decode()
