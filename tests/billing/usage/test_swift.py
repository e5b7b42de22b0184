"""The quick reader takes what the careful one takes, as the careful one takes it, and nothing else."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.foundation import ids
from accounts.foundation.errors import Invalid
from billing.usage import cloudevents, swift
from config import parsing

LEASE = ids.spell("lse", ids.new_id())
READING: dict[str, Any] = {
    "specversion": "1.0",
    "id": "meter-1/000001",
    "source": "//agent/zjk-1",
    "type": "exchange.meter.reading.v1",
    "time": "2026-05-10T00:01:00Z",
    "data": {
        "lease": LEASE,
        "meter": "egress_gb",
        "start": "2026-05-10T00:00:00Z",
        "end": "2026-05-10T00:01:00+00:00",
        "quantity": "12.50",
    },
}
SEGMENT: dict[str, Any] = READING | {
    "type": "exchange.allocation.segment.v1",
    "data": {"lease": LEASE, "start": "2026-05-10t00:00:00z", "end": "2026-05-10T09:00:00+08:00", "quantity": 16},
}
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [None, True, 0, 1, 16, -1, 10**6, 10**6 + 1, 10**40, 1.5, "", " ", "a b", 'q"q', "\u00a0", "\u0378", "\x7f", []]
    ),
    st.sampled_from(["0", "00", "1.", ".5", "-0", "1e3", "NaN", "9" * 14, "9" * 15, "9" * 16, "0.1234567891", "0.1"]),
    st.sampled_from(["1.0", "2026-05-10T00:00:00Z", "2019-12-31T00:00:00Z", "2026-05-10T00:00:00.5Z", LEASE, {}]),
    st.text(max_size=4),
    st.just("x" * 201),
)
NAMES = st.sampled_from([*READING, *READING["data"], "subject", "datacontenttype", "Ext"])


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """An event as a line of JSON, mostly with something odd about it."""
    event = json.loads(json.dumps(draw(st.sampled_from([READING, SEGMENT]))))
    for _ in range(draw(st.integers(0, 2))):
        where = draw(st.sampled_from([event, event["data"]])) if isinstance(event.get("data"), dict) else event
        name = draw(NAMES)
        if draw(st.booleans()):
            where.pop(name, None)
        elif name != "data":
            where[name] = draw(VALUES)
    text = json.dumps(event, ensure_ascii=draw(st.booleans()), separators=draw(st.sampled_from([None, (",", ":")])))
    if draw(st.integers(0, 3)) == 0:  # a name given twice, or a byte too many
        name, value = draw(NAMES), json.dumps(draw(VALUES))
        twice = f'"{name}":{value},'
        at = text.find("{", draw(st.integers(0, 1)) * (text.find('"data"') + 1)) + 1
        text = text[:at] + draw(st.sampled_from([twice, " ", ",", "}", '"'])) + text[at:]
    return text.encode("utf-8", "replace")


@settings(max_examples=600)
@given(lines())
def test_the_quick_reader_says_what_the_careful_one_says(line: bytes) -> None:
    found = swift.line(7, line)
    try:
        item = parsing.loads(line)
    except Invalid:
        assert found is None
        return
    expected = cloudevents.read(7, item)
    assert found is None or found == expected
    if isinstance(item, dict):
        decoded = swift.event(7, item)
        assert decoded is None or decoded == expected


def test_the_quick_reader_takes_the_usual_events() -> None:
    for event in (READING, SEGMENT, {name: value for name, value in READING.items() if name != "time"}):
        found = swift.line(3, json.dumps(event).encode())
        assert found is not None
        assert found == swift.event(3, event) == cloudevents.read(3, event)


def test_a_name_given_twice_is_left_to_the_strict_parser() -> None:
    text = json.dumps(READING)
    for twice in ('"id": "other",', '"ext": 1, "ext": 2,', '"data": {"lease": 1},'):
        assert swift.line(0, ("{" + twice + text[1:]).encode()) is None
    at = text.index("{", 1) + 1
    assert swift.line(0, (text[:at] + '"quantity": "1",' + text[at:]).encode()) is None
