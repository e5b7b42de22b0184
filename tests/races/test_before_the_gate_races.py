"""Many at once before the gate: workers on one indication, operators who decide on one wish."""

from datetime import timedelta
from functools import partial
from typing import Final

import pytest

from accounts.foundation import clock
from exchange.auctions import gates, giving_up
from exchange.indications import services as indications
from exchange.indications.models import Indication, OrderOdds
from exchange.orders.models import Order
from exchange.rounds.errors import VoidNotAsked
from exchange.rounds.models import Round, RoundVoidRequest
from exchange.rounds.rules import RoundStatus, VoidState
from tests.exchange import cast
from tests.exchange.cast import GATE, NOW
from tests.faults.test_round_faults import enter_the_story, the_round
from tests.races.together import together

pytestmark = pytest.mark.django_db(transaction=True)

LOCK: Final = GATE - timedelta(minutes=10)


def test_an_indication_that_many_workers_take_is_said_once_from_one_instant() -> None:
    enter_the_story()
    clock.set_virtual(LOCK)
    gates.close_due(now=LOCK)
    coming = the_round()
    assert coming.status == RoundStatus.LOCKED
    step = partial(indications.indicate, f"{coming.id}/1", {}, renew=lambda: None)
    results = together([step] * 4, at=LOCK + timedelta(seconds=1), in_transaction=False)
    assert set(results) == {None}
    said = Indication.objects.get()
    assert (said.place, said.matched_unit_hours) == (1, 528)
    assert OrderOdds.objects.count() == Order.objects.count() == 3


def test_of_many_who_decide_on_a_wish_one_does() -> None:
    enter_the_story()
    clock.set_virtual(NOW)
    coming = the_round()
    first, second = cast.two_operators()
    giving_up.ask(first, coming.id, reason="The site is on fire.", now=NOW)
    results = together(
        [
            partial(giving_up.confirm, second, coming.id, now=NOW),
            partial(giving_up.confirm, second, coming.id, now=NOW),
            partial(giving_up.decline, first, coming.id, now=NOW),
            partial(giving_up.decline, second, coming.id, now=NOW),
        ]
    )
    assert sum(isinstance(result, VoidNotAsked) for result in results) == 3
    decided = RoundVoidRequest.objects.get()
    voided = Round.objects.get(id=coming.id).status == RoundStatus.VOID
    assert voided == (decided.state == VoidState.CONFIRMED)
