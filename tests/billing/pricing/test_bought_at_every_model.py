"""What a provider prices by tiers, classes or performance is bought, metered, invoiced and stated to the fen."""

from datetime import timedelta
from decimal import Decimal

import pytest

from billing.contracts import services as contracts
from billing.contracts.models import Contract
from billing.contracts.rules import TerminationReason
from billing.contracts.terms import Terms
from billing.invoices import batches
from billing.invoices import services as invoices
from billing.invoices.models import Invoice
from billing.invoices.rules import Side
from billing.ledger.models import Account
from billing.pricing import services as pricing
from billing.pricing.errors import NotInForceBefore, PricingRefused, VoucherAlreadyOver, VoucherCodeTaken
from billing.pricing.models import PriceAdjustment, Voucher
from billing.pricing.services import VoucherSpec
from billing.rating.models import Charge
from billing.usage import services as usage
from catalog.measures.money import Money
from catalog.measures.tariffs import PriceModel, Tier
from catalog.offerings import services as offerings
from catalog.offerings.errors import RateCardRefused
from catalog.offerings.services import Rate
from tests.billing import delivery
from tests.billing.delivery import AFTER, PLACED, SYSTEM, Stage

pytestmark = pytest.mark.django_db

TIERS = (Tier(100, 500_000), Tier(None, 400_000))
GRADUATED = Rate("egress_gb", 500_000, model=PriceModel.GRADUATED, tiers=TIERS)


@pytest.fixture
def stage() -> Stage:
    found = delivery.stage()
    delivery.fund(found.buyer, 10_000_000)
    return found


def price(stage: Stage, *rates: Rate, after: timedelta = timedelta(hours=-1)) -> None:
    """Publish a rate card that is in force when the contract is made, or is announced by then."""
    offerings.publish_rate_card(
        stage.seller,
        stage.offering.id,
        rates,
        currency="CNY",
        effective_from=PLACED + after,
        now=PLACED - timedelta(hours=1),
    )


def agreed(stage: Stage) -> Contract:
    return delivery.contract(stage, [delivery.slot(stage, 0, 24, 16, 9_000_000)])


def settled(stage: Stage, contract: Contract) -> tuple[Invoice, Invoice]:
    contracts.end(SYSTEM, contract.id, now=AFTER)
    finance = stage.finance
    invoice = invoices.invoice_contract(finance, contract.id, now=AFTER)
    statement = invoices.issue_statement(finance, contract.id, now=AFTER)
    assert invoice is not None
    assert statement is not None
    return invoice, statement


def printed(invoice: Invoice) -> list[tuple[str, str, int]]:
    return [
        (line.kind, f"{line.quantity:f}".rstrip("0").rstrip("."), line.amount_minor)
        for line in invoice.lines.order_by("n")
    ]


def test_tiers_are_billed_in_portions_and_corrected_from_the_top(stage: Stage) -> None:
    price(stage, GRADUATED)
    contract = agreed(stage)
    point = delivery.point(contract, stage.offering)
    delivery.report(stage, [delivery.segment(point, "s", 0, 24, 16), delivery.reading(point, "e1", 0, 2, "80")])
    first = invoices.invoice_on_demand(stage.trader, contract.id, now=delivery.at(3))
    assert printed(first) == [("metered", "80", 4_000)]
    delivery.report(stage, [delivery.reading(point, "e2", 3, 4, "60"), delivery.reversal("r", "e1")])
    delivery.report(stage, [delivery.reading(point, "e3", 0, 2, "70")])
    invoice, statement = settled(stage, contract)
    # 130 GB in all: 100 at 0.50 and 30 at 0.40, of which 80 at 0.50 were billed before.
    assert printed(invoice) == [
        ("capacity", "384", 345_600),
        ("metered", "20", 1_000),
        ("metered", "30", 1_200),
        ("fee", "1", 3_456),
    ]
    assert printed(statement)[1:3] == [("metered", "100", 5_000), ("metered", "30", 1_200)]
    assert not batches.unbilled([contract], Side.CUSTOMER).exists()


