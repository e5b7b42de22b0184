"""A process is killed while hours of a lease are offered back and while they are sold: they belong to one buyer."""

from collections.abc import Iterator

import pytest
from django.db import transaction

from accounts.events.models import Event
from accounts.foundation import clock
from billing.contracts.models import Contract, ContractResale
from exchange.auctions import clear, gates, settle
from exchange.capacity.models import CapacitySlot
from exchange.leases.models import Lease
from exchange.offers.models import Offer
from exchange.rounds.models import Round
from exchange.rounds.rules import RoundStatus
from exchange.trades.models import Trade
from tests.exchange import cast
from tests.exchange.cast import GATE, HOUR, NOW, D
from tests.exchange.leases.delivery import at, violated
from tests.exchange.leases.reselling import SECOND_GATE, Stage, order, sell_back, serve, staged
from tests.faults.killed import sweep

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]
WHOLE = [(8, 10, 20)]
SHORTENED = [(8, 10, 14), (4, 14, 17), (8, 17, 20)]


@pytest.fixture
def stage() -> Iterator[Stage]:
    with clock.travel(NOW):
        with transaction.atomic():
            story = cast.make_story()
        yield staged(story)


def offered() -> list[Offer]:
    return list(Offer.objects.filter(origin__isnull=False))


def check_it_belongs_to_one_buyer(stage: Stage) -> None:
    """Trade, contract, lease and what has left Lin's lease are there together or not at all."""
    mei = stage.mei.organisation()
    sold = Trade.objects.filter(buyer_id=mei).count()
    assert sold == ContractResale.objects.count() == Contract.objects.filter(buyer_id=mei).count()
    assert sold == Lease.objects.filter(buyer_id=mei).count() == Event.objects.filter(type="lease.resold").count() / 2
    assert stage.owed() == (SHORTENED if sold else WHOLE)
    hours = CapacitySlot.objects.filter(offering=stage.lease.offering, starts_at__range=(D + 14 * HOUR, D + 16 * HOUR))
    assert {row.sold for row in hours} == {8}


def test_whoever_offers_hours_back_and_is_killed_has_offered_all_of_them_or_none(stage: Stage) -> None:
    at(GATE + HOUR)

    def offer_once() -> None:
        if not offered():
            sell_back(stage, 4, 14, 17)

    def check() -> None:
        for offer in offered():
            assert (offer.quantity, offer.slots.count()) == (4, 3)
            assert Event.objects.filter(type="offer.placed", subject_id=offer.id).exists()
        assert stage.owed() == WHOLE

    assert sweep(offer_once, clock_at=GATE + HOUR, after_each=check, every=3) > 5
    assert len(offered()) == 1
    assert violated() == []


def test_a_worker_killed_while_hours_sold_back_are_settled_hands_them_over_once(stage: Stage) -> None:
    at(GATE + HOUR)
    sell_back(stage, 4, 14, 17)
    order(stage.mei, cast.hourly(stage.story, "7.00", quantity_max=4, first=14, last=17))
    serve(-1, 12)
    at(SECOND_GATE)
    gates.close_due(now=SECOND_GATE)
    held = Round.objects.get(scheduled_at=SECOND_GATE)
    clear.clear_round(str(held.id), {}, renew=lambda: None)

    def settle_it() -> None:
        settle.settle_round(str(held.id), {}, renew=lambda: None)

    kills = sweep(settle_it, clock_at=SECOND_GATE, after_each=lambda: check_it_belongs_to_one_buyer(stage), every=4)
    assert kills > 10
    settle_it()
    check_it_belongs_to_one_buyer(stage)
    assert (stage.owed(), Round.objects.get(id=held.id).status) == (SHORTENED, RoundStatus.PUBLISHED)
    assert violated() == []
