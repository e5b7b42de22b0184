"""Cells: their codes and what they are."""

from dataclasses import replace
from decimal import Decimal

import pytest

from catalog.offerings import rules
from catalog.offerings.rules import CellParts, OfferingStatus

STANDARD = CellParts(
    site_code="zjk-1",
    hub_code="cn-jingjinji",
    site_security=3,
    green_percent=85,
    type_code="ascend-910b3",
    type_memory_gb=64,
    type_tflops=Decimal("313.000"),
    fabric="roce",
)


def test_a_listing_that_states_the_standard_is_in_the_standard_cell() -> None:
    stated = replace(STANDARD, security=3, rated_tflops=Decimal(313), memory_gb=64)
    assert rules.cell_code(STANDARD) == rules.cell_code(stated) == "zjk-1/ascend-910b3/roce"
    assert rules.cell_attributes(STANDARD) == rules.cell_attributes(stated)


@pytest.mark.parametrize(
    ("deviation", "suffix"),
    [
        ({"security": 4}, "/s4"),
        ({"rated_tflops": Decimal("280.00")}, "/t280"),
        ({"rated_tflops": Decimal("280.5")}, "/t280.5"),
        ({"memory_gb": 128}, "/m128"),
        ({"security": 2, "rated_tflops": Decimal(300), "memory_gb": 32}, "/s2/t300/m32"),
    ],
)
def test_a_deviation_makes_a_cell_of_its_own(deviation: dict[str, object], suffix: str) -> None:
    assert rules.cell_code(replace(STANDARD, **deviation)) == f"zjk-1/ascend-910b3/roce{suffix}"  # type: ignore[arg-type]


def test_no_bound_is_met_by_rounding() -> None:
    cell = rules.cell_attributes(
        replace(STANDARD, rated_tflops=Decimal("312.999")), [("beijing", 6, "rtt"), ("shanghai", 11, "one_way")]
    )
    assert cell.tflops == 312
    assert cell.latency_ms == {"beijing": 6, "shanghai": 22}


def test_a_retired_offering_stays_retired() -> None:
    assert not any(rules.can_move(OfferingStatus.RETIRED, status) for status in OfferingStatus)
    assert rules.can_move(OfferingStatus.SUSPENDED, OfferingStatus.LISTED)
