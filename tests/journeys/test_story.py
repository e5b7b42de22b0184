"""The story: two data centres, three buyers, one day; every number exact, through the public services."""

from collections.abc import Generator, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from accounts.foundation import clock
from accounts.organisations.models import Organisation
from billing.contracts.models import Contract
from billing.invoices.models import Invoice
from billing.invoices.rules import InvoiceKind
from billing.ledger import queries as ledger
from billing.ledger.chart import Code
from billing.ledger.models import LedgerEntry
from catalog.measures.interval import HOUR
from exchange.auctions.models import RoundOrder
from exchange.demo import story as told
from exchange.demo.cast import Cast
from exchange.demo.story import Scene, Story
from exchange.leases.models import DeliveredSegment, Lease
from exchange.orders.models import Order
from exchange.orders.rules import OrderStatus
from exchange.rounds.models import Round, RoundOutcome, RoundPrice
from exchange.rounds.rules import RoundStatus
from exchange.trades.models import Trade

DAY = date(2026, 11, 20)
MIDNIGHT = datetime(2026, 11, 19, 16, tzinfo=UTC)  # of the delivery day in Shanghai
ROUND_PRICE = 1_000_000

Telling = Generator[tuple[Scene, Story], None, None]


def until(telling: Telling, wanted: Scene) -> Story:
    """Tell on until a scene has happened."""
    return next(story for scene, story in telling if scene is wanted)


def funds(organisation: Organisation) -> tuple[int, int, int]:
    """Return balance, held and available in fen."""
    found = ledger.funds(organisation.id, "CNY")
    return found.balance_minor, found.held_minor, found.available_minor


def balance(code: Code, organisation_id: UUID | None = None) -> int:
    """Return a balance in fen, debit positive."""
    return ledger.balance(code, "CNY", organisation_id)


@pytest.fixture
def telling(db: None) -> Iterator[Telling]:
    with closing(told.scenes(DAY)) as telling:
        yield telling


def test_the_transfers_arrive_and_nothing_is_held(telling: Telling) -> None:
    cast = until(telling, Scene.TOPPED_UP).cast
    assert funds(cast.beichen) == (600_000, 0, 600_000)
    assert funds(cast.lanting) == (200_000, 0, 200_000)
    assert funds(cast.qinghe) == (100_000, 0, 100_000)


def test_placing_holds_the_worst_case_with_fee_and_tax(telling: Telling) -> None:
    cast = until(telling, Scene.ENTERED).cast
    assert funds(cast.beichen) == (600_000, 513_888, 86_112)  # 4,800.00 + 48.00 + 290.88
    assert funds(cast.lanting) == (200_000, 169_583, 30_417)  # 1,584.00 + 15.84 + 95.99
    assert funds(cast.qinghe) == (100_000, 92_500, 7_500)  # 864.00 + 8.64 + 52.36


