"""A worker is killed at every point of a run: no event and no number is lost, and nothing is billed twice."""

import pytest
from django.db import connection, transaction
from django.db.models import Count, Max

from billing.invoices import services as invoices
from billing.invoices.models import BilledCharge, Invoice, InvoiceCounter
from billing.ledger.models import LedgerTransaction
from billing.rating import services as rating
from billing.rating.models import Charge
from billing.usage.models import UnratedUsage, UsageEvent
from config.audit.checks import ALL
from tests.billing import delivery
from tests.billing.delivery import AFTER, SYSTEM
from tests.faults.killed import sweep

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]
UNTIL = delivery.at(6)


def test_a_run_killed_at_every_point_goes_on_without_a_gap_and_bills_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invoices, "BATCH", 2)
    with transaction.atomic():
        stage = delivery.stage()
        delivery.fund(stage.buyer, 600_000)
        contract_ids = []
        for n in range(3):
            slots = [delivery.slot(stage, 0, 10, 4, 10_000_000)]
            contract = delivery.contract(stage, slots, prepaid=n != 1)
            metered = delivery.point(contract, stage.offering)
            delivery.report(stage, [delivery.segment(metered, f"s{n}", 0, 6, 4)])
            contract_ids.append(contract.id)

    def step() -> object:
        return invoices.invoice_months(SYSTEM, contract_ids, until=UNTIL, now=AFTER)

    def numbers_are_whole() -> None:
        found = Invoice.objects.aggregate(count=Count("id"), last=Max("n"))
        counter = InvoiceCounter.objects.filter(series="INV").first()
        assert found["count"] == (found["last"] or 0) == (counter.last if counter else 0)
        assert LedgerTransaction.objects.filter(purpose="issue").count() == found["count"]
        assert found["count"] in {0, 2, 3}

    kills = sweep(step, clock_at=AFTER, after_each=numbers_are_whole)

    assert kills > 30
    assert Invoice.objects.count() == 3
    assert BilledCharge.objects.count() == Charge.objects.count() == 3
    with connection.cursor() as cursor:
        assert [one.code for one in ALL if one.code[0] in "IU" and one.check(cursor).violations] == []


def test_rating_killed_at_every_point_goes_on_and_charges_each_event_once() -> None:
    stage = delivery.stage()
    delivery.fund(stage.buyer, 600_000)
    for n in range(2):
        contract = delivery.contract(stage, [delivery.slot(stage, 0, 10, 4, 10_000_000)])
        metered = delivery.point(contract, stage.offering)
        events = [delivery.segment(metered, f"s{n}-{hour}", hour, hour + 1, 4) for hour in range(7)]
        delivery.report(stage, [*events, delivery.reversal(f"r{n}", f"s{n}-3")])

    def nothing_is_forgotten() -> None:
        with connection.cursor() as cursor:
            assert [one.code for one in ALL if one.code == "U8" and one.check(cursor).violations] == []

    kills = sweep(lambda: rating.rate_waiting(now=AFTER, seconds=60), clock_at=AFTER, after_each=nothing_is_forgotten)

    assert kills > 10
    assert Charge.objects.count() == UsageEvent.objects.count() == 16
    assert not UnratedUsage.objects.exists()
