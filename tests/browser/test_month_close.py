"""A month is closed in the browser by two people of finance, after differences of every kind were planted in it."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.actors import services as actors
from accounts.actors.actor import Actor, Capability
from accounts.foundation import clock
from accounts.organisations.models import User
from accounts.organisations.rules import Role
from billing.journals import services as journals
from billing.journals.rules import Entry, JournalKind
from billing.ledger.chart import Code
from billing.payments import services as payments
from billing.payments.models import BankReceipt
from billing.payouts import paying
from billing.payouts import services as payouts
from billing.payouts.models import Payout
from billing.reconciliation import clearing
from billing.reconciliation import services as workbench
from billing.reconciliation.models import Break
from billing.reconciliation.rules import BreakStatus, ItemKind
from catalog.measures.money import Money
from exchange.demo import story
from tests.billing.delivery import SYSTEM, Stage
from tests.billing.reconciliation import planted
from tests.browser import stage as desks
from tests.browser.conftest import NARROW, WIDE, PageFactory
from tests.browser.stage import Eye

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def eye(accessibility_faults: Any, overflows: Any) -> Eye:
    return Eye(accessibility_faults, overflows)


def test_a_month_with_planted_breaks_is_worked_off_closed_and_reopened(
    new_page: PageFactory, eye: Eye, live_server: Any
) -> None:
    books = planted.everything(recent=clock.now())
    clerk, approver = new_page(WIDE), new_page(NARROW)
    people = [desks.person(books.exchange, role) for role in (Role.FINANCE_OPERATOR, Role.FINANCE_APPROVER)]
    for page, person in zip((clerk, approver), people, strict=True):
        desks.let_in(page, person, live_server.url)

    _reconcile(clerk)
    shown = clerk.locator("tbody th").all_inner_texts()
    assert {kind.replace("_", " ") for kind in ItemKind} - set(shown) == set()
    eye.check(clerk)

    _try_to_close(approver)
    expect(approver.locator(".message.error")).to_contain_text("2026-05 cannot be closed yet")
    eye.check(approver)

    _explain(clerk, eye)
    _settle(clerk, approver, eye, ItemKind.SUSPENSE_DIFFERENCE, "Adjust the books", ("9000 Suspense", "5100 Promotion"))
    _settle(clerk, approver, eye, ItemKind.WALLET_OVERDRAWN, "Write the amount off", ("5200 Bad debt", "2000 Customer"))
    _put_right(books, people)
    _reconcile(clerk)
    for row in Break.objects.filter(status=BreakStatus.OPEN):
        workbench.explain(actors.for_user(people[0], None), row.id, "Looked into.", now=clock.now())

    _try_to_close(approver)
    expect(approver.locator(".message.success")).to_contain_text("2026-05 is closed.")
    eye.check(approver)
    clerk.goto("/finance/months/2026-05")
    clerk.get_by_label("Reason").fill("An invoice came late.")
    clerk.get_by_role("button", name="Ask").click()
    expect(clerk.locator(".message.success")).to_be_visible()
    approver.goto("/finance/months/2026-05")
    approver.get_by_role("button", name="Reopen the month").click()
    expect(approver.locator(".message.success")).to_contain_text("approved")
    expect(approver.locator(".toolbar .state")).to_have_text("open")


def _reconcile(page: Page) -> None:
    page.goto("/finance/breaks")
    page.get_by_role("button", name="Reconcile now").click()
    expect(page.locator(".message.success")).to_contain_text("Looked at everything")
    page.wait_for_load_state()  # the list comes after the message


def _try_to_close(page: Page) -> None:
    page.goto("/finance/months")
    page.get_by_role("link", name="2026-05").click()
    page.get_by_role("button", name="Close 2026-05").click()


def _open(page: Page, kind: ItemKind) -> None:
    page.goto("/finance/breaks")
    page.get_by_role("link", name=kind.replace("_", " "), exact=True).first.click()
    page.wait_for_url("**/finance/breaks/brk_*")


def _explain(page: Page, eye: Eye) -> None:
    _open(page, ItemKind.POSTING_WITHOUT_SOURCE)
    eye.check(page)
    page.get_by_label("Explanation").fill("A gift of the house.")
    page.get_by_role("button", name="Explain").click()
    expect(page.locator(".toolbar .state")).to_have_text("explained")


def _settle(clerk: Page, approver: Page, eye: Eye, kind: ItemKind, how: str, sides: tuple[str, str]) -> None:
    """One proposes the entry, the other approves it."""
    _open(clerk, kind)
    clerk.get_by_label("How").select_option(how)
    for field, wanted in zip(("Debit", "Credit"), sides, strict=True):
        box = clerk.get_by_label(field, exact=True)
        options = box.locator("option").all_inner_texts()
        box.select_option(next(option for option in options if option.startswith(wanted)))
    if sides[1].startswith("2000"):
        clerk.get_by_label("Whose account is credited").select_option("Overdrawn Lab")
    clerk.get_by_label("Reason").fill("Agreed with the lead.")
    clerk.get_by_role("button", name="Propose").click()
    expect(clerk.get_by_text("A colleague who may approve posts it.")).to_be_visible()
    _open(approver, kind)
    eye.check(approver)
    approver.get_by_role("button", name="Approve and post").click()
    expect(approver.locator(".toolbar .state")).to_have_text(re.compile("adjusted|written off"))


def _put_right(books: Stage, people: list[User]) -> None:
    """Do what the differences ask for: bill, release, match, confirm, and bring the clearing account back to zero."""
    now = clock.now()
    story.do_jobs()
    payouts.release_due(now=now)
    trader = Actor(books.buyer.id, None, None, frozenset({Capability.TRADE, Capability.VIEW_BUYING}), "trader")
    asked = payments.request_top_up(trader, Money(99_900, "CNY"), now=now)
    receipt = BankReceipt.objects.get(status="unmatched")
    payments.match_receipt(SYSTEM, receipt.id, top_up_id=asked.id, now=now)
    paying.confirm(SYSTEM, Payout.objects.get(status="in_transit").id, "B-SHOWN", now=now)
    clerk, approver = (actors.for_user(person, None) for person in people)
    for line in clearing.clearing_lines(now):
        if line.is_overdue:
            back = [Entry(Code.VOUCHERS, line.balance_minor), Entry(line.code, -line.balance_minor)]
            entry = journals.propose(
                clerk, JournalKind.ADJUSTMENT, back, currency=line.currency, reason="Never came.", effective_at=now,
                now=now,
            )  # fmt: skip
            journals.approve(approver, entry.id, now=now)
