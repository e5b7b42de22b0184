"""Many at once at one lease: what is handed back, paused and on offer never overlaps, whoever comes first."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest

from accounts.foundation import clock, ids
from accounts.foundation.errors import DomainError
from exchange.auctions import gates
from exchange.leases import pauses, queries, resales, returns
from exchange.leases.models import Lease
from exchange.leases.pauses import Window
from exchange.leases.resales import SellBack
from exchange.rounds.models import Round, RoundSnapshot
from tests.audit.stage import finding
from tests.exchange import cast
from tests.exchange.cast import GATE, HOUR, NOW, D
from tests.exchange.leases import reselling
from tests.exchange.leases.delivery import Delivery, at, cleared, part
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


def test_a_return_a_pause_and_two_offers_of_the_same_hours_take_turns(transactional_db: None) -> None:
    with clock.travel(NOW):
        stage = reselling.staged(cast.make_story())
        buyer, lease = stage.lin, stage.lease.id
        back = partial(returns.hand_back, buyer, lease, part(6, 14, 16), now=GATE)
        rest = partial(pauses.pause, buyer, lease, Window(D + 14 * HOUR, D + 16 * HOUR), now=GATE)
        sell = partial(resales.sell_back, buyer, lease, SellBack(part(5, 14, 16), cast.micros("5.00")), now=GATE)
        results = together([back, sell, rest, sell, back])
        # 8 cards: a pause takes whatever is left, an offer five of them, a return six.
        assert refusals(results) >= 3
        assert [code for code in ("M1", "M11", "M18", "M19", "M22") if finding(code).violations] == []


def test_an_offer_of_hours_and_a_gate_take_turns(transactional_db: None) -> None:
    with clock.travel(NOW):
        stage = reselling.staged(cast.make_story())
        gate_at = reselling.SECOND_GATE
        at(gate_at - timedelta(hours=1))
        sell = partial(
            resales.sell_back,
            stage.lin,
            stage.lease.id,
            SellBack(part(2, 14, 16), cast.micros("5.00")),
            now=clock.now(),
        )
        first = sell()
        at(gate_at)
        off = partial(resales.withdraw, stage.lin, stage.lease.id, first.id, now=gate_at)
        results = together([partial(gates.close_due, now=gate_at), off, sell])
        held = Round.objects.get(market=stage.story.market, scheduled_at=gate_at)
        text = RoundSnapshot.objects.get(round=held).text
        # Withdrawn or in the book, never both; what came at the gate is for the next one, which cannot deliver it.
        assert (ids.spell("off", first.id) in text) == isinstance(results[1], DomainError)
        assert isinstance(results[2], DomainError)
        assert [code for code in ("M1", "M22") if finding(code).violations] == []
