"""What each desk does, in a real browser at both widths: a newcomer orders, a provider delivers, finance confirms."""

import re
from collections.abc import Callable
from datetime import datetime, time
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.organisations.models import User
from accounts.organisations.rules import Role
from accounts.web.forms import DESK_ZONE
from catalog.measures.interval import HOUR
from catalog.offerings.needs import Needs
from exchange.auctions import gates
from exchange.demo import cast as casts
from exchange.demo import stage as demo
from exchange.demo import story as told
from exchange.demo.cast import acting_for
from exchange.markets import rules as market_rules
from exchange.markets.models import Market
from exchange.orders import services as orders
from exchange.orders.rules import OrderKind, OrderSpec, OrderTerms
from tests.browser import stage
from tests.browser.conftest import NARROW, WIDE, PageFactory
from tests.browser.stage import DAY, Eye

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

# The id in an address: pages that differ in it alone are one page.
_ID: Final = re.compile(r"[a-z]{3}_[0-9a-z]{26}")


@pytest.fixture
def eye(accessibility_faults: Callable[[Page], list[Any]], overflows: Callable[[Page], bool]) -> Eye:
    return Eye(accessibility_faults, overflows)


def typed(instant: datetime) -> str:
    """Return what a person enters into a field of date and time."""
    return instant.astimezone(DESK_ZONE).strftime("%Y-%m-%dT%H:%M")


