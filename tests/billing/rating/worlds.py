"""Makes up contracts with their deliveries for property tests."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

from hypothesis import strategies as st

from billing.contracts.terms import (
    FeeTerms,
    MerchantOfRecord,
    OfferingTerms,
    PartyTerms,
    RateTerms,
    SlotTerms,
    TaxTerms,
    Terms,
)
from billing.rating.charges import Segment
from catalog.measures.interval import Interval

START = datetime(2026, 5, 10, 16, tzinfo=UTC)
OFFERING = UUID(int=1)
SECOND = timedelta(seconds=1)


def party(number: int) -> PartyTerms:
    """Make up a party."""
    return PartyTerms(UUID(int=number), f"P{number}", f"P{number} Ltd", f"9111{number}", "CN", "Zhangjiakou", True)


def terms(
    *,
    taxes: tuple[TaxTerms, ...] = (TaxTerms("CN", "S", 60_000, datetime(2020, 1, 1, tzinfo=UTC)),),
    sla_credit_ppm: int = 100_000,
    rates: tuple[RateTerms, ...] = (RateTerms("egress_gb", 500_000),),
    fee_ppm: int = 10_000,
    commission_ppm: int = 40_000,
) -> Terms:
    """Return terms over one offering."""
    offering = OfferingTerms(
        offering_id=OFFERING,
        unit="card_hours",
        cell="zjk-1/ascend-910b3/roce",
        name="Ascend 910B3",
        resource="ascend-910b3",
        site="zjk-1",
        place="Zhangjiakou",
        sla_credit_ppm=sla_credit_ppm,
        rate_card_version=1,
        rates=rates,
    )
    return Terms(
        market_code="ai-cards",
        merchant_of_record=MerchantOfRecord.EXCHANGE,
        exchange=party(10),
        buyer=party(11),
        provider=party(12),
        offerings=(offering,),
        fees=FeeTerms(1, fee_ppm, commission_ppm),
        sales_taxes=taxes,
        purchase_taxes=taxes,
    )


def second(offset: int) -> datetime:
    """Return the instant so many seconds after the start."""
    return START + offset * SECOND


@st.composite
def schedules(draw: st.DrawFn) -> tuple[SlotTerms, ...]:
    """A price schedule of one to four runs without gaps, of some seconds each: short, so that a loop can count it."""
    slots: list[SlotTerms] = []
    reached = 0
    for _ in range(draw(st.integers(1, 4))):
        length = draw(st.integers(1, 40))
        quantity = draw(st.integers(1, 6))
        price_micros = draw(st.sampled_from([0, 1, 9_000_000, 10_000_000, 123_456_789, 999_999_999_999]))
        slots.append(
            SlotTerms(OFFERING, second(reached), second(reached + length), quantity, "card_hours", price_micros)
        )
        reached += length
    return tuple(slots)


@st.composite
def deliveries(draw: st.DrawFn, slots: tuple[SlotTerms, ...]) -> tuple[Segment, ...]:
    """Segments inside the schedule that do not overlap; some time may stay unreported, some cards too many."""
    total = round((slots[-1].ends_at - START).total_seconds())
    cuts = sorted(draw(st.sets(st.integers(0, total), max_size=8)) | {0, total})
    segments = []
    for start, end in pairwise(cuts):
        if draw(st.booleans()):
            segments.append(Segment(OFFERING, Interval(second(start), second(end)), draw(st.integers(0, 8))))
    return tuple(draw(st.permutations(segments)))
