"""Many at once on the same contract, lease or number series: one effect, no gap, nothing counted twice."""

from __future__ import annotations

from functools import partial

import pytest

from billing.contracts import services as contracts
from billing.invoices import services as invoices
from billing.invoices.models import Invoice, InvoiceCounter
from billing.ledger import queries as books
from billing.ledger.models import LedgerTransaction
from billing.rating import services as rating
from billing.rating.models import Charge
from billing.usage import services as usage
from billing.usage.models import AllocationSegment, UnratedUsage, UsageEvent
from tests.billing import delivery
from tests.billing.delivery import AFTER, SYSTEM
from tests.races import together as races

pytestmark = pytest.mark.django_db(transaction=True)
together = partial(races.together, in_transaction=False)


def test_a_contract_invoiced_and_stated_by_many_at_once_has_one_document_on_each_side() -> None:
    stage = delivery.stage()
    delivery.fund(stage.buyer, 600_000)
    contract = delivery.contract(stage, [delivery.slot(stage, 0, 10, 4, 10_000_000)])
    metered = delivery.point(contract, stage.offering)
    delivery.report(stage, [delivery.segment(metered, "s1", 0, 9, 4)])
    contracts.end(SYSTEM, contract.id, now=AFTER)

    results = together(
        [
            lambda: invoices.invoice_contract(SYSTEM, contract.id, now=AFTER),
            lambda: invoices.issue_statement(SYSTEM, contract.id, now=AFTER),
        ]
        * 4
    )
    assert len({result.id for result in results if isinstance(result, Invoice)}) == 2
    assert Invoice.objects.count() == LedgerTransaction.objects.filter(purpose="issue").count() == 2
    assert Charge.objects.count() == 2
    funds = books.funds(stage.buyer.id, "CNY")
    invoice = Invoice.objects.get(side="customer")
    assert (funds.balance_minor, funds.held_minor) == (600_000 - invoice.total_minor, 0)
    contract.refresh_from_db()
    assert contract.status == "settled"


def test_one_invoice_on_demand_wins_and_the_others_find_nothing() -> None:
    stage = delivery.stage()
    delivery.fund(stage.buyer, 600_000)
    contract = delivery.contract(stage, [delivery.slot(stage, 0, 10, 4, 10_000_000)])
    metered = delivery.point(contract, stage.offering)
    delivery.report(stage, [delivery.segment(metered, "s1", 0, 9, 4)])
    results = together([lambda: invoices.invoice_on_demand(stage.trader, contract.id, now=AFTER)] * 6)
    assert sum(isinstance(result, Invoice) for result in results) == 1


def test_numbers_given_at_once_have_no_gap_and_no_repeat() -> None:
    stage = delivery.stage()
    delivery.fund(stage.buyer, 6_000_000)
    opened = []
    for n in range(8):
        contract = delivery.contract(stage, [delivery.slot(stage, 0, 10, 4, 10_000_000)])
        metered = delivery.point(contract, stage.offering)
        if n % 4:  # every fourth has nothing to invoice, and takes no number
            delivery.report(stage, [delivery.segment(metered, f"s{n}", 0, 9, 4)])
        opened.append(contract.id)
    results = together(
        [lambda id_=id_: invoices.invoice_on_demand(stage.trader, id_, now=AFTER) for id_ in opened]  # type: ignore[misc]
    )
    issued = sorted(result.n or 0 for result in results if isinstance(result, Invoice))
    assert issued == list(range(1, 7))
    assert InvoiceCounter.objects.get(series="INV").last == 6
    times = [invoice.issued_at for invoice in Invoice.objects.order_by("n") if invoice.issued_at is not None]
    assert times == sorted(times)
    assert len(times) == 6


