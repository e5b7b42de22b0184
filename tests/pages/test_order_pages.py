"""The order ticket and the pages of orders, for the owner, a lesser colleague, a stranger and nobody."""

import re
from datetime import datetime
from typing import Any, Final

import pytest
from django.test import Client
from django.urls import reverse

from accounts.audit.models import AuditRecord
from accounts.events.models import Event
from accounts.organisations.rules import Role
from accounts.web.forms import DESK_ZONE
from billing.ledger.models import Hold
from exchange.orders.models import Order
from exchange.orders.rules import OrderStatus
from exchange.rounds.models import Round
from tests.exchange import cast
from tests.exchange.cast import HOUR, D, Story
from tests.pages.visitors import signed_in

_DIGEST: Final = re.compile(r'name="confirmed" value="([0-9a-f]{64})"')


@pytest.fixture
def trader(story: Story) -> Client:
    return signed_in(story.beichen, Role.BUYER_TRADER)


def typed(instant: datetime) -> str:
    return instant.astimezone(DESK_ZONE).strftime("%Y-%m-%dT%H:%M")


def ticket(story: Story, **changes: str) -> dict[str, Any]:
    """Return the filled-in ticket of the story's B1."""
    return {
        "kind": "block",
        "market": str(story.market.id),
        "quantity_max": "16",
        "earliest_at": typed(D),
        "latest_at": typed(D + 24 * HOUR),
        "limit_price": "12.50",
        "project": str(cast.organisation_of(story.beichen).projects.get().id),
        "single_site": "on",
    } | changes


def written() -> tuple[int, ...]:
    return tuple(model._default_manager.count() for model in (Order, Hold, AuditRecord, Event, Round))


def test_an_order_is_confirmed_with_its_worst_case_and_then_placed(story: Story, trader: Client) -> None:
    before = written()
    asked = trader.post(reverse("order_new"), ticket(story))
    page = asked.content.decode()
    assert asked.status_code == 200
    assert "5,138.88 CNY" in page
    assert written() == before, "the rehearsal leaves nothing behind"

    digest = _DIGEST.search(page)
    assert digest is not None
    placed = trader.post(reverse("order_new"), ticket(story, confirmed=digest[1]))
    order = Order.objects.get()
    assert placed["Location"] == reverse("order", args=[order.id])
    assert order.hold is not None
    assert order.hold.amount_minor == 513_888


def test_what_was_changed_after_the_confirmation_is_asked_again(story: Story, trader: Client) -> None:
    page = trader.post(reverse("order_new"), ticket(story)).content.decode()
    digest = _DIGEST.search(page)
    assert digest is not None
    again = trader.post(reverse("order_new"), ticket(story, quantity_max="8", confirmed=digest[1]))
    assert again.status_code == 200
    assert "2,569.44 CNY" in again.content.decode()
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"quantity_max": "1_6"}, "quantity_max", "expected a whole number"),
        ({"quantity_max": "１６"}, "quantity_max", "expected a whole number"),
        ({"limit_price": "NaN"}, "limit_price", "NaN"),
        ({"limit_price": "1e1"}, "limit_price", "1e1"),
        ({"limit_price": "12.505"}, "limit_price", "multiple of the tick"),
        ({"earliest_at": "2026-05-03T00:30"}, "earliest_at", "expected"),
        ({"latest_at": "0026-05-03T00:00"}, "latest_at", "expected"),
        ({"min_memory_gb": "9999"}, "min_memory_gb", "9999 excludes"),
        ({"quantity_max": "20"}, "quantity_max", "6000.00"),
        ({"budget": "5000.00"}, "budget", "5138.88"),
        ({"metro": "beijing"}, "latency_ms", "given together"),
    ],
)
def test_a_refusal_stands_beside_its_field_and_changes_nothing(
    story: Story, trader: Client, changes: dict[str, str], field: str, said: str
) -> None:
    before = written()
    answer = trader.post(reverse("order_new"), ticket(story, **changes))
    assert 400 <= answer.status_code < 500
    assert answer.context is not None
    errors = " ".join(answer.context["form"].errors[field])
    assert said in errors
    assert answer.context["form"][field].value() == changes.get(field, answer.context["form"][field].value())
    assert written() == before


