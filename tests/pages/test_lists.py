"""Lists on pages: their empty states, and as many queries for twenty rows as for one."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.foundation import clock
from accounts.organisations.rules import Role
from billing.payments import services as payments
from catalog.measures.money import Money
from tests.exchange import cast
from tests.exchange.cast import Story
from tests.pages.visitors import signed_in

Filler = Callable[[Story, int], None]


def _order(story: Story, n: int) -> None:
    cast.place_order(story.lanting, cast.hourly(story, "1.00", quantity_max=1))


def _offer(story: Story, n: int) -> None:
    if n < 16:
        cast.place_offer(story, story.huailai, story.huailai_cards, "8.00", quantity=1)


def _top_up(story: Story, n: int) -> None:
    payments.request_top_up(story.lanting, Money(100 + n, "CNY"), now=clock.now())


@pytest.mark.parametrize(
    ("name", "fill"),
    [("orders", _order), ("wallet", _order), ("wallet", _top_up), ("my_offers", _offer), ("all_orders", _order),
     ("top_ups_to_confirm", _top_up), ("unmatched_items", _top_up)],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)  # fmt: skip
def test_a_list_asks_as_much_for_twenty_rows_as_for_one(story: Story, name: str, fill: Filler) -> None:
    visitor = _visitors(story)[name]
    fill(story, 0)
    few = _queries(visitor, name)
    for n in range(1, 20):
        fill(story, n)
    assert _queries(visitor, name) == few


def _visitors(story: Story) -> dict[str, Client]:
    buyer = signed_in(story.lanting, Role.BUYER_TRADER)
    finance = signed_in(story.operator, Role.FINANCE_OPERATOR)
    return {
        "orders": buyer,
        "wallet": buyer,
        "my_offers": signed_in(story.huailai, Role.PROVIDER_ADMIN),
        "all_orders": signed_in(story.operator, Role.SUPPORT),
        "top_ups_to_confirm": finance,
        "unmatched_items": finance,
    }


def _queries(visitor: Client, name: str) -> int:
    visitor.get(reverse(name))  # what is cached in the process is cached before counting
    with CaptureQueriesContext(connection) as queries:
        answer = visitor.get(reverse(name))
    assert answer.status_code == 200
    return len(queries)


def test_older_rows_are_a_page_away_and_none_is_lost(story: Story) -> None:
    for n in range(30):
        _order(story, n)
    visitor = signed_in(story.lanting, Role.BUYER_VIEWER)
    first = visitor.get(reverse("orders"))
    assert first.context is not None
    second = visitor.get(reverse("orders") + first.context["listing"].older)
    assert second.context is not None
    shown = [row.id for answer in (first, second) for row in answer.context["listing"].rows]
    assert len(shown) == len(set(shown)) == 30
    assert shown == sorted(shown, reverse=True)
    assert second.context["listing"].older == ""


@pytest.mark.parametrize("before", ["x", "\x00", "018f", "１"])
def test_an_address_of_older_rows_that_no_page_links_to_is_not_found(story: Story, before: str) -> None:
    visitor = signed_in(story.lanting, Role.BUYER_VIEWER)
    assert visitor.get(reverse("orders"), {"before": before}).status_code == 404


@pytest.mark.parametrize(
    ("name", "next_step"),
    [("orders", "/orders/new"), ("leases", "/orders"), ("usage", "/leases")],
)
def test_an_empty_list_names_the_next_step(story: Story, name: str, next_step: str) -> None:
    visitor = signed_in(story.qinghe, Role.BUYER_TRADER)
    assert next_step in visitor.get(reverse(name)).content.decode()


@pytest.mark.parametrize("code", ["nowhere", "\x00", "\ud800", "<script>", "x" * 3000])
def test_rounds_of_a_market_that_cannot_be_are_none(story: Story, code: str) -> None:
    visitor = signed_in(story.lanting, Role.BUYER_TRADER)
    address = f"{reverse('rounds')}?market={quote(code, errors='surrogatepass')}"
    answer = visitor.get(address)
    assert answer.status_code == 200
    assert list(answer.context["listing"].rows) == []
