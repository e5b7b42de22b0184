"""The table of units."""

import pytest

from catalog.measures import units
from catalog.measures.errors import MeasureError


def test_every_unit_can_be_named_exported_and_invoiced() -> None:
    for code, unit in units.all_units().items():
        assert unit.code == code
        assert unit.name_en
        assert unit.name_zh
        assert unit.focus_unit
        assert 2 <= len(unit.invoice_code) <= 3
        assert unit.default_base_quantity >= 1
        # Where Rec 20 has an exact code, the invoice uses it.
        assert unit.rec20_code in ("", unit.invoice_code)


def test_what_is_auctioned_is_counted_by_the_hour() -> None:
    auctioned = {unit.code for unit in units.all_units().values() if unit.auctioned}
    assert auctioned == {"core_hours", "card_hours", "node_hours", "machine_hours"}


def test_an_unknown_unit_is_refused_with_the_known_ones() -> None:
    with pytest.raises(MeasureError, match=r"'horses'.*card_hours"):
        units.unit("horses")
