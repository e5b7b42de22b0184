"""Reports come in late, twice, wrong and at once: each gets one answer, and counts once for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actors.actor import Actor, Capability
from accounts.actors.errors import NotAllowed
from accounts.foundation import ids
from billing.usage import services as usage
from billing.usage.errors import BatchTooLarge, EmptyBatch
from billing.usage.models import AllocationSegment, MeteringPoint, UsageConflict, UsageEvent, UsageRejection
from tests.billing import delivery
from tests.billing.delivery import AFTER, Stage
from tests.catalog import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Stage:
    return delivery.stage()


@pytest.fixture
def metered(stage: Stage) -> MeteringPoint:
    delivery.fund(stage.buyer, 1_000_000)
    contract = delivery.contract(stage, [delivery.slot(stage, 0, 24, 16, 9_000_000)])
    return delivery.point(contract, stage.offering)


def statuses(stage: Stage, *events: object, now: Any = AFTER) -> list[str]:
    return [str(result.status) for result in usage.ingest(stage.agent, events, now=now)]


def refusal(stage: Stage, event: object, now: Any = AFTER) -> tuple[str, str]:
    (result,) = usage.ingest(stage.agent, [event], now=now)
    assert result.status == "rejected", result
    return result.code, result.pointer


def test_an_event_counts_once_however_often_it_comes(stage: Stage, metered: MeteringPoint) -> None:
    first = delivery.segment(metered, "s1", 0, 1, 16)
    assert statuses(stage, first, first) == ["accepted", "duplicate"]
    assert statuses(stage, dict(reversed(first.items())), now=AFTER + timedelta(days=40)) == ["duplicate"]
    assert UsageEvent.objects.count() == 1
    assert AllocationSegment.objects.get().quantity == 16


def test_another_payload_under_the_same_id_is_a_conflict_and_the_first_stands(
    stage: Stage, metered: MeteringPoint
) -> None:
    assert statuses(stage, delivery.segment(metered, "s1", 0, 1, 16)) == ["accepted"]
    other = delivery.segment(metered, "s1", 0, 1, 15)
    assert statuses(stage, other, other) == ["conflict", "conflict"]
    assert UsageEvent.objects.get().quantity == 16
    assert UsageConflict.objects.count() == 1


def test_one_bad_item_spoils_no_other(stage: Stage, metered: MeteringPoint) -> None:
    batch = [delivery.reading(metered, f"e{n}", 0, 1, "1") for n in range(5)]
    batch[2]["data"]["quantity"] = "NaN"
    results = usage.ingest(stage.agent, batch, now=AFTER)
    assert [str(result.status) for result in results] == ["accepted", "accepted", "rejected", "accepted", "accepted"]
    assert results[2].pointer == "/2/data/quantity"
    assert "NaN" in results[2].detail
    assert UsageRejection.objects.get().code == "invalid"


def test_segments_of_one_lease_do_not_overlap_until_one_is_reversed(stage: Stage, metered: MeteringPoint) -> None:
    assert statuses(
        stage,
        delivery.segment(metered, "s1", 0, 2, 16),
        delivery.segment(metered, "s2", 1, 3, 16),
        delivery.segment(metered, "s3", 2, 3, 16),
    ) == ["accepted", "rejected", "accepted"]
    assert statuses(
        stage,
        delivery.reversal("r1", "s1"),
        delivery.segment(metered, "s4", 0, 1, 12),
        delivery.segment(metered, "s5", 1, 2, 16),
        delivery.reversal("r2", "s1"),
    ) == ["accepted", "accepted", "accepted", "rejected"]
    in_force = AllocationSegment.objects.filter(reversed_at=None).order_by("starts_at")
    assert [segment.quantity for segment in in_force] == [12, 16, 16]


def test_a_segment_can_be_reported_and_reversed_in_one_batch(stage: Stage, metered: MeteringPoint) -> None:
    assert statuses(
        stage,
        delivery.segment(metered, "s1", 0, 2, 16),
        delivery.reversal("r1", "s1"),
        delivery.segment(metered, "s2", 0, 2, 8),
    ) == ["accepted", "accepted", "accepted"]
    assert AllocationSegment.objects.get(reversed_at=None).quantity == 8


def test_a_reversal_of_a_reversal_or_of_nothing_is_declined(stage: Stage, metered: MeteringPoint) -> None:
    statuses(stage, delivery.segment(metered, "s1", 0, 2, 16), delivery.reversal("r1", "s1"))
    assert refusal(stage, delivery.reversal("r2", "r1"))[0] == "reverses_a_reversal"
    assert refusal(stage, delivery.reversal("r3", "unheard of")) == ("unknown_event", "/0/data/reverses")


def test_a_lease_of_another_provider_looks_like_none(stage: Stage, metered: MeteringPoint) -> None:
    rival = cast.acting_for(cast.organisation("Rival", can_sell=True), frozenset({Capability.METER}))
    (theirs,) = usage.ingest(rival, [delivery.segment(metered, "s1", 0, 1, 16)], now=AFTER)
    metered.reference_id = ids.new_id()
    (unknown,) = usage.ingest(rival, [delivery.segment(metered, "s1", 0, 1, 16)], now=AFTER)
    assert (theirs.code, theirs.pointer) == (unknown.code, unknown.pointer) == ("unknown_lease", "/0/data/lease")


def test_two_providers_may_use_the_same_source_and_id(stage: Stage, metered: MeteringPoint) -> None:
    other = delivery.another("Zhangbei Green DC", "Lanting Robotics", stage)
    delivery.fund(other.buyer, 1_000_000)
    theirs = delivery.point(delivery.contract(other, [delivery.slot(other, 0, 24, 16, 9_000_000)]), other.offering)
    assert statuses(stage, delivery.segment(metered, "s1", 0, 1, 16)) == ["accepted"]
    assert statuses(other, delivery.segment(theirs, "s1", 0, 1, 16)) == ["accepted"]
    assert statuses(other, delivery.reversal("r1", "s1")) == ["accepted"]
    assert AllocationSegment.objects.get(metering_point=metered).reversed_at is None


def test_usage_lies_inside_the_lease_and_near_its_report(stage: Stage, metered: MeteringPoint) -> None:
    assert refusal(stage, delivery.segment(metered, "a", -1, 1, 16)) == ("outside_lease", "/0/data/start")
    assert refusal(stage, delivery.segment(metered, "b", 23, 25, 16)) == ("outside_time_bounds", "/0/data/end")
    late = AFTER + timedelta(hours=2)
    assert refusal(stage, delivery.segment(metered, "c", 23, 25, 16), late) == ("outside_lease", "/0/data/end")
    too_late = delivery.at(1) + timedelta(days=35, seconds=1)
    assert refusal(stage, delivery.segment(metered, "d", 0, 1, 16), too_late)[0] == "outside_time_bounds"
    in_time = delivery.at(1) + timedelta(days=35)
    assert statuses(stage, delivery.segment(metered, "d", 0, 1, 16), now=in_time) == ["accepted"]
    ahead = delivery.at(3) - timedelta(minutes=5)
    assert statuses(stage, delivery.segment(metered, "e", 2, 3, 16), now=ahead) == ["accepted"]
    early = delivery.at(4) - timedelta(minutes=5, seconds=1)
    assert refusal(stage, delivery.segment(metered, "f", 3, 4, 16), early)[0] == "outside_time_bounds"


def test_a_meter_without_a_price_is_declined(stage: Stage, metered: MeteringPoint) -> None:
    assert refusal(stage, delivery.reading(metered, "e1", 0, 1, "5", "energy_kwh")) == (
        "meter_not_priced",
        "/0/data/meter",
    )


def test_what_is_traded_is_not_charged_again_as_an_extra(stage: Stage, metered: MeteringPoint) -> None:
    assert refusal(stage, delivery.reading(metered, "e1", 0, 1, "5", "card_hours"))[0] == "meter_not_priced"


def test_a_closed_lease_takes_nothing_more(stage: Stage, metered: MeteringPoint) -> None:
    statuses(stage, delivery.segment(metered, "s1", 0, 1, 16))
    usage.close_point(metered.reference_id, now=AFTER)
    assert refusal(stage, delivery.segment(metered, "s2", 1, 2, 16))[0] == "metering_closed"
    assert refusal(stage, delivery.reversal("r1", "s1"))[0] == "metering_closed"
    assert statuses(stage, delivery.segment(metered, "s1", 0, 1, 16)) == ["duplicate"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"specversion": "0.3"}, "/0/specversion"),
        ({"id": ""}, "/0/id"),
        ({"id": "x" * 201}, "/0/id"),
        ({"id": "nul\x00"}, "/0/id"),
        ({"source": 7}, "/0/source"),
        ({"type": "exchange.allocation.segment.v2"}, "/0/type"),
        ({"type": ["exchange.allocation.segment.v1"]}, "/0/type"),
        ({"time": "2026-05-11T00:00:00"}, "/0/time"),
        ({"time": "2126-05-11T00:00:00Z"}, "/0/time"),
        ({"datacontenttype": "text/plain"}, "/0/datacontenttype"),
        ({"Extension": "x"}, "/0"),
        ({"extension": {"deep": 1}}, "/0/extension"),
        ({"extension": 2**53}, "/0/extension"),
        ({"data_base64": "AA=="}, "/0"),
        ({"data": None}, "/0/data"),
        ({"data": []}, "/0/data"),
    ],
)
def test_an_envelope_that_is_not_a_cloud_event_is_declined_by_name(
    stage: Stage, metered: MeteringPoint, change: dict[str, Any], pointer: str
) -> None:
    assert refusal(stage, delivery.segment(metered, "s1", 0, 1, 16) | change)[1] == pointer
    assert UsageEvent.objects.count() == 0


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"quantity": "16"}, "/0/data/quantity"),
        ({"quantity": 1.5}, "/0/data/quantity"),
        ({"quantity": -1}, "/0/data/quantity"),
        ({"quantity": True}, "/0/data/quantity"),
        ({"quantity": 10**30}, "/0/data/quantity"),
        ({"lease": "lse_0"}, "/0/data/lease"),
        ({"lease": None}, "/0/data/lease"),
        ({"start": "2026-05-11T00:00:00"}, "/0/data/start"),
        ({"start": "2026-05-10T16:00:00.5Z"}, "/0/data/start"),
        ({"end": "2026-05-10T16:00:00Z"}, "/0/data/end"),
        ({"end": "infinity"}, "/0/data/end"),
        ({"cards": 3}, "/0/data"),
    ],
)
def test_a_segment_that_cannot_be_read_is_declined_by_name(
    stage: Stage, metered: MeteringPoint, change: dict[str, Any], pointer: str
) -> None:
    event = delivery.segment(metered, "s1", 0, 1, 16)
    assert refusal(stage, event | {"data": event["data"] | change})[1] == pointer


@pytest.mark.parametrize(
    "quantity", ["-1", "1e3", "1_000", "１２", " 5", "-0", "Infinity", "1.0000000001", "9" * 16, 5]
)
def test_a_quantity_that_is_no_plain_decimal_is_declined(
    stage: Stage, metered: MeteringPoint, quantity: object
) -> None:
    event = delivery.reading(metered, "e1", 0, 1, "1")
    assert refusal(stage, event | {"data": event["data"] | {"quantity": quantity}})[1] == "/0/data/quantity"


@pytest.mark.parametrize("item", [None, 7, "text", [], [[]], True])
def test_an_item_that_is_no_object_is_declined(stage: Stage, item: object) -> None:
    assert refusal(stage, item) == ("invalid", "/0")


def test_extension_attributes_and_offsets_are_taken(stage: Stage, metered: MeteringPoint) -> None:
    event = delivery.segment(metered, "s1", 0, 1, 16) | {"traceparent": "00-ab", "sampled": True, "subject": "rack 4"}
    event["data"] = event["data"] | {"start": "2026-05-11T00:00:00+08:00", "end": "2026-05-11T01:00:00+08:00"}
    assert statuses(stage, event) == ["accepted"]
    assert UsageEvent.objects.get().starts_at == delivery.at(0)


def test_only_who_may_meter_reports(stage: Stage, metered: MeteringPoint) -> None:
    event = delivery.segment(metered, "s1", 0, 1, 16)
    for actor in (stage.trader, stage.seller, stage.finance):
        with pytest.raises(NotAllowed):
            usage.ingest(actor, [event], now=AFTER)
    with pytest.raises(NotAllowed):
        usage.ingest(Actor.system("nobody's agent"), [event], now=AFTER)


def test_batches_have_bounds(stage: Stage) -> None:
    with pytest.raises(EmptyBatch):
        usage.ingest(stage.agent, [], now=AFTER)
    with pytest.raises(BatchTooLarge):
        usage.ingest(stage.agent, [None] * 10_001, now=AFTER)


def test_a_thousand_events_take_as_many_statements_as_one(stage: Stage, metered: MeteringPoint) -> None:
    with CaptureQueriesContext(connection) as one:
        statuses(stage, delivery.segment(metered, "s", 0, 0.02, 16), delivery.reading(metered, "e", 0, 1, "1"))
    batch = [delivery.reading(metered, f"e{n}", 0, 1, "1") for n in range(500)]
    batch += [delivery.segment(metered, f"s{n}", 1 + n / 100, 1 + (n + 1) / 100, 16) for n in range(500)]
    with CaptureQueriesContext(connection) as many:
        assert set(statuses(stage, *batch)) == {"accepted"}
    assert len(many) == len(one)


def test_accepted_events_are_spread_over_eight_partitions_and_never_change(
    stage: Stage, metered: MeteringPoint
) -> None:
    statuses(stage, *(delivery.reading(metered, f"e{n}", 0, 1, "1") for n in range(100)))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT tableoid) FROM billing_usageevent")
        assert cursor.fetchone() == (8,)