def test_a_minimum_and_a_percentile_are_billed_when_the_contract_is_over(stage: Stage) -> None:
    price(
        stage,
        Rate("egress_gb", 500_000, minimum_micros=200_000_000),
        Rate("bandwidth_mbps_p95", 60_000_000, model=PriceModel.PERCENTILE),
    )
    contract = agreed(stage)
    point = delivery.point(contract, stage.offering)
    delivery.report(stage, [delivery.segment(point, "s", 0, 24, 16), delivery.reading(point, "e", 0, 2, "125.5")])
    samples = [
        delivery.reading(point, f"b{n}", n / 12, (n + 1) / 12, str(n + 1), "bandwidth_mbps_p95") for n in range(100)
    ]
    delivery.report(stage, samples)
    first = invoices.invoice_on_demand(stage.trader, contract.id, now=delivery.at(12))
    assert printed(first) == [("metered", "0", 0), ("metered", "125.5", 6_275)]  # the samples so far cost nothing
    invoice, _ = settled(stage, contract)
    assert printed(invoice) == [
        ("capacity", "384", 345_600),
        ("metered", "95", 570_000),
        ("minimum", "137.25", 13_725),
        ("fee", "1", 3_456),
    ]
    assert invoice.lines.get(kind="minimum").description == "Minimum, what is missing to it: Egress"


def test_a_class_and_a_quality_pay_their_part_of_the_rate_card(stage: Stage) -> None:
    price(stage, Rate("egress_gb", 500_000))
    before = PLACED - timedelta(hours=1)
    pricing.classify(stage.seller, stage.buyer.id, "partner", effective_from=None, now=before)
    pricing.adjust(stage.seller, stage.offering.id, factor_ppm=1_200_000, qos="normal", effective_from=None, now=before)
    pricing.adjust(
        stage.seller, stage.offering.id, factor_ppm=800_000, customer_class="partner", effective_from=None, now=before
    )
    half_day = delivery.at(12)
    pricing.classify(stage.seller, stage.buyer.id, "", effective_from=half_day, now=before)
    contract = agreed(stage)
    point = delivery.point(contract, stage.offering)
    delivery.report(stage, [delivery.segment(point, "s", 0, 24, 16), delivery.reading(point, "e", 0, 24, "100")])
    invoice, statement = settled(stage, contract)
    assert printed(invoice)[1:] == [
        ("metered", "50", 2_500),
        ("metered", "50", 2_500),
        ("adjustment", "20", -500),
        ("adjustment", "20", 500),
        ("fee", "1", 3_456),
    ]
    assert {line.description for line in invoice.lines.filter(kind="adjustment")} == {
        "Rate card for class partner, Ascend 910B3, Zhangjiakou",
        "Rate card for quality normal, Ascend 910B3, Zhangjiakou",
    }
    assert statement.lines.get(kind="commission").share_base_minor == 350_600


def test_a_row_follows_the_open_one_and_rows_do_not_overlap(stage: Stage) -> None:
    def adjust(factor_ppm: int, hours: int) -> None:
        start = PLACED + timedelta(hours=hours)
        pricing.adjust(stage.seller, stage.offering.id, factor_ppm=factor_ppm, effective_from=start, now=PLACED)

    adjust(900_000, 1)
    adjust(800_000, 2)
    assert list(PriceAdjustment.objects.order_by("id").values_list("effective_to", flat=True)) == [
        PLACED + timedelta(hours=2),
        None,
    ]
    for hours in (1, 2):
        with pytest.raises(NotInForceBefore):
            adjust(700_000, hours)
    with pytest.raises(PricingRefused) as refused:
        adjust(700_000, -1)
    assert refused.value.problems[0].pointer == "/effective_from"


def test_performance_is_charged_for_what_was_delivered(stage: Stage) -> None:
    price(stage, Rate("pflops_hours", 1_000_000, precision="fp16"))
    change = delivery.at(12)
    pricing.weigh(stage.finance, "fp16", coefficient_ppm=500_000, source="A test", effective_from=change, now=PLACED)
    contract = agreed(stage)
    terms = Terms.from_document(contract.terms).offerings[0]
    assert terms.rated_tflops == Decimal("313.000")
    point = delivery.point(contract, stage.offering)
    delivery.report(stage, [delivery.segment(point, "s", 0, 24, 8)])
    invoice, _ = settled(stage, contract)
    pflops_hours = 8 * 12 * Decimal("0.313") * Decimal("1.5")
    assert printed(invoice)[1] == ("metered", f"{pflops_hours.normalize():f}", 4_507)
    listing = usage.ingest(stage.agent, [delivery.reading(point, "p", 0, 1, "1", "pflops_hours")], now=AFTER)
    assert listing[0].code in {"meter_not_priced", "metering_closed"}


def test_a_price_announced_before_the_contract_changes_it_on_its_day(stage: Stage) -> None:
    price(stage, Rate("egress_gb", 500_000), Rate("energy_kwh", 1_000_000))
    price(stage, Rate("egress_gb", 700_000), Rate("tokens_in", 1), after=timedelta(hours=16))  # at noon
    contract = agreed(stage)
    point = delivery.point(contract, stage.offering)
    delivery.report(stage, [delivery.segment(point, "s", 0, 24, 16), delivery.reading(point, "e", 6, 18, "100")])
    invoice, _ = settled(stage, contract)
    assert printed(invoice)[1:3] == [("metered", "50", 2_500), ("metered", "50", 3_500)]
    assert Terms.from_document(contract.terms).offerings[0].meters == {"egress_gb", "energy_kwh"}


