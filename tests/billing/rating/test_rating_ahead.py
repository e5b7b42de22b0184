"""Rating ahead of the invoices: each event once, in whatever order it comes, and nothing is looked at for ever."""

import threading
from datetime import datetime

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.foundation import ids
from billing.contracts.models import Contract
from billing.rating import services as rating
from billing.rating import store
from billing.rating.models import Charge
from billing.usage import services as usage
from billing.usage.models import MeteringPoint, UnratedUsage, UsageEvent
from tests.billing import delivery
from tests.billing.delivery import AFTER, PLACED, Stage

MINUTE = 1 / 60


def _unrated(*, until: datetime) -> set[str]:
    """The slow way: every event that ever came, and whether it has a charge."""
    charged = set(Charge.objects.values_list("usage_event_id", flat=True))
    events = UsageEvent.objects.filter(ends_at__lte=until).values_list("id", "event_id")
    return {event_id for id_, event_id in events if id_ not in charged}


def _lease(stage: Stage, contract: Contract, start: int) -> MeteringPoint:
    """Meter half a day of a contract."""
    return usage.open_point(
        contract,
        offering_id=stage.offering.id,
        reference_id=ids.new_id(),
        quantity=4,
        starts_at=delivery.at(start),
        ends_at=delivery.at(start + 12),
        now=PLACED,
    )


def _rate(*, now: datetime = AFTER) -> int:
    return rating.rate_waiting(now=now, seconds=60)


@pytest.mark.django_db
@settings(max_examples=15)
@given(st.data())
def test_whatever_comes_in_whatever_order_is_rated_once_and_taken_off_the_list(data: st.DataObject) -> None:
    with transaction.atomic():
        stage = delivery.stage()
        delivery.fund(stage.buyer, 10**9)
        contracts = [delivery.contract(stage, [delivery.slot(stage, 0, 24, 4, 10_000_000)]) for _ in range(2)]
        points = [delivery.point(contract, stage.offering) for contract in contracts]
        now, sent = 1.0, list[str]()
        for batch in range(data.draw(st.integers(1, 6))):
            now += data.draw(st.sampled_from([0, 0.2, 1]))
            # Early and late ones, and some that end a few minutes ahead of the clock.
            ends = data.draw(st.lists(st.sampled_from([0.5, now - 0.1, now, now + 2 * MINUTE]), min_size=1, max_size=8))
            events = [
                delivery.reading(points[n % 2], f"{batch}-{n}", end - MINUTE, end, "1") for n, end in enumerate(ends)
            ]
            undoes: bool = data.draw(st.booleans())
            if sent and undoes:
                events.append(delivery.reversal(f"undo-{batch}", sent.pop(data.draw(st.integers(0, len(sent) - 1)))))
            delivery.report(stage, events, now=delivery.at(now))
            sent += [f"{batch}-{n}" for n in range(len(ends))]
            if data.draw(st.booleans()):
                at_most = data.draw(st.sampled_from([1, 3, 100]))
                rating.rate_ahead(contracts[0].id, until=delivery.at(now), now=delivery.at(now), at_most=at_most)
            if data.draw(st.booleans()):
                _rate(now=delivery.at(now))
                assert _unrated(until=delivery.at(now)) == set()

        _rate()

        assert _unrated(until=AFTER) == set()
        assert store.contracts_waiting() == []
        # A reading has one charge at a flat price, and so has what takes it back.
        assert Charge.objects.count() == UsageEvent.objects.count()
        assert _rate() == 0
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_many_small_reports_and_one_large_are_rated_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "PORTION", 7)
    monkeypatch.setattr(store, "BATCHES", 3)
    monkeypatch.setattr(store, "TOGETHER", 10)
    stage = delivery.stage()
    delivery.fund(stage.buyer, 10**9)
    contract = delivery.contract(stage, [delivery.slot(stage, 0, 24, 4, 10_000_000)])
    point = delivery.point(contract, stage.offering)
    for n in range(20):
        delivery.report(stage, [delivery.reading(point, f"one-{n}", 1, 2, "1")])
    # The first twenty end after the others, so that a whole portion has to wait while what follows it is rated.
    late = [delivery.reading(point, f"late-{n}", 20, 21, "1") for n in range(20)]
    delivery.report(stage, [*late, *(delivery.reading(point, f"many-{n}", 1, 2, "1") for n in range(20))])

    rated = []
    while events := rating.rate_ahead(contract.id, until=delivery.at(12), now=AFTER, at_most=10):
        rated.append(events)

    assert rated == [10, 10, 10, 10]
    assert _unrated(until=delivery.at(12)) == set()
    assert UnratedUsage.objects.count() == 1
    assert _rate() == 20
    assert not UnratedUsage.objects.exists()


@pytest.mark.django_db
def test_a_contract_with_usage_that_has_no_price_keeps_no_other_waiting(caplog: pytest.LogCaptureFixture) -> None:
    stage = delivery.stage()
    delivery.fund(stage.buyer, 10**9)
    with_a_gap = delivery.contract(
        stage, [delivery.slot(stage, 0, 4, 4, 10_000_000), delivery.slot(stage, 8, 12, 4, 10_000_000)]
    )
    other = delivery.contract(stage, [delivery.slot(stage, 0, 24, 4, 10_000_000)])
    unpriced = delivery.point(with_a_gap, stage.offering)
    point = delivery.point(other, stage.offering)
    delivery.report(stage, [delivery.segment(unpriced, "gap", 5, 6, 4), delivery.reading(unpriced, "fine", 1, 2, "1")])
    delivery.report(stage, [delivery.reading(point, "other", 1, 2, "1")])

    assert _rate() == 1

    assert _unrated(until=AFTER) == {"gap", "fine"}
    assert store.contracts_waiting() == [with_a_gap.id]
    assert f"contract {with_a_gap.id} is not rated" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_batch_that_is_committed_after_later_ones_is_not_forgotten() -> None:
    stage = delivery.stage()
    delivery.fund(stage.buyer, 10**9)
    contract = delivery.contract(stage, [delivery.slot(stage, 0, 24, 4, 10_000_000)])
    slow, quick = (_lease(stage, contract, start) for start in (0, 12))
    written, let_go = threading.Event(), threading.Event()

    def hold_open() -> None:
        try:
            with transaction.atomic():
                delivery.report(stage, [delivery.reading(slow, "first", 1, 2, "1")])
                written.set()
                assert let_go.wait(30)
        finally:
            connection.close()

    batch = threading.Thread(target=hold_open)
    batch.start()
    assert written.wait(30)
    delivery.report(stage, [delivery.reading(quick, "second", 13, 14, "1")])
    assert _rate() == 1
    let_go.set()
    batch.join()
    assert _unrated(until=AFTER) == {"first"}

    assert _rate() == 1

    assert UsageEvent.objects.get(event_id="first").id < UsageEvent.objects.get(event_id="second").id
    assert _unrated(until=AFTER) == set()
    assert not UnratedUsage.objects.exists()
