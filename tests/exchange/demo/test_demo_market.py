"""The demo market as a newcomer finds it, and that it goes on by itself without growing."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.db import transaction
from django.db.models import Count, Max, Min, Sum

from accounts.actors import services as actors
from accounts.actors.actor import Actor, Capability
from accounts.foundation import clock
from accounts.jobs.models import Job
from accounts.jobs.rules import JobState
from accounts.organisations.models import Membership, Organisation, User
from billing.invoices import services as invoices
from billing.invoices.models import Invoice
from billing.invoices.rules import InvoiceKind
from billing.ledger import queries as ledger
from catalog.measures.interval import HOUR
from catalog.offerings import services as offerings
from catalog.offerings.models import Offering
from catalog.offerings.needs import Needs
from catalog.sites.models import Hub
from exchange.auctions import gates
from exchange.auctions.models import RoundOrder
from exchange.demo import loading, people, stage, traffic
from exchange.demo.cast import acting_for
from exchange.demo.story import do_jobs
from exchange.imports.draws import Draws
from exchange.leases.models import Lease
from exchange.leases.rules import RUNNING
from exchange.markets.models import Market
from exchange.offers.models import Offer
from exchange.orders import services as orders
from exchange.orders.models import Order
from exchange.orders.rules import LIVE, LimitSource, OrderKind, OrderSpec, OrderStatus, OrderTerms
from exchange.rounds.models import Round
from exchange.rounds.rules import RoundStatus

NOW = datetime(2026, 11, 22, 6, 20, 10, tzinfo=UTC)  # twenty past two in the afternoon in Shanghai


@pytest.fixture(scope="module")
def loaded(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Load the demo market once for all tests here, in a transaction that is undone."""
    with django_db_blocker.unblock(), transaction.atomic():
        with clock.travel(NOW):
            loading.load(now=clock.now())
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def at_now(loaded: None) -> Iterator[None]:
    """Let each test live at NOW and undo what it did."""
    with transaction.atomic():
        with clock.travel(NOW):
            yield
        transaction.set_rollback(True)


def live_market() -> Market:
    return Market.objects.get(code=stage.LIVE)


def login(email: str) -> Actor:
    return actors.for_user(User.objects.get(email=email), None)


def minutes(count: int) -> None:
    """Let the exchange run for so many minutes, with the rings of beat that matter to a book."""
    for _ in range(2 * count):
        clock.set_virtual(clock.now() + traffic.STEP)
        gates.close_due(now=clock.now())
        do_jobs()
        traffic.go_on(now=clock.now())


def test_every_hub_has_a_site_and_a_dozen_data_centres_sell_to_three_dozen_buyers() -> None:
    eight = Hub.objects.filter(code__startswith="cn-")
    assert eight.count() == 8
    assert not eight.exclude(sites__status="listed").exists()
    assert Organisation.objects.filter(can_sell=True).count() == 12
    assert Organisation.objects.filter(can_buy=True).count() == 36
    assert not Organisation.objects.filter(synthetic=False).exists()
    forms = set(Offering.objects.values_list("resource_type__form", flat=True))
    assert forms >= {"card", "machine", "core", "node", "tokens", "object", "file"}


def test_the_story_is_there_with_its_numbers_whatever_happened_around_it() -> None:
    beichen = Organisation.objects.get(name="Beichen AI Lab")
    invoice = Invoice.objects.get(organisation=beichen, kind=InvoiceKind.CUSTOMER)
    assert (invoice.net_minor, invoice.tax_minor, invoice.total_minor) == (370_283, 22_217, 392_500)
    assert ledger.funds(beichen.id, "CNY").balance_minor == 207_500
    statement = Invoice.objects.get(organisation__name="Zhangbei Green DC", total_minor=146_534)
    assert statement.kind == InvoiceKind.PROVIDER_STATEMENT
    assert Lease.objects.get(buyer=beichen).starts_at == datetime(2026, 11, 20, 16, tzinfo=UTC)


def test_leases_run_now_some_end_soon_and_others_wait() -> None:
    running = Lease.objects.filter(status__in=RUNNING, starts_at__lte=NOW, ends_at__gt=NOW)
    assert running.count() >= 5
    assert running.aggregate(first=Min("ends_at"))["first"] <= NOW + 3 * HOUR
    assert running.filter(buyer__name="Mingde University", provider__name="Huailai Compute").exists()
    assert Lease.objects.filter(starts_at__gt=NOW).exists()
    assert not Lease.objects.filter(status__in=["impaired", "failed"]).exists()
    assert not Job.objects.exclude(state=JobState.DONE).exists()


def test_what_is_delivered_of_a_running_lease_can_be_invoiced_at_once() -> None:
    trader = login("trader@mingde.example")
    lease = Lease.objects.filter(status__in=RUNNING, buyer_id=trader.organisation()).earliest("starts_at")
    invoice = invoices.invoice_on_demand(trader, lease.contract_id, now=NOW)
    assert invoice.total_minor > 0
    assert invoice.status == "paid"


def test_everybody_on_the_list_can_sign_in_with_the_role_it_names() -> None:
    shown = StringIO()
    call_command("demo_logins", stdout=shown)
    lines = shown.getvalue().splitlines()
    assert len(lines) == 1 + len(people.LOGINS)
    for told, line in zip(people.LOGINS, lines[1:], strict=True):
        assert told.email in line
        assert people.PASSWORD in line
        assert Membership.objects.filter(user__email=told.email, role=told.role).exists()
    assert authenticate(username="lin@beichen.example", password=people.PASSWORD) is not None


