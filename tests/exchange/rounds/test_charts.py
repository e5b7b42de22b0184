"""Price charts: steps in time, gaps where there is no price."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from exchange.rounds import charts

MIDNIGHT = datetime(2026, 5, 2, 16, tzinfo=UTC)


@dataclass
class Run:
    starts_at: datetime
    ends_at: datetime
    price_micros: int


def run(first: int, last: int, price: int) -> Run:
    return Run(MIDNIGHT + timedelta(hours=first), MIDNIGHT + timedelta(hours=last), price * 1_000_000)


def test_the_story_steps_up_by_day_and_down_by_night() -> None:
    chart = charts.step_chart("zjk-1", [run(0, 8, 9), run(8, 20, 10), run(20, 24, 9)])
    assert chart.path == f"M{chart.left} {chart.lowest.y}H277V{chart.highest.y}H597V{chart.lowest.y}H{chart.right}"
    assert (chart.lowest.price_micros, chart.highest.price_micros) == (9_000_000, 10_000_000)
    assert chart.highest.y < chart.lowest.y <= chart.baseline


def test_hours_without_a_price_leave_a_gap() -> None:
    chart = charts.step_chart("zjk-1", [run(0, 8, 9), run(12, 24, 9)])
    assert chart.path.count("M") == 2


def test_one_price_is_one_level_in_the_middle() -> None:
    chart = charts.step_chart("zjk-1", [run(0, 24, 9)])
    assert len(chart.levels) == 1
    assert 0 < chart.lowest.y < chart.baseline


@pytest.mark.parametrize("hours", [1, 48, 8784])
def test_the_line_ends_at_the_right_edge(hours: int) -> None:
    assert charts.step_chart("zjk-1", [run(0, hours, 9)]).path.endswith(f"H{charts.WIDTH - 16}")