def test_the_round_finds_the_prices_the_welfare_and_the_proof(telling: Telling) -> None:
    until(telling, Scene.CLEARED)
    round_ = Round.objects.get(status=RoundStatus.PUBLISHED)
    outcome = RoundOutcome.objects.get(round=round_)
    assert outcome.welfare_micros == 1_872 * ROUND_PRICE
    assert outcome.bound_micros >= outcome.welfare_micros
    assert not round_.degraded
    assert outcome.record["strict"] is True
    assert outcome.record["paradoxically_rejected"] == []
    traded = RoundPrice.objects.filter(traded_unit_hours__gt=0).order_by("starts_at")
    assert [
        ((row.starts_at - MIDNIGHT) // HOUR, (row.ends_at - MIDNIGHT) // HOUR, row.price_micros) for row in traded
    ] == [
        (0, 8, 9 * ROUND_PRICE),
        (8, 20, 10 * ROUND_PRICE),
        (20, 24, 9 * ROUND_PRICE),
    ]
    assert {row.cell for row in traded} == {"zjk-1/ascend-910b3/roce"}


def test_each_order_gets_its_trades_and_its_end(telling: Telling) -> None:
    story = until(telling, Scene.CLEARED)
    trades = Trade.objects.order_by("order__seq", "starts_at")
    assert [
        (
            story_name(story, trade.order_id or trade.id),
            trade.provider.name,
            (trade.starts_at - MIDNIGHT) // HOUR,
            (trade.ends_at - MIDNIGHT) // HOUR,
            trade.quantity,
            trade.price_micros // ROUND_PRICE,
        )
        for trade in trades
    ] == [
        ("B1", "Huailai Compute", 0, 8, 16, 9),
        ("B1", "Huailai Compute", 8, 20, 16, 10),
        ("B1", "Huailai Compute", 20, 24, 16, 9),
        ("B2", "Zhangbei Green DC", 8, 20, 12, 10),
    ]
    statuses = {name: Order.objects.get(id=order.id).status for name, order in story.orders.items()}
    assert statuses == {"B1": OrderStatus.FILLED, "B2": OrderStatus.FILLED, "B3": OrderStatus.UNFILLED}
    assert RoundOrder.objects.filter(settled_at__isnull=True).count() == 0


def test_the_trade_shrinks_the_holds_and_releases_what_was_not_filled(telling: Telling) -> None:
    cast = until(telling, Scene.CLEARED).cast
    assert funds(cast.beichen) == (600_000, 390_555, 209_445)  # 3,648.00 + 36.48 + 221.07
    assert funds(cast.lanting) == (200_000, 154_166, 45_834)
    assert funds(cast.qinghe) == (100_000, 0, 100_000)


def test_one_contract_for_each_provider_with_a_lease_through_the_change_of_price(telling: Telling) -> None:
    story = until(telling, Scene.CLEARED)
    contract = Contract.objects.get(buyer=story.cast.beichen)
    assert contract.provider == story.cast.huailai
    assert contract.value_minor == 364_800
    assert [(slot.quantity, slot.price_micros) for slot in contract.slots.order_by("starts_at")] == [
        (16, 9 * ROUND_PRICE),
        (16, 10 * ROUND_PRICE),
        (16, 9 * ROUND_PRICE),
    ]
    lease = Lease.objects.get(contract=contract)
    assert (lease.quantity, lease.starts_at, lease.ends_at) == (16, MIDNIGHT, MIDNIGHT + 24 * HOUR)


def test_what_was_missing_for_an_hour_is_on_record_with_its_dispute_deadline(telling: Telling) -> None:
    story = until(telling, Scene.DELIVERED)
    lease = Lease.objects.get(provider=story.cast.huailai)
    delivered = [
        ((segment.starts_at - MIDNIGHT) // HOUR, (segment.ends_at - MIDNIGHT) // HOUR, segment.quantity)
        for segment in DeliveredSegment.objects.filter(lease=lease).order_by("starts_at")
    ]
    assert delivered == [(0, 13, 16), (13, 14, 12), (14, 24, 16)]
    short = DeliveredSegment.objects.get(lease=lease, quantity=12)
    assert short.dispute_deadline == MIDNIGHT + 14 * HOUR + timedelta(days=7)


def test_the_day_ends_with_every_document_and_the_books_in_order(telling: Telling) -> None:
    cast = until(telling, Scene.BILLED).cast
    assert clock.now() == MIDNIGHT + 24 * HOUR
    check_the_invoice_of_the_lab(cast)
    check_the_other_invoice_and_both_statements(cast)
    check_the_books(cast)


def check_the_invoice_of_the_lab(cast: Cast) -> None:
    invoice = Invoice.objects.get(organisation=cast.beichen, kind=InvoiceKind.CUSTOMER)
    lines = [(line.kind, line.quantity.normalize(), line.amount_minor) for line in invoice.lines.order_by("n")]
    assert lines == [
        ("capacity", Decimal(192), 172_800),
        ("capacity", Decimal(188), 188_000),
        ("metered", Decimal("125.5"), 6_275),
        ("sla_credit", Decimal(10), -400),
        ("fee", Decimal(1), 3_608),
    ]
    assert (invoice.net_minor, invoice.tax_minor, invoice.total_minor) == (370_283, 22_217, 392_500)
    assert invoice.status == "paid"
    assert funds(cast.beichen) == (207_500, 0, 207_500)


def check_the_other_invoice_and_both_statements(cast: Cast) -> None:
    robotics = Invoice.objects.get(organisation=cast.lanting)
    assert (robotics.net_minor, robotics.tax_minor, robotics.total_minor) == (145_440, 8_726, 154_166)
    assert funds(cast.lanting) == (45_834, 0, 45_834)
    huailai = Invoice.objects.get(organisation=cast.huailai, kind=InvoiceKind.PROVIDER_STATEMENT)
    assert (huailai.net_minor, huailai.tax_minor, huailai.total_minor) == (351_992, 21_120, 373_112)
    zhangbei = Invoice.objects.get(organisation=cast.zhangbei, kind=InvoiceKind.PROVIDER_STATEMENT)
    assert (zhangbei.net_minor, zhangbei.tax_minor, zhangbei.total_minor) == (138_240, 8_294, 146_534)
    assert not Invoice.objects.filter(organisation=cast.qinghe).exists()
    assert funds(cast.qinghe) == (100_000, 0, 100_000)


def check_the_books(cast: Cast) -> None:
    income = -sum(balance(code) for code in (Code.FEE_INCOME, Code.CAPACITY_REVENUE, Code.SLA_CREDITS))
    cost = sum(balance(code) for code in (Code.COST_OF_CAPACITY, Code.SLA_CLAWBACK))
    assert (income, -balance(Code.OUTPUT_VAT)) == (515_723, 30_943)
    assert (cost, balance(Code.INPUT_VAT)) == (490_232, 29_414)
    assert income - cost == 25_491
    assert -balance(Code.PAYABLE_PENDING) == 519_646
    assert -balance(Code.PAYABLE_PENDING, cast.huailai.id) == 373_112
    assert ledger.trial_balance("CNY").difference_minor == 0
    sums: dict[UUID, int] = {}
    for transaction_id, amount in LedgerEntry.objects.values_list("transaction_id", "amount_minor"):
        sums[transaction_id] = sums.get(transaction_id, 0) + amount
    assert set(sums.values()) == {0}


def story_name(story: Story, order_id: UUID) -> str:
    return next(name for name, order in story.orders.items() if order.id == order_id)
