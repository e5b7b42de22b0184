"""Pods of a cluster trace as orders with synthetic limits."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.offerings.needs import Needs
from exchange.imports import alibaba
from exchange.imports.alibaba import MAX_CARDS, REFERENCES, TICK_MICROS, Plan, parse_alibaba
from exchange.imports.draws import Draws
from exchange.imports.errors import FileRefused, NothingToImport
from exchange.orders.rules import LimitSource, OrderKind
from tests.exchange.imports import files

PLAN = Plan(days=2, seed=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file lies."""
    return tmp_path / "pods.csv"


def test_without_the_mixture_cards_and_hours_are_the_pods_own(path: Path) -> None:
    plain = replace(PLAN, mixture=False)
    (order,) = parse_alibaba(files.pods(path, {"num_gpu": "4"}), plain).orders
    assert order.quantity_max == 4
    assert (order.earliest_hour, order.arrives_after) == (plain.notice_hours, timedelta(0))
    # From 1800 to 9000 seconds: two hours. A window that is no wider fixes the block.
    assert order.latest_hour - order.earliest_hour >= 2
    assert order.hours in (None, 2)


def test_a_share_of_a_card_is_rounded_up_to_a_card(path: Path) -> None:
    (order,) = parse_alibaba(files.pods(path, {"gpu_milli": "460"}), replace(PLAN, mixture=False)).orders
    assert order.quantity_max == 1


def test_pods_without_gpus_and_models_that_nobody_lists_are_left_out_and_counted(path: Path) -> None:
    parsed = parse_alibaba(
        files.pods(
            path,
            {},
            {"name": "pod-2", "num_gpu": "0", "gpu_milli": "0"},
            {"name": "pod-3", "gpu_spec": "P100"},
            {"name": "pod-4", "gpu_spec": "V100M16|V100M32|G2"},
        ),
        PLAN,
    )
    assert [order.pod for order in parsed.orders] == ["pod-1", "pod-4"]
    assert parsed.orders[1].needs == Needs(models=("v100-sxm2-16", "v100-sxm2-32"))
    assert parsed.left_out == {"accepts only models that nobody lists": 1, "asks for no GPU": 1}


def test_only_the_busiest_days_are_taken_with_their_own_pattern(path: Path) -> None:
    day = 24 * 3600
    seconds = [0, 10 * day, 10 * day + 3600, 11 * day + 7200, 13 * day]
    rows = [
        {"name": f"pod-{second}", "creation_time": str(second), "deletion_time": str(second + 60), "scheduled_time": ""}
        for second in seconds
    ]
    parsed = parse_alibaba(files.pods(path, *rows), PLAN)
    assert [order.arrives_after for order in parsed.orders] == [
        timedelta(0),
        timedelta(hours=1),
        timedelta(days=1, hours=2),
    ]
    assert parsed.left_out == {"outside the busiest days": 2}


def test_a_pod_that_arrives_too_late_is_left_out(path: Path) -> None:
    late = {
        "name": "late",
        "creation_time": str(1000 + 46 * 3600),
        "deletion_time": str(1000 + 60 * 3600),
        "scheduled_time": "",
    }
    parsed = parse_alibaba(files.pods(path, {}, late), PLAN)
    assert parsed.left_out == {"arrives too late to be delivered": 1}
    with pytest.raises(NothingToImport):
        parse_alibaba(files.pods(path, {"num_gpu": "0"}), PLAN)


def test_pods_are_thinned_out_evenly(path: Path) -> None:
    every = parse_alibaba(files.many_pods(path, 90), PLAN)
    third = parse_alibaba(path, replace(PLAN, at_most=30))
    assert [order.pod for order in third.orders] == [order.pod for order in every.orders][::3]
    # Thinning out changes none of the orders that stay.
    assert set(third.orders) <= set(every.orders)
    assert third.left_out["thinned out"] == 60


def test_the_same_seed_gives_the_same_orders_and_another_seed_others(path: Path) -> None:
    files.many_pods(path, 60)
    assert parse_alibaba(path, PLAN) == parse_alibaba(path, PLAN)
    assert parse_alibaba(path, PLAN).orders != parse_alibaba(path, replace(PLAN, seed=2)).orders


@given(seed=st.integers(0, 2**63 - 1), days=st.integers(1, 4), notice=st.integers(0, 6), mixture=st.booleans())
def test_every_order_fits_its_days_and_its_kind(
    tmp_path: Path, seed: int, days: int, notice: int, mixture: bool
) -> None:
    plan = Plan(days=days, seed=seed, notice_hours=notice, mixture=mixture, buyers=5)
    for order in parse_alibaba(files.many_pods(tmp_path / "pods.csv", 40), plan).orders:
        window = order.latest_hour - order.earliest_hour
        assert order.arrives_after + timedelta(hours=notice) <= timedelta(hours=order.earliest_hour)
        assert order.latest_hour <= plan.hours
        assert 1 <= order.quantity_max <= MAX_CARDS
        assert 0 <= order.buyer < 5
        assert order.limit_micros > 0
        assert order.limit_micros % TICK_MICROS == 0
        assert order.limit_source is LimitSource.SYNTHETIC
        assert order.needs != Needs()
        if order.kind is OrderKind.HOURLY:
            assert (order.quantity_min, order.hours, order.single_site) == (None, None, False)
            assert order.unit_hours == order.quantity_max * window
        else:
            assert order.quantity_min is not None
            assert order.hours is not None
            assert 1 <= order.quantity_min <= order.quantity_max
            assert 1 <= order.hours <= window
            assert order.unit_hours == order.quantity_max * order.hours


def test_limits_stand_around_the_anchor_of_the_model_in_mind() -> None:
    drawn = sorted(alibaba._limit_micros(REFERENCES[2][0], Draws(1, str(number))) for number in range(999))
    # The median of anchor x LogN(-0.10, 0.35) is anchor x exp(-0.10).
    assert 1_820_000 < drawn[499] < 1_980_000
    assert drawn[0] > 500_000
    assert drawn[-1] < 7_000_000


@pytest.mark.django_db
def test_every_model_in_mind_is_in_the_catalogue_with_the_same_figures() -> None:
    from catalog.taxonomy.models import ResourceType

    assert sum(weight for _, weight in REFERENCES) == 100
    for reference, _ in REFERENCES:
        row = ResourceType.objects.get(code=reference.model)
        assert row.memory_gb == reference.memory_gb
        assert row.fp16_dense_tflops == Decimal(reference.tflops)
    assert ResourceType.objects.filter(code__in=alibaba.MODELS.values()).count() == len(alibaba.MODELS)


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("name", "", "a name"),
        ("name", "pod-1", "each pod once"),
        ("num_gpu", "-1", "whole number"),
        ("num_gpu", "NaN", "whole number"),
        ("num_gpu", "1.5", "whole number"),
        ("gpu_milli", "1001", "to 1000"),
        ("creation_time", "1e3", "whole number"),
        ("deletion_time", "999", "from 1000"),
        ("deletion_time", "", "from 1000"),
        ("scheduled_time", "soon", "whole number"),
    ],
)
def test_a_wrong_cell_is_named_with_file_row_column_value_and_what_was_expected(
    path: Path, column: str, value: str, expected: str
) -> None:
    with pytest.raises(FileRefused) as refused:
        parse_alibaba(files.pods(path, {}, {"name": "pod-2", column: value}), PLAN)
    (problem,) = refused.value.rows
    assert (problem.file, problem.row, problem.column, problem.value) == ("pods.csv", 3, column, value)
    assert expected in problem.expected
