"""What a stopped wallet leaves: its orders, the next round, and at last its leases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from accounts.actors.actor import Actor
from accounts.events.models import Event
from billing.landings import services as landings
from billing.landings.errors import WalletStopped
from billing.landings.models import LandingPolicy
from exchange.auctions import clear, gates, settle
from exchange.leases import unfunded as unfunded_leases
from exchange.leases.models import Lease
from exchange.orders import unfunded
from exchange.orders.models import Order
from exchange.rounds.models import Round
from tests.billing.ledger.books import Party, invoice, top_up
from tests.exchange import cast
from tests.exchange.cast import GATE, HOUR, NOW, Story, funds
from tests.exchange.leases.delivery import at, cleared

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_grace() -> None:
    """Every stage is due as soon as the one before it."""
    LandingPolicy.objects.create(grace_hours=0, notice_hours=0, effective_from=NOW - HOUR)


def owner(actor: Actor) -> Party:
    organisation_id = actor.organisation()
    project = Order.objects.filter(buyer_id=organisation_id).values_list("project_id", flat=True).first()
    assert project is not None
    return Party(organisation_id, project)


def overdraw(actor: Actor, by_minor: int) -> Party:
    """Let extras take a buyer's wallet below zero."""
    party = owner(actor)
    balance, held, _ = funds(actor)
    invoice(party, balance - held + by_minor, extras_minor=by_minor)
    return party


def test_orders_of_a_stopped_wallet_are_withdrawn_and_no_new_ones_taken(story: Story) -> None:
    order = cast.place_order(story.lanting, cast.hourly(story, "11.00"))
    overdraw(story.lanting, 10**7)
    landings.watch(now=NOW)
    assert unfunded.withdraw(now=NOW) == 0  # grace
    landings.watch(now=NOW)
    assert unfunded.withdraw(now=NOW) == 1
    assert unfunded.withdraw(now=NOW) == 0
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert funds(story.lanting)[1] == 0
    with pytest.raises(WalletStopped):
        cast.place_order(story.lanting, cast.hourly(story, "11.00"))


def test_what_its_order_gave_back_may_be_enough(story: Story) -> None:
    cast.place_order(story.lanting, cast.hourly(story, "11.00"))
    overdraw(story.lanting, 100)
    landings.watch(now=NOW)
    landings.watch(now=NOW)
    assert unfunded.withdraw(now=NOW) == 1
    landings.watch(now=NOW)
    told = Event.objects.filter(type__startswith="wallet.").order_by("id").values_list("type", flat=True)
    assert list(told) == ["wallet.grace", "wallet.stopped", "wallet.lifted"]


def test_an_order_in_the_no_cancel_phase_waits_for_its_round_and_does_not_roll_over(story: Story) -> None:
    spec = cast.hourly(story, "9.00")
    order = cast.place_order(story.qinghe, replace(spec, terms=replace(spec.terms, rolls_over=True, quantity_max=8)))
    overdraw(story.qinghe, 10**7)
    late = at(GATE - timedelta(seconds=1))
    landings.watch(now=late)
    landings.watch(now=late)
    assert unfunded.withdraw(now=late) == 0
    at(GATE)
    gates.close_due(now=GATE)
    round_ = Round.objects.get(market=story.market, scheduled_at=GATE)
    clear.clear_round(str(round_.id), {}, renew=lambda: None)
    settle.settle_round(str(round_.id), {}, renew=lambda: None)
    order.refresh_from_db()
    assert order.status == "unfilled"


def test_leases_are_handed_back_at_their_credit_until_there_is_enough(story: Story) -> None:
    delivery = cleared(story)
    party = overdraw(story.beichen, 100_000)
    for _ in range(3):
        landings.watch(now=GATE)
    assert unfunded_leases.hand_back(now=GATE) == 1
    lease = Lease.objects.get(id=delivery.lease.id)
    assert (lease.status, lease.end_reason) == ("replaced", "returned")
    # 3,648.00 of capacity is worth 1,824.00 at the return credit: enough for the 1,000.00 that were missing.
    landings.watch(now=GATE)
    assert Event.objects.filter(type="wallet.lifted", organisation_id=party.id).count() == 1
    assert unfunded_leases.hand_back(now=GATE) == 0
    assert Lease.objects.get(id=delivery.other.id).status == "scheduled"


def test_a_top_up_in_time_keeps_every_lease(story: Story) -> None:
    delivery = cleared(story)
    party = overdraw(story.beichen, 100_000)
    for _ in range(3):
        landings.watch(now=GATE)
    top_up(party, 100_000)
    assert unfunded_leases.hand_back(now=GATE) == 0
    assert Lease.objects.get(id=delivery.lease.id).status == "scheduled"
