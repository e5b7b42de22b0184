"""Buying at once on the pages, for the owner, a lesser colleague, a stranger and nobody."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.foundation import clock
from accounts.organisations.rules import Role
from accounts.web.forms import DESK_ZONE
from exchange.offers.models import Offer
from exchange.quotes import services
from exchange.quotes.models import Quote
from exchange.trades.models import Trade
from tests.exchange import cast
from tests.exchange.cast import HOUR, NOW, D, Story, micros
from tests.exchange.quotes.cast import sell_at_once
from tests.pages.visitors import signed_in


@pytest.fixture
def story(story: Story) -> Story:
    sell_at_once(story, story.huailai, story.huailai_cards, "9.50")
    return story


@pytest.fixture
def trader(story: Story) -> Client:
    return signed_in(story.beichen, Role.BUYER_TRADER)


def typed(instant: datetime) -> str:
    return instant.astimezone(DESK_ZONE).strftime("%Y-%m-%dT%H:%M")


def ticket(story: Story, **changes: str) -> dict[str, Any]:
    """Return what the order ticket sends to either address."""
    return {
        "kind": "block",
        "market": str(story.market.id),
        "quantity_max": "4",
        "earliest_at": typed(D + 8 * HOUR),
        "latest_at": typed(D + 10 * HOUR),
        "limit_price": "",
        "project": str(cast.organisation_of(story.beichen).projects.get().id),
    } | changes


def test_the_order_ticket_asks_for_a_firm_price_and_one_button_buys(story: Story, trader: Client) -> None:
    assert f'formaction="{reverse("quote_new")}"' in trader.get(reverse("order_new")).content.decode()
    asked = trader.post(reverse("quote_new"), ticket(story), follow=True)
    page = asked.content.decode()
    assert "Buy for 81.37 CNY" in page
    assert "120 seconds left" in page
    assert asked["Refresh"] == "15"
    quote = Quote.objects.get()
    with clock.travel(NOW + timedelta(seconds=115)):
        later = trader.get(reverse("quote", args=[quote.id]))
        assert "5 seconds left" in later.content.decode()
        assert later["Refresh"] == "6"
    bought = trader.post(reverse("quote_accept", args=[quote.id]), follow=True)
    assert "Bought." in bought.content.decode()
    assert "Refresh" not in bought
    assert Trade.objects.get().quantity == 4
    lease = quote.trades.get().contract.leases.get()
    assert reverse("lease", args=[lease.id]) in bought.content.decode()
    assert reverse("quote", args=[quote.id]) in trader.get(reverse("lease", args=[lease.id])).content.decode()
    assert reverse("quote", args=[quote.id]) in trader.get(reverse("wallet")).content.decode()


def test_refusals_stand_beside_their_fields(story: Story, trader: Client) -> None:
    short = trader.post(reverse("quote_new"), ticket(story, quantity_max="17"))
    assert short.status_code == 422
    assert "expected at most 16, got 17" in short.content.decode()
    assert trader.post(reverse("quote_new"), ticket(story, quantity_max="many")).status_code == 400


def test_a_quote_whose_time_is_over_says_so_and_is_not_bought(story: Story, trader: Client) -> None:
    trader.post(reverse("quote_new"), ticket(story))
    quote = Quote.objects.get()
    with clock.travel(quote.expires_at):
        page = trader.get(reverse("quote", args=[quote.id])).content.decode()
        assert "Its time is over" in page
        assert "Buy for" not in page
        late = trader.post(reverse("quote_accept", args=[quote.id]), follow=True)
        assert "has expired; ask for a new one" in late.content.decode()
    services.expire_due(now=quote.expires_at)
    assert "Its time is over" in trader.get(reverse("quote", args=[quote.id])).content.decode()


def test_a_quote_is_let_go(story: Story, trader: Client) -> None:
    trader.post(reverse("quote_new"), ticket(story))
    quote = Quote.objects.get()
    trader.post(reverse("quote_withdraw", args=[quote.id]))
    assert Quote.objects.get().status == "withdrawn"
    assert "withdrawn" in trader.get(reverse("quotes")).content.decode()


def test_a_colleague_looks_a_stranger_and_nobody_see_nothing(story: Story, trader: Client) -> None:
    trader.post(reverse("quote_new"), ticket(story))
    address = reverse("quote", args=[Quote.objects.get().id])
    colleague = signed_in(story.beichen, Role.BUYER_VIEWER)
    assert "Buy for" not in colleague.get(address).content.decode()
    assert colleague.post(f"{address}/accept").status_code == 403
    assert colleague.get(reverse("quote_new")).status_code == 403
    assert signed_in(story.lanting, Role.BUYER_TRADER).get(address).status_code == 404
    assert Client().get(address).status_code == 302


def test_a_provider_sets_and_takes_off_an_instant_price(story: Story) -> None:
    desk = signed_in(story.huailai, Role.PROVIDER_OPERATOR)
    offer = Offer.objects.get()
    address = reverse("offer_instant_price", args=[offer.id])
    assert "9.50" in desk.get(reverse("my_offer", args=[offer.id])).content.decode()
    desk.post(address, {"instant_price": "9.90"})
    assert Offer.objects.get().instant_price_micros == micros("9.90")
    low = desk.post(address, {"instant_price": "7.00"})
    assert low.status_code == 422
    assert "expected at least the reserve of 8" in low.content.decode()
    desk.post(address, {"instant_price": ""})
    assert Offer.objects.get().instant_price_micros is None
