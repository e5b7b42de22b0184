"""Normalised performance follows from what was delivered: units x rated TFLOPS x hours x coefficient, exactly."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from billing.contracts.rates import CoefficientTerms
from billing.contracts.terms import OfferingTerms, RateTerms, SlotTerms
from billing.rating import charges
from billing.rating.charges import ChargeKind, Segment, Unpriceable
from catalog.measures.interval import Interval
from tests.billing.rating import worlds
from tests.billing.rating.worlds import OFFERING, START

HOUR = timedelta(hours=1)
SLOTS = (SlotTerms(OFFERING, START, START + 4 * HOUR, 8, "card_hours", 1_000_000),)


def offering(**changes: object) -> OfferingTerms:
    agreed = worlds.terms(rates=(RateTerms("pflops_hours", 30_000_000, precision="fp16"),)).offerings[0]
    coefficients = (
        CoefficientTerms("fp16", 1_000_000, 1, START - HOUR, START + HOUR),
        CoefficientTerms("fp16", 850_001, 2, START + HOUR),
    )
    return replace(agreed, rated_tflops=Decimal("312.500"), coefficients=coefficients, **changes)  # type: ignore[arg-type]


def test_a_change_of_coefficient_and_a_resize_split_what_is_counted() -> None:
    agreed = worlds.terms(rates=())
    agreed = replace(agreed, offerings=(offering(),))
    cuts = charges.cuts_of(agreed)
    # Eight cards for half an hour, then two until an hour after the coefficient changed.
    runs = [(START, START + HOUR / 2, 8), (START + HOUR / 2, START + 2 * HOUR, 2)]
    found = [
        charge
        for start, end, cards in runs
        for charge in charges.normalised_charges(
            charges.segment_charges(Segment(OFFERING, Interval(start, end), cards), SLOTS, cuts=cuts), offering()
        )
    ]
    pflops = Fraction("312.5") / 1000
    assert [charge.quantity for charge in found] == [
        8 * pflops / 2,
        2 * pflops / 2,
        2 * pflops * Fraction(850_001, 10**6),
    ]
    assert {(charge.kind, charge.unit) for charge in found} == {(ChargeKind.METERED, "pflops_hours")}


def test_only_delivered_capacity_counts() -> None:
    capacity = charges.gap_charges(SLOTS, ())
    assert charges.normalised_charges(capacity, offering()) == ()


def test_performance_without_a_rating_or_a_coefficient_has_no_price() -> None:
    capacity = charges.segment_charges(Segment(OFFERING, SLOTS[0].interval, 8), SLOTS)
    with pytest.raises(Unpriceable, match="no rated performance"):
        charges.normalised_charges(capacity, replace(offering(), rated_tflops=None))
    with pytest.raises(Unpriceable, match="no coefficient for fp16"):
        charges.normalised_charges(capacity, replace(offering(), coefficients=()))


def test_agents_do_not_report_what_follows_from_the_allocation() -> None:
    assert offering().meters == frozenset()
