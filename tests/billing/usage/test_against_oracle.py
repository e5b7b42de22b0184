"""A stream with duplicates, conflicts and disorder is billed as the oracle works it out, to the fen.

The same on a million events: `python -m benchmarks.usage.campaign`.
"""

import pytest

from benchmarks.books.dice import Dice
from tests.billing.usage import oracle, stream

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("seed", [1, 2])
def test_a_disorderly_stream_is_billed_to_the_fen(seed: int) -> None:
    stage, opened = stream.world(2)
    arrived = stream.arrivals(Dice(seed), 1_500, len(opened))
    counts = stream.send(stage, [point for _, point in opened], arrived, batch=400)
    assert counts == {"accepted": 1_185, "duplicate": counts["duplicate"], "conflict": counts["conflict"]}
    assert counts["conflict"] >= 15
    for (contract, _), account in zip(opened, oracle.accepted(arrived, len(opened)), strict=True):
        assert stream.bill(contract) == oracle.totals(account)