def test_the_ticket_takes_over_the_needs_of_a_search(story: Story, trader: Client) -> None:
    answer = trader.get(reverse("order_new"), {"models": ["ascend-910b3"], "min_memory_gb": "32"})
    page = answer.content.decode()
    assert 'value="ascend-910b3" ' in page
    assert re.search(r'<input[^>]*value="ascend-910b3"[^>]*checked', page)
    assert re.search(
        r'<input[^>]*name="min_memory_gb"[^>]*value="32"|<input[^>]*value="32"[^>]*name="min_memory_gb"', page
    )


def test_who_may_see_and_who_may_cancel(story: Story, trader: Client) -> None:
    order = cast.place_order(story.beichen, cast.block(story, "12.50"))
    page, cancel = reverse("order", args=[order.id]), reverse("order_cancel", args=[order.id])
    viewer = signed_in(story.beichen, Role.BUYER_VIEWER)
    stranger = signed_in(story.lanting, Role.BUYER_ADMIN)
    support = signed_in(story.operator, Role.SUPPORT)

    assert "Cancel and release" in trader.get(page).content.decode()
    assert "Cancel and release" not in viewer.get(page).content.decode()
    assert "Cancel and release" not in support.get(page).content.decode()
    assert viewer.post(cancel).status_code == 403
    assert support.post(cancel).status_code == 403
    assert stranger.get(page).status_code == 404
    assert Client().get(page)["Location"].startswith("/sign-in")
    assert Client().post(cancel)["Location"].startswith("/sign-in")
    stranger.post(cancel)
    order.refresh_from_db()
    assert order.status == OrderStatus.OPEN

    trader.post(cancel)
    order.refresh_from_db()
    assert order.status == OrderStatus.CANCELLED
    assert cast.funds(story.beichen) == (600_000, 0, 600_000)


def test_a_refused_raise_keeps_the_order_and_what_was_typed(story: Story, trader: Client) -> None:
    order = cast.place_order(story.beichen, cast.block(story, "12.50"))
    answer = trader.post(reverse("order_raise", args=[order.id]), {"limit_price": "99.00"})
    assert answer.status_code == 422
    assert 'value="99.00"' in answer.content.decode()
    order.refresh_from_db()
    assert order.limit_micros == 12_500_000


def test_the_check_shows_how_the_order_stands_in_the_open_book(story: Story, trader: Client) -> None:
    cast.place_offer(story, story.huailai, story.huailai_cards, "8.00")
    page = trader.post(reverse("order_new"), ticket(story)).content.decode()
    assert "All of it is there" in page
    assert "Lowest compatible reserve in the book" in page
    assert "Place this order" in page


def test_the_check_of_an_order_that_nothing_fits_says_why_and_what_would(story: Story, trader: Client) -> None:
    cast.place_offer(story, story.huailai, story.huailai_cards, "8.00")
    page = trader.post(reverse("order_new"), ticket(story, limit_price="7.00")).content.decode()
    assert "There is no supply that it could use at this limit" in page
    assert "the lowest compatible reserve is 8" in page
    assert "limit 8.01 CNY" in page
    unmet = trader.post(reverse("order_new"), ticket(story, min_green_percent="95"))
    assert unmet.status_code == 422
    assert "Green power: at least 95 % excludes 1 of 1 delivery pools" in unmet.content.decode()
    assert "Green power: at least 85 %" in unmet.content.decode()


def test_a_search_that_cannot_be_read_lists_nothing(story: Story, trader: Client) -> None:
    answer = trader.get(reverse("catalogue"), {"min_memory_gb": "much"})
    assert answer.status_code == 400
    assert "expected a whole number" in answer.content.decode()
    assert "Offerings found" not in answer.content.decode()
    assert "Nothing listed meets" not in answer.content.decode()
