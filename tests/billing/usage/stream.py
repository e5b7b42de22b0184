"""Makes a stream of usage as providers send it, some of it twice, out of order or contradicting, and bills it."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from benchmarks.books.dice import Dice
from billing.contracts import services as contracts
from billing.contracts.models import Contract, TaxRate
from billing.invoices import services as invoices
from billing.pricing import services as pricing
from billing.rating import services as rating
from billing.usage import services as usage
from billing.usage.models import MeteringPoint
from catalog.measures.tariffs import PriceModel, Tier
from catalog.offerings import services as offerings
from catalog.offerings.services import Rate
from tests.billing import delivery
from tests.billing.delivery import AFTER, PLACED, SYSTEM, Stage
from tests.billing.usage import oracle

Arrived = tuple[int, dict[str, Any]]  # the contract's place, and the event with its times in minutes of the day

_FEN = 10_000  # micros


def world(count: int) -> tuple[Stage, list[tuple[Contract, MeteringPoint]]]:
    """Make a provider with the oracle's prices, a tax rate that rises at noon, and contracts of a buyer of a class."""
    noon, before = delivery.at(12), PLACED - timedelta(hours=1)
    with transaction.atomic():
        stage = delivery.stage()
        delivery.fund(stage.buyer, 10**13)
        TaxRate.objects.filter(jurisdiction="CN", category="S").update(effective_to=noon)
        TaxRate.objects.create(jurisdiction="CN", category="S", rate_ppm=90_000, effective_from=noon, source="A test")
        offerings.publish_rate_card(stage.seller, stage.offering.id, _rates(), currency="CNY", now=before)
        pricing.classify(stage.seller, stage.buyer.id, "partner", effective_from=None, now=before)
        pricing.classify(stage.seller, stage.buyer.id, "", effective_from=delivery.at(15), now=before)
        pricing.adjust(
            stage.seller,
            stage.offering.id,
            factor_ppm=800_000,
            customer_class="partner",
            effective_from=None,
            now=before,
        )
        runs = [delivery.slot(stage, hour, hour + 1, oracle.CARDS, oracle.hour_fen(hour) * _FEN) for hour in range(24)]
        opened = [delivery.contract(stage, runs, prepaid=False) for _ in range(count)]
        return stage, [(contract, delivery.point(contract, stage.offering)) for contract in opened]


def _rates() -> list[Rate]:
    def tiers(of: Sequence[tuple[int | None, int]]) -> tuple[Tier, ...]:
        return tuple(Tier(up_to, fen * _FEN) for up_to, fen in of)

    return [
        Rate("egress_gb", 0, model=PriceModel.GRADUATED, tiers=tiers(oracle.EGRESS)),
        Rate("tokens_in", 0, base_quantity=10**6, model=PriceModel.VOLUME, tiers=tiers(oracle.TOKENS)),
        Rate("storage_gb_months", oracle.STORAGE_FEN * _FEN),
        Rate("energy_kwh", oracle.ENERGY_FEN * _FEN, minimum_micros=oracle.ENERGY_MINIMUM_FEN * _FEN),
        Rate("bandwidth_mbps_p95", oracle.BANDWIDTH_FEN * _FEN, model=PriceModel.PERCENTILE),
    ]


def arrivals(dice: Dice, events: int, contracts_count: int) -> list[Arrived]:
    """Return so many arrivals: 20 % duplicates, 1 % conflicting, and 10 % of all moved to another place."""
    conflicting, duplicates = events // 100, events // 5
    first = list(_originals(dice, events - duplicates - conflicting, contracts_count))
    again = [dice.pick(first) for _ in range(duplicates)]
    contradicted = (first[place] for place in _places(dice, len(first), conflicting))
    other = [(place, event | {"quantity": event["quantity"] + 1}) for place, event in contradicted]
    stream = first + again + other
    moved = _places(dice, events, events // 10)
    places = dice.shuffled(moved)
    arrived = list(stream)
    for since, to in zip(moved, places, strict=True):
        arrived[to] = stream[since]
    return arrived


def _places(dice: Dice, of: int, count: int) -> list[int]:
    """Return so many different places below a number."""
    found: dict[int, None] = {}
    while len(found) < count:
        found[dice.below(of)] = None
    return list(found)


def _originals(dice: Dice, count: int, contracts_count: int) -> Iterator[Arrived]:
    """Yield events with ids of their own; segments of a contract do not overlap, and leave gaps."""
    ends = [0] * contracts_count
    for n in range(count):
        place = n % contracts_count
        event: dict[str, Any] = {"id": f"e{n}"}
        if dice.chance(10) and ends[place] < oracle.MINUTES:
            start = min(oracle.MINUTES - 1, ends[place] + dice.pick([0, 0, 0, 7]))
            ends[place] = end = min(oracle.MINUTES, start + dice.between(1, 45))
            yield place, event | {"meter": "", "start": start, "end": end, "quantity": dice.between(8, 20)}
            continue
        meter = dice.pick([*oracle.SUMMED, "storage_gb_months", "bandwidth_mbps_p95"])
        start = dice.between(0, oracle.MINUTES - 1)
        end = min(oracle.MINUTES, start + dice.pick([1, 5, 60, 200]))
        yield place, event | {"meter": meter, "start": start, "end": end, "quantity": _quantity(dice, meter)}


def _quantity(dice: Dice, meter: str) -> Decimal:
    largest = {"tokens_in": 4_000, "storage_gb_months": 900, "bandwidth_mbps_p95": 400}.get(meter, 12)
    return Decimal(dice.between(0, largest * 1_000)) / 1_000


def send(stage: Stage, points: Sequence[MeteringPoint], arrived: Sequence[Arrived], *, batch: int) -> dict[str, int]:
    """Report what arrives, batch by batch; return how many items came to each status."""
    counts: dict[str, int] = {}
    for first in range(0, len(arrived), batch):
        items = [_spelled(points[place], event) for place, event in arrived[first : first + batch]]
        for result in usage.ingest(stage.agent, items, now=AFTER):
            counts[str(result.status)] = counts.get(str(result.status), 0) + 1
    return counts


def _spelled(point: MeteringPoint, event: dict[str, Any]) -> dict[str, Any]:
    start, end = event["start"] / 60, event["end"] / 60
    if event["meter"]:
        return delivery.reading(point, event["id"], start, end, f"{event['quantity']:f}", event["meter"])
    return delivery.segment(point, event["id"], start, end, int(event["quantity"]))


def bill(contract: Contract) -> tuple[int, int]:
    """Rate, invoice and state a contract that is over; return both totals in fen."""
    while rating.rate_ahead(contract.id, until=AFTER, now=AFTER):
        pass
    contracts.end(SYSTEM, contract.id, now=AFTER)
    invoice = invoices.invoice_contract(SYSTEM, contract.id, now=AFTER)
    statement = invoices.issue_statement(SYSTEM, contract.id, now=AFTER)
    assert invoice is not None
    assert statement is not None
    return invoice.total_minor, statement.total_minor
