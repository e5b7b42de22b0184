"""Batches against one event at a time: duplicates, conflicts, corrections and reversals, in one batch or in several."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
import rfc8785
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.foundation import ids
from billing.usage import cloudevents
from billing.usage import services as usage
from billing.usage.models import AllocationSegment, MeteringPoint, UsageConflict, UsageEvent, UsageReversal
from tests.billing import delivery
from tests.billing.delivery import AFTER, Stage
from tests.billing.usage.reference import Reference

pytestmark = pytest.mark.django_db

MINUTES = 12


@pytest.fixture
def stage() -> Stage:
    return delivery.stage()


@pytest.fixture
def metered(stage: Stage) -> MeteringPoint:
    delivery.fund(stage.buyer, 1_000_000)
    return delivery.point(delivery.contract(stage, [delivery.slot(stage, 0, 0.2, 16, 9_000_000)]), stage.offering)


@st.composite
def reports(draw: st.DrawFn) -> dict[str, Any]:
    """A report of few ids, so that they meet; some lie outside the lease."""
    kind = draw(st.sampled_from(["segment", "segment", "reading", "reversal"]))
    event: dict[str, Any] = {"id": f"e{draw(st.integers(0, 6))}", "kind": kind}
    if kind == "reversal":
        return event | {"reverses": f"e{draw(st.integers(0, 6))}"}
    start = draw(st.integers(0, MINUTES - 1))
    end = start + draw(st.integers(1, 4))
    return event | {"start": start, "end": end, "quantity": draw(st.integers(0, 2))}


def spelled(metered: MeteringPoint, event: dict[str, Any]) -> dict[str, Any]:
    if event["kind"] == "reversal":
        return delivery.reversal(event["id"], event["reverses"])
    start, end = event["start"] / 60, event["end"] / 60
    if event["kind"] == "segment":
        return delivery.segment(metered, event["id"], start, end, event["quantity"])
    return delivery.reading(metered, event["id"], start, end, str(event["quantity"]))


@settings(max_examples=40)
@given(st.lists(reports(), min_size=1, max_size=14), st.sets(st.integers(1, 13), max_size=3))
def test_batches_decide_as_one_event_after_the_other(
    stage: Stage, metered: MeteringPoint, events: list[dict[str, Any]], cuts: set[int]
) -> None:
    reference = Reference(MINUTES)
    expected = [reference.take(event) for event in events]
    edges = [0, *sorted(cut for cut in cuts if cut < len(events)), len(events)]
    with transaction.atomic():
        found = []
        for start, end in itertools.pairwise(edges):
            batch = [spelled(metered, event) for event in events[start:end]]
            found += [str(result.status) for result in usage.ingest(stage.agent, batch, now=AFTER)]
        assert found == expected
        assert set(UsageEvent.objects.values_list("event_id", flat=True)) == set(reference.events)
        assert UsageReversal.objects.count() == len(reference.reversed)
        assert UsageConflict.objects.count() == len(reference.conflicts)
        in_force = AllocationSegment.objects.filter(reversed_at=None).order_by("starts_at")
        assert [
            (minute(segment.starts_at), minute(segment.ends_at), segment.quantity) for segment in in_force
        ] == reference.in_force()
        transaction.set_rollback(True)


def minute(moment: Any) -> int:
    return int((moment - delivery.DAY).total_seconds()) // 60


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]), min_size=1, max_size=20)


@given(TEXT, TEXT, TEXT, st.integers(-(2**31) + 1, 2**31 - 1), st.booleans(), st.integers(0, 10**6))
def test_the_kept_payload_is_the_canonical_one(
    source: str, event_id: str, note: str, number: int, truth: bool, quantity: int
) -> None:
    event: dict[str, Any] = {
        "type": "exchange.allocation.segment.v1",
        "specversion": "1.0",
        "source": source,
        "id": event_id,
        "note": note + '"\\/\u007f',
        "number": number,
        "truth": truth,
        "data": {
            "quantity": quantity,
            "lease": ids.spell("lse", ids.new_id()),
            "end": "2026-05-11T00:00:00+08:00",
            "start": "2026-05-10T00:00:00+08:00",
        },
    }
    report = cloudevents.read(0, json.loads(json.dumps(event)))
    if isinstance(report, cloudevents.Refusal):  # a text of blanks
        assert report.pointer in {"/source", "/id"}
    else:
        assert report.payload.encode() == rfc8785.dumps(event)


def test_fresh_ids_rise_and_are_version_seven() -> None:
    found = ids.new_ids(10_000)
    assert found == sorted(set(found))
    assert {(id_.version, id_.variant) for id_ in found} == {(7, ids.new_id().variant)}
    assert ids.new_ids(0) == []
