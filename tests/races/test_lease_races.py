"""Many at once at one lease: what is handed back and what is paused never overlap, whoever comes first."""

from collections.abc import Iterator
from functools import partial

import pytest

from accounts.foundation import clock
from exchange.leases import pauses, queries, returns
from exchange.leases.models import Lease
from exchange.leases.pauses import Window
from tests.audit.stage import finding
from tests.exchange import cast
from tests.exchange.cast import GATE, HOUR, NOW, D
from tests.exchange.leases.delivery import Delivery, cleared, part
from tests.races.together import refusals, together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def delivery(transactional_db: None) -> Iterator[Delivery]:
    """The story after its round, committed, so that every connection sees it."""
    with clock.travel(NOW):
        yield cleared(cast.make_story())
        assert [code for code in ("M1", "M11", "M18", "M19") if finding(code).violations] == []


def test_units_go_back_once_however_many_ask_at_the_same_time(delivery: Delivery) -> None:
    buyer, lease = delivery.story.beichen, delivery.lease.id
    back = partial(returns.hand_back, buyer, lease, part(6, 10, 12), now=GATE)
    results = together([back] * 5)
    assert refusals(results) == 3, "16 cards hold two times 6"
    left = queries.owed(Lease.objects.select_related("contract").get(id=lease))
    assert [run.quantity for run in left] == [16, 4, 16]


def test_a_return_and_a_pause_of_the_same_hours_take_turns(delivery: Delivery) -> None:
    buyer, lease = delivery.story.beichen, delivery.lease.id
    back = partial(returns.hand_back, buyer, lease, part(16, 10, 12), now=GATE)
    rest = partial(pauses.pause, buyer, lease, Window(D + 10 * HOUR, D + 12 * HOUR), now=GATE)
    results = together([back, rest, back, rest])
    assert refusals(results) == 3, "whoever is first leaves nothing to the others"
