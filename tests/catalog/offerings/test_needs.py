"""Needs, spelled as in a clearing book."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.foundation.errors import Invalid
from catalog.offerings.needs import CellAttributes, MaxLatency, Needs

CELL = CellAttributes(
    model="h100-sxm",
    region="cn-guizhou",
    memory_gb=80,
    tflops=989,
    green_percent=80,
    security=3,
    interconnect="ib",
    latency_ms={"shanghai": 28},
)
DOCUMENT: dict[str, Any] = {
    "model": ["h100-sxm", "h200-sxm"],
    "min_mem_gb": 80,
    "min_tflops": 900,
    "region": ["cn-guizhou"],
    "max_latency": {"metro": "shanghai", "ms": 28},
    "min_green_pct": 80,
    "min_security": 3,
    "interconnect": ["ib"],
}


def test_a_cell_that_meets_every_bound_exactly_qualifies() -> None:
    assert Needs.from_document(DOCUMENT).unmet_by(CELL) == ()
    assert Needs().unmet_by(CELL) == ()


@pytest.mark.parametrize(
    ("key", "value", "seen"),
    [
        ("model", ["t4"], "h100-sxm"),
        ("min_mem_gb", 81, "80 GB"),
        ("min_tflops", 990, "989 TFLOPS"),
        ("region", ["cn-gansu", "cn-ningxia"], "cn-guizhou"),
        ("max_latency", {"metro": "shanghai", "ms": 27}, "28 ms"),
        ("max_latency", {"metro": "beijing", "ms": 500}, "not stated"),
        ("min_green_pct", 81, "80 %"),
        ("min_security", 4, "is 3"),
        ("interconnect", ["roce"], "ib"),
    ],
)
def test_one_missed_need_is_named_with_the_value_seen(key: str, value: object, seen: str) -> None:
    unmet = Needs.from_document({**DOCUMENT, key: value}).unmet_by(CELL)
    assert [reason.need for reason in unmet] == [key]
    assert seen in unmet[0].detail


def test_an_attribute_that_is_not_stated_meets_no_need() -> None:
    bare = CellAttributes(model="s60", region="cn-guizhou")
    needs = Needs.from_document({key: DOCUMENT[key] for key in DOCUMENT if key not in ("model", "region")})
    assert {unmet.need for unmet in needs.unmet_by(bare)} == set(DOCUMENT) - {"model", "region"}
    assert bare.to_document() == {"model": "s60", "region": "cn-guizhou", "latency_ms": {}}


CODES = st.lists(st.text("abc-0", min_size=1, max_size=8), max_size=4).map(lambda codes: tuple(sorted(set(codes))))
MAYBE = st.none() | st.integers(1, 500)
NEEDS = st.builds(
    Needs,
    models=CODES,
    min_memory_gb=MAYBE,
    min_tflops=MAYBE,
    regions=CODES,
    max_latency=st.none() | st.builds(MaxLatency, st.text("ab", min_size=1), st.integers(1, 500)),
    min_green_percent=st.none() | st.integers(0, 100),
    min_security=st.none() | st.integers(2, 4),
    interconnects=CODES,
)


@given(NEEDS)
def test_needs_survive_the_round_trip(needs: Needs) -> None:
    assert Needs.from_document(needs.to_document()) == needs


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"colour": "red"}, "/needs/colour"),
        ({"a/b~c": 1}, "/needs/a~1b~0c"),
        ({"model": "h100-sxm"}, "/needs/model"),
        ({"model": []}, "/needs/model"),
        ({"model": ["ok", 7]}, "/needs/model/1"),
        ({"region": [""]}, "/needs/region/0"),
        ({"interconnect": ["a\x00"]}, "/needs/interconnect/0"),
        ({"min_mem_gb": 80.0}, "/needs/min_mem_gb"),
        ({"min_mem_gb": True}, "/needs/min_mem_gb"),
        ({"min_tflops": "900"}, "/needs/min_tflops"),
        ({"min_green_pct": 101}, "/needs/min_green_pct"),
        ({"min_security": 5}, "/needs/min_security"),
        ({"max_latency": 20}, "/needs/max_latency"),
        ({"max_latency": {"metro": "beijing"}}, "/needs/max_latency"),
        ({"max_latency": {"metro": "beijing", "ms": 0}}, "/needs/max_latency/ms"),
        ({"max_latency": {"metro": 1, "ms": 5}}, "/needs/max_latency/metro"),
        ([], "/needs"),
        (None, "/needs"),
    ],
)
def test_a_malformed_need_is_refused_at_its_place(document: object, pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        Needs.from_document(document)
    assert [problem.pointer for problem in refused.value.problems] == [pointer]


def test_every_problem_is_reported_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        Needs.from_document({"colour": 1, "min_tflops": -1, "model": "t4"}, pointer="")
    assert [problem.pointer for problem in refused.value.problems] == ["/colour", "/min_tflops", "/model"]