def test_a_voucher_pays_its_scope_and_what_is_left_is_taken_back(stage: Stage) -> None:
    def spec(code: str, minor: int, **scope: tuple[str, ...]) -> VoucherSpec:
        return VoucherSpec(stage.buyer.id, code, Money(minor, "CNY"), PLACED, AFTER + timedelta(days=1), **scope)

    egress = pricing.issue_voucher(stage.finance, spec("EGRESS", 10_000, meters=("egress_gb",)), now=PLACED)
    anything = pricing.issue_voucher(stage.finance, spec("ANY", 100_000), now=PLACED)
    with pytest.raises(VoucherCodeTaken):
        pricing.issue_voucher(stage.finance, spec("ANY", 1), now=PLACED)
    contract = agreed(stage)
    point = delivery.point(contract, stage.offering)
    delivery.report(stage, [delivery.segment(point, "s", 0, 24, 16), delivery.reading(point, "e", 0, 2, "100")])
    invoice, _ = settled(stage, contract)
    assert printed(invoice)[2:] == [("fee", "1", 3_456), ("voucher", "-1000", -100_000), ("voucher", "-50", -5_000)]
    egress.refresh_from_db()
    anything.refresh_from_db()
    assert invoice.net_minor == 345_600 + 5_000 + 3_456 - anything.used_minor - egress.used_minor
    assert -Account.objects.get(code="2300").balance_minor == 110_000 - anything.used_minor - egress.used_minor
    over = AFTER + timedelta(days=1)
    assert pricing.close_expired(SYSTEM, now=over) == 2
    assert pricing.close_expired(SYSTEM, now=over) == 0
    assert Account.objects.get(code="2300").balance_minor == 0
    assert Account.objects.get(code="5100").balance_minor == anything.used_minor + egress.used_minor


def test_a_voucher_that_nobody_could_use_is_refused(stage: Stage) -> None:
    def refused(**changes: object) -> PricingRefused:
        given = {"valid_from": PLACED, "valid_to": AFTER, "meters": (), "resources": ()} | changes
        with pytest.raises(PricingRefused) as caught:
            pricing.issue_voucher(
                stage.finance,
                VoucherSpec(stage.buyer.id, "V", Money(1, "CNY"), **given),  # type: ignore[arg-type]
                now=PLACED,
            )
        return caught.value

    assert refused(meters=("egress",)).problems[0].pointer == "/meters/0"
    assert refused(resources=("abacus",)).problems[0].pointer == "/resources/0"
    assert refused(valid_to=PLACED).problems[0].pointer == "/valid_to"
    with pytest.raises(VoucherAlreadyOver):
        pricing.issue_voucher(
            stage.finance, VoucherSpec(stage.buyer.id, "V", Money(1, "CNY"), PLACED, AFTER), now=AFTER
        )
    assert not Voucher.objects.exists()


def test_a_rate_card_that_cannot_be_charged_is_refused_by_name(stage: Stage) -> None:
    bad = [
        Rate("egress_gb", 1, model=PriceModel.VOLUME, tiers=(Tier(5, 1), Tier(4, 1), Tier(None, 1))),
        Rate("bandwidth_mbps_p95", 1),
        Rate("pflops_hours", 1),
        Rate("energy_kwh", 1, precision="fp16"),
        Rate("storage_gb_months", 1, minimum_micros=1),
    ]
    with pytest.raises(RateCardRefused) as refused:
        price(stage, *bad)
    assert [problem.pointer for problem in refused.value.problems] == [
        "/items/0/tiers/1/up_to",
        "/items/1/model",
        "/items/2/precision",
        "/items/3/precision",
        "/items/4/minimum",
    ]


def test_a_provider_that_failed_is_owed_no_minimum(stage: Stage) -> None:
    price(stage, Rate("egress_gb", 500_000, minimum_micros=200_000_000))
    contract = agreed(stage)
    point = delivery.point(contract, stage.offering)
    delivery.report(stage, [delivery.segment(point, "s", 0, 2, 16), delivery.reading(point, "e", 0, 2, "10")])
    contracts.terminate(SYSTEM, contract.id, TerminationReason.PROVIDER_FAILURE, now=AFTER)
    invoices.invoice_contract(stage.finance, contract.id, now=AFTER)
    assert not Charge.objects.filter(contract=contract, kind="minimum").exists()
