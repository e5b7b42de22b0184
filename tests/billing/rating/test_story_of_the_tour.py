"""The one story with exact numbers: what B1's contract with Huailai Compute and B2's with Zhangbei come to."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from billing.contracts import rules as contract_rules
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
from billing.rating import bills, charges
from billing.rating.bills import LineKind
from catalog.measures.interval import Interval

DAY = datetime(2026, 5, 10, 16, tzinfo=UTC)  # 00:00 of the delivery day in Shanghai
OFFERING = UUID(int=1)


def at(hour: int) -> datetime:
    return DAY + timedelta(hours=hour)


def party(number: int, name: str) -> PartyTerms:
    return PartyTerms(UUID(int=number), name, f"{name} Ltd", f"9111{number}", "CN", "Zhangjiakou", True)


TERMS = Terms(
    market_code="ai-cards",
    merchant_of_record=MerchantOfRecord.EXCHANGE,
    exchange=party(10, "Exchange"),
    buyer=party(11, "Beichen AI Lab"),
    provider=party(12, "Huailai Compute"),
    offerings=(
        OfferingTerms(
            offering_id=OFFERING,
            unit="card_hours",
            cell="zjk-1/ascend-910b3/roce",
            name="Ascend 910B3",
            resource="ascend-910b3",
            site="zjk-1",
            place="Zhangjiakou",
            sla_credit_ppm=100_000,
            rate_card_version=1,
            rates=(RateTerms("egress_gb", 500_000),),
        ),
    ),
    fees=FeeTerms(1, 10_000, 40_000),
    sales_taxes=(TaxTerms("CN", "S", 60_000, datetime(2020, 1, 1, tzinfo=UTC)),),
    purchase_taxes=(TaxTerms("CN", "S", 60_000, datetime(2020, 1, 1, tzinfo=UTC)),),
)


def slot(start: int, end: int, quantity: int, price_micros: int) -> SlotTerms:
    return SlotTerms(OFFERING, at(start), at(end), quantity, "card_hours", price_micros)


B1_SLOTS = (slot(0, 8, 16, 9_000_000), slot(8, 20, 16, 10_000_000), slot(20, 24, 16, 9_000_000))
B2_SLOTS = (slot(8, 20, 12, 10_000_000),)


def b1_charges() -> list[charges.Charge]:
    delivered = [(0, 13, 16), (13, 14, 12), (14, 24, 16)]
    segments = [charges.Segment(OFFERING, Interval(at(start), at(end)), cards) for start, end, cards in delivered]
    capacity = [charge for segment in segments for charge in charges.segment_charges(segment, B1_SLOTS)]
    egress = charges.Reading(OFFERING, "egress_gb", Interval(at(0), at(24)), Decimal("125.5"))
    return [
        *capacity,
        charges.reading_charge(egress, RateTerms("egress_gb", 500_000)),
        *charges.gap_charges(B1_SLOTS, segments),
    ]


def test_holds_are_the_worst_case_at_placement_and_the_cleared_value_after_the_trade() -> None:
    b1 = contract_rules.worst_case(480_000, fee_ppm=10_000, tax_ppm=60_000)
    b2 = contract_rules.worst_case(158_400, fee_ppm=10_000, tax_ppm=60_000)
    b3 = contract_rules.worst_case(86_400, fee_ppm=10_000, tax_ppm=60_000)
    assert (b1.total_minor, b2.total_minor, b3.total_minor) == (513_888, 169_583, 92_500)

    value = contract_rules.value_of(B1_SLOTS, currency="CNY")
    cleared = contract_rules.worst_case(value, fee_ppm=10_000, tax_ppm=60_000)
    assert (value, cleared.fee_minor, cleared.tax_minor, cleared.total_minor) == (364_800, 3_648, 22_107, 390_555)


def test_b1_is_billed_what_was_delivered_with_egress_credit_and_fee() -> None:
    bill = bills.customer_bill(b1_charges(), TERMS, currency="CNY")
    assert [(line.kind, line.quantity, line.amount_minor) for line in bill.lines] == [
        (LineKind.CAPACITY, 192, 172_800),
        (LineKind.CAPACITY, 188, 188_000),
        (LineKind.METERED, Fraction("125.5"), 6_275),
        (LineKind.SLA_CREDIT, 10, -400),
        (LineKind.FEE, 1, 3_608),
    ]
    credit = bill.lines[3]
    assert credit.share_base_minor == 4_000
    assert (credit.starts_at, credit.ends_at) == (at(13), at(14))
    assert bill.lines[4].share_base_minor == 360_800
    assert (bill.net_minor, bill.tax_minor, bill.total_minor) == (370_283, 22_217, 392_500)


def test_the_provider_is_owed_the_same_supply_less_the_commission() -> None:
    statement = bills.provider_bill(b1_charges(), TERMS, currency="CNY")
    assert statement.lines[-1].share_base_minor == 367_075
    assert statement.sum_minor(LineKind.COMMISSION) == -14_683
    assert (statement.net_minor, statement.tax_minor, statement.total_minor) == (351_992, 21_120, 373_112)
    assert bills.customer_bill(b1_charges(), TERMS, currency="CNY").net_minor - statement.net_minor == 18_291


def test_b2_pays_for_144_card_hours() -> None:
    segment = charges.Segment(OFFERING, Interval(at(8), at(20)), 12)
    delivered = charges.segment_charges(segment, B2_SLOTS)
    assert bills.customer_bill(delivered, TERMS, currency="CNY").total_minor == 154_166
    assert bills.provider_bill(delivered, TERMS, currency="CNY").total_minor == 146_534