def test_a_newcomer_finds_orders_and_cancels(page: Page, eye: Eye) -> None:
    cast = casts.assemble()
    market = stage.open_far_market(cast)
    stage.fund(cast, cast.beichen, 6_000)
    stage.sign_in(page, stage.person(cast.beichen, Role.BUYER_TRADER, password=stage.PASSWORD))
    expect(page.get_by_text("6,000.00 CNY")).to_be_visible()

    page.get_by_role("link", name="Find compute").click()
    page.get_by_label("Ascend 910B3").check()
    page.get_by_label("Memory, at least (GB)").fill("32")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("link", name="Huailai Compute Ascend 910B3")).to_be_visible()
    eye.check(page)

    page.get_by_role("link", name="Order by these needs").click()
    expect(page.get_by_label("Ascend 910B3")).to_be_checked()
    expect(page.get_by_label("Memory, at least (GB)")).to_have_value("32")
    morning = datetime.combine(clock.now().astimezone(DESK_ZONE).date() + 2 * DAY, time(), DESK_ZONE)
    page.get_by_label("Market", exact=True).select_option(label=market.name)
    page.get_by_label("Units, at most").fill("12")
    page.get_by_label("Not before").fill(typed(morning + 8 * HOUR))
    page.get_by_label("Over by").fill(typed(morning + 20 * HOUR))
    page.get_by_label("Limit, a unit and hour").fill("11.00")
    page.get_by_label("Hourly").check()
    page.get_by_role("button", name="Check and see the worst case").click()

    # 12 x 12 x 11.00 = 1,584.00; fee 15.84; VAT 95.99
    expect(page.get_by_text("1,695.83 CNY")).to_be_visible()
    eye.check(page)
    page.get_by_role("button", name="Place this order").click()
    expect(page.get_by_text("The order is in the book.")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel and release what is held (1,695.83 CNY)")).to_be_visible()
    eye.check(page)
    order_page = page.url

    page.get_by_role("link", name="Wallet", exact=True).click()
    expect(page.get_by_text("4,304.17 CNY")).to_be_visible()
    page.goto(order_page)
    page.get_by_role("button", name="Cancel and release").click()
    expect(page.get_by_text("its funds are free again")).to_be_visible()
    page.get_by_role("link", name="Wallet", exact=True).click()
    expect(page.get_by_text("6,000.00 CNY").first).to_be_visible()
    eye.check(page)


def test_a_refusal_stands_beside_its_field_and_keeps_what_was_typed(page: Page, eye: Eye, live_server: Any) -> None:
    cast = casts.assemble()
    stage.open_far_market(cast)
    stage.fund(cast, cast.beichen, 100)
    stage.let_in(page, stage.person(cast.beichen, Role.BUYER_TRADER), live_server.url)
    page.goto("/orders/new?market=far-cards&models=ascend-910b3")
    page.get_by_label("Units, at most").fill("１２")
    page.get_by_label("Limit, a unit and hour").fill("1e1")
    page.get_by_role("button", name="Check and see the worst case").click()
    units = page.get_by_label("Units, at most")
    expect(units).to_have_value("１２")
    expect(units).to_have_attribute("aria-invalid", "true")
    expect(units).to_have_accessible_description(re.compile("expected a whole number"))
    expect(page.get_by_label("Limit, a unit and hour")).to_have_accessible_description(re.compile("1e1"))
    eye.check(page)

    units.fill("12")
    page.get_by_label("Limit, a unit and hour").fill("10.00")
    page.get_by_role("button", name="Check and see the worst case").click()
    expect(units).to_have_accessible_description(re.compile(r"100\.00"))  # what is available
    expect(page.get_by_role("button", name="Place this order")).to_have_count(0)
    eye.check(page)


def test_a_provider_offers_delivers_and_reads_the_statement(new_page: PageFactory, eye: Eye, live_server: Any) -> None:
    story = told.play(stage.yesterday())
    market = demo.open_hourly_market(now=clock.now())
    page = new_page(WIDE)
    stage.let_in(page, stage.person(story.cast.huailai, Role.PROVIDER_ADMIN), live_server.url)

    page.get_by_role("link", name="Offerings", exact=True).click()
    page.get_by_role("link", name="Make an offer").first.click()
    page.get_by_label("Market", exact=True).select_option(label=market.name)
    page.get_by_label("Units in every hour").fill("8")
    first = _first_hour(market)
    page.get_by_label("From").fill(typed(first))
    page.get_by_label("To", exact=True).fill(typed(first + 4 * HOUR))
    page.get_by_label("Reserve, a unit and hour").fill("8.50")
    eye.check(page)
    page.get_by_role("button", name="Put it in the book").click()
    expect(page.get_by_text("The offer is in the book")).to_be_visible()
    eye.check(page)

    _sell(market, story, first)
    page.get_by_role("link", name="Deliveries").click()
    page.locator("tbody tr").filter(has_text="scheduled").get_by_role("link").click()
    page.get_by_role("button", name="Acknowledge").click()
    page.get_by_label("Access details").fill("ssh lab@zjk-1.example")
    page.get_by_role("button", name="Hand over").click()
    expect(page.get_by_text("Handed over.")).to_be_visible()
    eye.check(page)

    page.get_by_role("link", name="Statements").click()
    page.get_by_role("link", name=re.compile("STM-")).click()
    expect(page.get_by_role("cell", name="3,731.12 CNY")).to_be_visible()
    eye.check(page)


def _first_hour(market: Market) -> datetime:
    return market_rules.horizon(market.terms, market_rules.next_gate(market.terms, clock.now())).first_at + HOUR


def _sell(market: Market, story: told.Story, first: datetime) -> None:
    """Let a buyer take what is offered, and the gate pass."""
    needs = Needs(models=(casts.CARD,))
    terms = OrderTerms(
        quantity_max=8,
        quantity_min=8,
        hours=4,
        earliest_at=first,
        latest_at=first + 4 * HOUR,
        needs=needs,
        limit_micros=9_000_000,
    )
    spec = OrderSpec(market_id=market.id, kind=OrderKind.BLOCK, terms=terms, single_site=True)
    orders.place(acting_for(story.cast.beichen, Capability.TRADE), spec, now=clock.now())
    gate = market_rules.next_gate(market.terms, clock.now())
    with clock.travel(gate):
        gates.close_due(now=clock.now())
        told.do_jobs()


def test_a_trader_who_pays_by_card_lands_on_a_page_of_stripe(
    new_page: PageFactory, live_server: Any, stripe_wire: Any, settings: Any
) -> None:
    cast = casts.assemble()
    # Another origin than ours, as Stripe's is: the policy of our page decides whether the form leads there.
    settings.STRIPE_PAGES = [settings.STRIPE_API_BASE]
    stripe_wire.simulator.pages = f"{settings.STRIPE_API_BASE}/v1/checkout/sessions"
    page = new_page(WIDE)
    stage.let_in(page, stage.person(cast.beichen, Role.BUYER_TRADER), live_server.url)
    page.goto("/wallet/cards")
    page.get_by_label("Amount by card").fill("2500.00")
    page.get_by_role("button", name="Pay at Stripe").click()
    page.wait_for_url(f"{stripe_wire.simulator.pages}/*")


def test_finance_confirms_a_top_up_and_the_books_balance(page: Page, eye: Eye, live_server: Any) -> None:
    cast = casts.assemble()
    top_up = stage.announce(cast.beichen, 6_000)
    stage.let_in(page, stage.person(cast.operator, Role.FINANCE_OPERATOR), live_server.url)
    page.get_by_role("link", name="Top-ups", exact=True).click()
    page.get_by_role("link", name=f"Confirm {top_up.reference}").click()
    page.get_by_label("The bank's transaction id").fill("B-2026-1")
    page.get_by_label("Amount received").fill("5999.00")
    page.get_by_label("Value date").fill(clock.now().astimezone(DESK_ZONE).date().isoformat())
    page.get_by_role("button", name="Confirm and credit").click()
    expect(page.get_by_role("alert")).to_be_visible()  # the bank shows less than was announced
    eye.check(page)
    page.get_by_label("Amount received").fill("6000.00")
    page.get_by_role("button", name="Confirm and credit").click()
    expect(page.get_by_text("The money is in the wallet.")).to_be_visible()

    page.get_by_role("link", name="Trial balance").click()
    expect(page.get_by_role("row", name=re.compile("Customer wallets"))).to_contain_text("-6,000.00")
    expect(page.locator("tfoot")).to_contain_text("0.00")
    eye.check(page)
    page.get_by_role("link", name="Unmatched").click()
    expect(page.get_by_text("Everything matches.")).to_be_visible()


def test_every_page_that_a_desk_can_reach_is_sound_on_a_phone(
    new_page: PageFactory, eye: Eye, live_server: Any
) -> None:
    story = told.play(stage.yesterday())
    stage.announce(story.cast.beichen, 1_000)
    looked_at: set[str] = set()
    for organisation, role in (
        (story.cast.beichen, Role.BUYER_ADMIN),
        (story.cast.huailai, Role.PROVIDER_ADMIN),
        (story.cast.operator, Role.FINANCE_OPERATOR),
        (story.cast.operator, Role.SUPPORT),
        (story.cast.operator, Role.PLATFORM_ADMIN),
    ):
        page = new_page(NARROW)
        looked_at |= _walk(page, stage.person(organisation, role), eye, live_server.url, looked_at)
    # One of each of these at least: the walk has not lost its way.
    assert {
        "/orders/_",
        "/leases/_",
        "/invoices/_",
        "/rounds/_",
        "/sell/statements/_",
        "/finance/top-ups/_",
    } <= looked_at


def _walk(page: Page, user: User, eye: Eye, address: str, known: set[str]) -> set[str]:
    """Follow every link of this person's pages, to one page of each kind."""
    stage.let_in(page, user, address)
    seen: set[str] = set()
    ahead = ["/"]
    while ahead:
        path = ahead.pop()
        kind = _ID.sub("_", path)
        if kind in seen or path.startswith("/v1/"):
            continue
        seen.add(kind)
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, f"{path} answers {answer.status} to {user.email}"
        eye.check(page, deep=kind not in known)
        links = page.locator("a[href^='/']").evaluate_all("all => all.map(one => one.getAttribute('href'))")
        ahead += [link.partition("?")[0].partition("#")[0] for link in links]
    return seen
