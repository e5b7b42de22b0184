"""Indications: taken twice in the no-cancel phase, public without names, odds for one's own orders alone."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.foundation import clock, ids
from accounts.jobs import services as jobs
from accounts.jobs.models import Job
from accounts.organisations.models import Organisation
from accounts.organisations.rules import Role
from exchange.auctions import gates
from exchange.indications import services
from exchange.indications.models import Indication, OrderOdds
from exchange.offers.models import Offer
from exchange.orders import services as orders
from exchange.orders.models import Order
from exchange.orders.rules import OrderStatus
from exchange.rounds.models import Round
from tests.accounts import cast as accounts_cast
from tests.exchange import cast
from tests.exchange.cast import GATE, Story, micros

Call = Callable[..., Any]
MINUTE = timedelta(minutes=1)
LOCK = GATE - 10 * MINUTE


def live(instant: datetime) -> None:
    """Let beat and a worker live at an instant."""
    clock.set_virtual(instant)
    gates.close_due(now=instant)
    jobs.run_due(limit=20, now=instant)


@pytest.fixture
def entered(story: Story) -> dict[str, Order]:
    """The story's offers and orders."""
    cast.place_offer(story, story.huailai, story.huailai_cards, "8.00")
    cast.place_offer(story, story.zhangbei, story.zhangbei_cards, "10.00")
    return {
        "B1": cast.place_order(story.beichen, cast.block(story, "12.50")),
        "B2": cast.place_order(story.lanting, cast.hourly(story, "11.00")),
        "B3": cast.place_order(story.qinghe, cast.hourly(story, "9.00", quantity_max=8)),
    }


def odds_path(order: Order) -> str:
    return f"/v1/orders/{ids.spell('ord', order.id)}/odds"


def test_two_indications_are_taken_in_the_phase_and_neither_touches_the_book(
    call: Call, story: Story, entered: dict[str, Order]
) -> None:
    assert call(None, "get", "/v1/market-data/ai-cards/indicative").json()["rows"] == []
    live(LOCK)
    assert Indication.objects.count() == 1
    assert Job.objects.get(kind="indicate_round", key__endswith="/2").due_at == GATE - 5 * MINUTE
    live(GATE - 5 * MINUTE)
    first, second = Indication.objects.order_by("place")
    assert (first.taken_at, second.taken_at) == (LOCK, GATE - 5 * MINUTE)
    assert (first.book_digest, first.outcome_digest) == (second.book_digest, second.outcome_digest)
    assert {order.status for order in Order.objects.all()} == {OrderStatus.OPEN}
    assert not Offer.objects.filter(locked_at__isnull=False).exists()
    live(GATE)
    # The gate froze the same book, so it decided what was indicated.
    closed = Round.objects.get(scheduled_at=GATE)
    assert closed.snapshot.digest == first.book_digest
    assert closed.outcome.digest == first.outcome_digest
    assert call(None, "get", "/v1/market-data/ai-cards/indicative").json()["rows"] == []


def test_everybody_sees_price_matched_quantity_and_imbalance_and_no_member(
    call: Call, story: Story, entered: dict[str, Order]
) -> None:
    live(LOCK)
    document = call(None, "get", "/v1/market-data/ai-cards/indicative").json()
    day = [row for row in document["rows"] if row["price"] == "10.000000"]
    assert [(row["matched_unit_hours"], row["spare_unit_hours"], row["imbalance_unit_hours"]) for row in day] == [
        (28 * 12, 48, -48)
    ]
    assert sum(row["matched_unit_hours"] for row in document["rows"]) == 528
    text = str(document)
    assert not any(ids.spell("ord", order.id) in text for order in entered.values())
    assert not any(member.name in text for member in Organisation.objects.all())
    assert "If the gate were now" in Client().get("/market-data/ai-cards").content.decode()


def test_members_see_the_odds_of_their_own_orders_alone(call: Call, story: Story, entered: dict[str, Order]) -> None:
    missing = call(story.qinghe, "get", odds_path(entered["B3"]))
    assert (missing.status_code, missing.json()["code"]) == (404, "nothing_indicated")
    live(LOCK)
    own = call(story.qinghe, "get", odds_path(entered["B3"])).json()
    assert (own["filled_unit_hours"], own["wanted_unit_hours"]) == (0, 96)
    assert (own["limit_price"], own["best_price"], own["distance"]) == ("9.000000", "10.000000", "-1.000000")
    filled = call(story.beichen, "get", odds_path(entered["B1"])).json()
    assert (filled["filled_unit_hours"], filled["distance"]) == (384, "3.000000")
    assert call(story.qinghe, "get", odds_path(entered["B1"])).status_code == 404
    assert call(story.huailai, "get", odds_path(entered["B1"])).status_code in {403, 404}
    assert call(None, "get", odds_path(entered["B1"])).status_code == 401


def test_who_raises_the_limit_finds_better_odds_in_the_second(
    call: Call, story: Story, entered: dict[str, Order]
) -> None:
    live(LOCK)
    cast.fund(cast.organisation_of(story.qinghe), "200")
    orders.amend(story.qinghe, entered["B3"].id, limit_micros=micros("10.00"), now=clock.now())
    live(GATE - 5 * MINUTE)
    own = call(story.qinghe, "get", odds_path(entered["B3"])).json()
    assert (own["filled_unit_hours"], own["limit_price"]) == (48, "10.000000")
    assert OrderOdds.objects.filter(order=entered["B3"]).count() == 2


def test_taking_one_again_and_taking_one_too_late_change_nothing(story: Story, entered: dict[str, Order]) -> None:
    live(LOCK)
    coming = Round.objects.get(scheduled_at=GATE)
    before = list(OrderOdds.objects.values_list("id"))
    services.indicate(f"{coming.id}/1", {}, renew=lambda: None)
    assert list(OrderOdds.objects.values_list("id")) == before
    clock.set_virtual(GATE)
    services.indicate(f"{coming.id}/2", {}, renew=lambda: None)
    assert Indication.objects.count() == 1


def test_lots_are_shown_as_units_at_prices_per_unit(story: Story) -> None:
    market = cast.make_market(story.operator, "machines", lot_units=8)
    machines = Story(**{**vars(story), "market": market})
    cast.place_offer(machines, story.huailai, story.huailai_cards, "8.00")
    order = cast.place_order(story.beichen, cast.hourly(machines, "10.00", quantity_max=8, first=8, last=10))
    live(LOCK)
    odds = OrderOdds.objects.get(order=order)
    assert (odds.filled_unit_hours, odds.wanted_unit_hours, odds.limit_micros) == (16, 16, micros("10.00"))
    said = Indication.objects.get(round__market=market)
    assert said.matched_unit_hours == 16
    assert sum(line["spare_unit_hours"] for line in said.lines) == 16 * 24 - 16


def test_the_page_of_the_round_shows_what_it_would_find_and_each_member_the_odds_of_its_own_orders(
    story: Story, entered: dict[str, Order]
) -> None:
    page = f"/rounds/{ids.spell('rnd', Round.objects.get(scheduled_at=GATE).id)}"
    assert "said here twice" in Client().get(page).content.decode()
    live(LOCK)
    anybody = Client().get(page).content.decode()
    assert "If the gate were now" in anybody
    assert "Your orders" not in anybody
    client = Client()
    client.force_login(accounts_cast.member(cast.organisation_of(story.lanting), "trader", Role.BUYER_TRADER))
    own = client.get(page).content.decode()
    assert f"/orders/{ids.spell('ord', entered['B2'].id)}" in own
    assert f"/orders/{ids.spell('ord', entered['B1'].id)}" not in own
