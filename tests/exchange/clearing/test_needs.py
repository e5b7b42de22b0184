"""Which cells an order accepts."""

import pytest

from exchange.clearing.book import Attributes, MaxLatency, Needs
from exchange.clearing.needs import satisfies

CELL = Attributes("H100", 80, 990, "eu-de", 80, 2, "ib", {"berlin": 9})


@pytest.mark.parametrize(
    ("needs", "accepted"),
    [
        (Needs(), True),
        (Needs(model=("H100", "H200")), True),
        (Needs(model=("H200",)), False),
        (Needs(model=()), False),
        (Needs(region=("eu-de",), interconnect=("ib",)), True),
        (Needs(interconnect=("roce",)), False),
        (Needs(min_mem_gb=80, min_tflops=990, min_green_pct=80, min_security=2), True),
        (Needs(min_mem_gb=81), False),
        (Needs(min_security=3), False),
        (Needs(max_latency=MaxLatency("berlin", 9)), True),
        (Needs(max_latency=MaxLatency("berlin", 8)), False),
        (Needs(max_latency=MaxLatency("paris", 99)), False),
    ],
)
def test_a_cell_qualifies_if_it_meets_every_need(needs: Needs, accepted: bool) -> None:
    assert satisfies(CELL, needs) is accepted


@pytest.mark.parametrize(
    "needs",
    [
        Needs(model=("H100",)),
        Needs(min_mem_gb=0),
        Needs(min_green_pct=0),
        Needs(region=("eu-de",)),
        Needs(max_latency=MaxLatency("berlin", 99)),
    ],
)
def test_a_cell_that_lacks_an_attribute_does_not_meet_a_need_for_it(needs: Needs) -> None:
    assert not satisfies(Attributes(), needs)