def test_loading_again_changes_nothing() -> None:
    before = Order.objects.count(), Organisation.objects.count()
    loading.load(now=NOW + HOUR)
    assert (Order.objects.count(), Organisation.objects.count()) == before


def test_a_newcomers_order_fills_in_the_next_round_and_its_lease_is_scheduled() -> None:
    trader = login("lin@beichen.example")
    minutes(3)
    market = live_market()
    placed_at = clock.now()
    next_hour = placed_at.replace(minute=0, second=0, microsecond=0) + HOUR
    terms = OrderTerms(
        quantity_max=8,
        quantity_min=8,
        hours=2,
        earliest_at=next_hour,
        latest_at=next_hour + 4 * HOUR,
        needs=Needs(min_memory_gb=64, min_green_percent=70),
        limit_micros=12_000_000,
    )
    order = orders.place(trader, OrderSpec(market_id=market.id, kind=OrderKind.BLOCK, terms=terms), now=placed_at)
    minutes(1)
    order.refresh_from_db()
    assert order.status == OrderStatus.FILLED
    assert order.closed_at is not None
    assert order.closed_at - placed_at <= timedelta(seconds=90)
    leased = Lease.objects.filter(contract__buyer_id=trader.organisation(), starts_at__gte=next_hour)
    assert leased.aggregate(units=Sum("quantity"))["units"] == 8


def test_every_round_has_something_to_clear_and_the_book_stays_small() -> None:
    minutes(20)
    market = live_market()
    rounds = Round.objects.filter(market=market, status=RoundStatus.PUBLISHED)
    assert rounds.count() == 20
    entered = RoundOrder.objects.filter(round__market=market).values("round").annotate(orders=Count("id"))
    assert len(entered) >= 19  # the first gate comes seconds after the start
    assert max(row["orders"] for row in entered) <= traffic.RESTING_ORDERS + 2
    live_orders = Order.objects.filter(market=market, status__in=LIVE)
    assert live_orders.count() <= traffic.RESTING_ORDERS + 1
    assert Order.objects.filter(market=market, status=OrderStatus.FILLED).exists()
    assert set(Order.objects.filter(market=market).values_list("limit_source", flat=True)) == {LimitSource.SYNTHETIC}


def test_offers_are_renewed_as_the_hours_pass_and_never_pile_up() -> None:
    market = live_market()
    for hours in (5, 11, 18, 30):
        clock.set_virtual(NOW + hours * HOUR)
        gates.close_due(now=clock.now())
        do_jobs()
        traffic.go_on(now=clock.now())
        open_offers = Offer.objects.filter(market=market, closed_at__isnull=True, ends_at__gt=clock.now())
        ends = open_offers.values("offering").annotate(last=Max("ends_at"), offers=Count("id"))
        assert len(ends) == len(traffic.supplies())
        assert all(row["last"] - clock.now() >= traffic.STRETCH for row in ends)
        assert all(row["offers"] <= 3 for row in ends)


def test_a_buyer_whose_wallet_runs_low_is_topped_up_through_finance() -> None:
    buyer = Organisation.objects.get(name="Kite Robotics")
    supplies = traffic.supplies()
    before = ledger.funds(buyer.id, "CNY").balance_minor
    dear = OrderTerms(
        quantity_max=100,
        quantity_min=None,
        hours=None,
        earliest_at=traffic.first_hour(live_market(), now=NOW),
        latest_at=traffic.first_hour(live_market(), now=NOW) + HOUR,
        needs=Needs(models=("h20",)),
        limit_micros=int(Decimal(255) * 1_000_000),
    )
    actor = acting_for(buyer, Capability.TRADE)
    orders.place(actor, OrderSpec(market_id=live_market().id, kind=OrderKind.HOURLY, terms=dear), now=NOW)
    traffic.place_order(live_market(), supplies, Draws(1, "low"), fills=True, now=NOW, buyer=buyer)
    assert ledger.funds(buyer.id, "CNY").balance_minor == before + stage.TOP_UP.amount_minor


def test_what_the_operator_suspended_is_left_alone() -> None:
    offering = Offering.objects.get(name="Danxia H20")
    offerings.suspend(Actor.system("test"), offering.id, now=NOW)
    clock.set_virtual(NOW + 12 * HOUR)
    traffic.go_on(now=clock.now())
    assert "Danxia H20" not in {supply.offering.name for supply in traffic.supplies()}


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2026, 11, 22, 4, tzinfo=UTC), date(2026, 11, 21)),
        (datetime(2026, 11, 21, 19, 0, tzinfo=UTC), date(2026, 11, 21)),  # three in the morning in Shanghai
        (datetime(2026, 11, 21, 18, 59, tzinfo=UTC), date(2026, 11, 20)),
        (datetime(2026, 11, 21, 15, 59, tzinfo=UTC), date(2026, 11, 20)),
    ],
)
def test_the_story_is_of_the_last_day_that_leaves_three_hours_of_today(now: datetime, day: date) -> None:
    assert loading.story_day(now) == day
