"""Who sits at the desks that the browser tests look at, and how a page is looked at."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from django.test import Client
from playwright.sync_api import Page, Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.organisations import members
from accounts.organisations.models import Organisation, User
from accounts.organisations.rules import Role
from accounts.web.forms import DESK_ZONE
from billing.payments import services as payments
from billing.payments.models import TopUp
from billing.payments.rules import BankLine
from catalog.measures.money import Money
from exchange.demo.cast import SYSTEM, Cast, acting_for
from exchange.markets import services as markets
from exchange.markets.models import Market
from exchange.markets.rules import MarketSpec

PASSWORD: Final = "seven geese over the lake"
DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Eye:
    """Looks at pages: what a person would stumble over fails the test."""

    faults: Callable[[Page], list[Any]]
    overflows: Callable[[Page], bool]

    def check(self, page: Page, *, deep: bool = True) -> None:
        """One heading, nothing wider than the window and, when looked at deeply, no grave fault of accessibility.

        A click that follows a link returns when the next page's first bytes are there: its end is waited for.
        """
        page.wait_for_load_state()
        assert page.locator("h1").count() == 1, f"{page.url} has {page.locator('h1').count()} main headings"
        assert not self.overflows(page), f"{page.url} is wider than its window"
        faults = self.faults(page) if deep else []
        assert not faults, f"{page.url}: {faults}"


def person(of: Organisation, role: Role, *, password: str | None = None) -> User:
    """Make somebody of an organisation with one role; to hash a password takes long, so most have none."""
    now = clock.now()
    email = f"{role.replace('_', '-')}@example.com"
    if password is None:
        user = User.objects.create(email=email, display_name="Li Na", created_at=now)
    else:
        user = members.create_user(SYSTEM, email=email, display_name="Li Na", password=password, now=now)
    members.add_member(SYSTEM, of.id, user.id, role, now=clock.now())
    return user


def sign_in(page: Page, user: User) -> Response | None:
    """Sign in as a person does."""
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    return page.goto("/")


def let_in(page: Page, user: User, address: str) -> None:
    """Give the page a session of somebody, as if they had signed in, and open the overview."""
    client = Client()
    client.force_login(user)
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": address}])
    page.goto("/")


def open_far_market(cast: Cast) -> Market:
    """Open a market whose next gate is half a day away, so that no test runs into its no-cancel phase."""
    now = clock.now()
    terms = cast.market.terms
    midnight_to_gate = (now + DAY / 2 - terms.slot_zero) % DAY
    far = replace(terms, gate_offset_seconds=midnight_to_gate // timedelta(seconds=1), horizon_hours=72)
    return markets.create(
        SYSTEM, MarketSpec("far-cards", "Cards of the day after", "ai_acceleration", "card_hours", far), now=now
    )


def announce(buyer: Organisation, yuan: int) -> TopUp:
    """Announce a bank transfer."""
    actor = acting_for(buyer, Capability.TRADE)
    return payments.request_top_up(actor, Money(yuan * 100, "CNY"), now=clock.now())


def fund(cast: Cast, buyer: Organisation, yuan: int) -> None:
    """Put money into a wallet as finance does."""
    now = clock.now()
    top_up = announce(buyer, yuan)
    line = BankLine(
        bank_reference=f"BANK-{top_up.reference}",
        amount=Money(yuan * 100, "CNY"),
        value_date=now.astimezone(DESK_ZONE).date(),
        payer=buyer.name,
        remittance=top_up.reference,
    )
    finance = acting_for(cast.operator, Capability.OPERATE_BOOKS, Capability.VIEW_BOOKS)
    payments.confirm(finance, top_up.id, line, now=now)


def yesterday() -> date:
    """Return yesterday at the desks of the exchange."""
    return clock.now().astimezone(DESK_ZONE).date() - DAY