def test_the_same_batch_sent_by_many_at_once_is_accepted_once() -> None:
    stage = delivery.stage()
    delivery.fund(stage.buyer, 600_000)
    contract = delivery.contract(stage, [delivery.slot(stage, 0, 10, 4, 10_000_000)])
    metered = delivery.point(contract, stage.offering)
    batch = [delivery.segment(metered, f"s{n}", n, n + 1, 4) for n in range(10)]
    results = together([lambda: usage.ingest(stage.agent, batch, now=AFTER)] * 6)
    accepted = [item for result in results if isinstance(result, list) for item in result if item.status == "accepted"]
    assert sorted(item.event_id for item in accepted) == [f"s{n}" for n in range(10)]
    assert UsageEvent.objects.count() == AllocationSegment.objects.count() == 10


def test_usage_rated_by_many_at_once_is_charged_once() -> None:
    stage = delivery.stage()
    delivery.fund(stage.buyer, 6_000_000)
    for n in range(3):
        contract = delivery.contract(stage, [delivery.slot(stage, 0, 10, 4, 10_000_000)])
        metered = delivery.point(contract, stage.offering)
        delivery.report(stage, [delivery.segment(metered, f"s{n}-{hour}", hour, hour + 1, 4) for hour in range(9)])

    together([lambda: rating.rate_waiting(now=AFTER, seconds=60)] * 4)

    assert Charge.objects.count() == UsageEvent.objects.count() == 27
    assert not UnratedUsage.objects.exists()


def test_overlapping_segments_sent_at_once_are_accepted_once() -> None:
    stage = delivery.stage()
    delivery.fund(stage.buyer, 600_000)
    contract = delivery.contract(stage, [delivery.slot(stage, 0, 10, 4, 10_000_000)])
    metered = delivery.point(contract, stage.offering)
    steps = [
        lambda n=n: usage.ingest(stage.agent, [delivery.segment(metered, f"s{n}", 0, 5 + n, 4)], now=AFTER)
        for n in range(5)
    ]
    results = [item for result in together(steps) if isinstance(result, list) for item in result]
    assert sorted(str(item.status) for item in results) == ["accepted"] + ["rejected"] * 4
    assert AllocationSegment.objects.count() == 1


def test_a_reversal_and_what_takes_its_place_sent_by_many_at_once_count_once() -> None:
    stage = delivery.stage()
    delivery.fund(stage.buyer, 600_000)
    contract = delivery.contract(stage, [delivery.slot(stage, 0, 10, 4, 10_000_000)])
    metered = delivery.point(contract, stage.offering)
    delivery.report(stage, [delivery.segment(metered, f"s{n}", n, n + 1, 4) for n in range(10)])
    batches = [
        [
            item
            for n in range(10)
            for item in (
                delivery.reversal(f"r{n}-{sender}", f"s{n}"),
                delivery.segment(metered, f"t{n}-{sender}", n, n + 1, sender),
            )
        ]
        for sender in range(4)
    ]
    steps = [lambda batch=batch: usage.ingest(stage.agent, batch, now=AFTER) for batch in batches]
    results = together(steps)
    found = [item for result in results if isinstance(result, list) for item in result]
    assert sorted(str(item.status) for item in found) == ["accepted"] * 20 + ["rejected"] * 60
    in_force = AllocationSegment.objects.filter(reversed_at=None).order_by("starts_at")
    assert [segment.starts_at for segment in in_force] == [delivery.at(n) for n in range(10)]
    assert UsageEvent.objects.count() == 30


def test_the_same_id_for_two_leases_at_once_is_accepted_for_one() -> None:
    stage = delivery.stage()
    delivery.fund(stage.buyer, 600_000)
    points = []
    for _ in range(2):
        contract = delivery.contract(stage, [delivery.slot(stage, 0, 10, 4, 10_000_000)])
        points.append(delivery.point(contract, stage.offering))
    batches = [[delivery.segment(point, f"s{n}", n, n + 1, 4) for n in range(10)] for point in points]
    steps = [lambda batch=batch: usage.ingest(stage.agent, batch, now=AFTER) for batch in batches]
    results = [item for result in together(steps) if isinstance(result, list) for item in result]
    assert sorted(str(item.status) for item in results) == ["accepted"] * 10 + ["conflict"] * 10
    assert UsageEvent.objects.count() == 10
