"""The units in which capacity and usage are counted, priced and invoiced."""

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from catalog.measures.errors import MeasureError

_FILE: Final = Path(__file__).parent / "data" / "units.json"


class Aggregation(StrEnum):
    """How the readings of a meter make up the quantity of a period."""

    SUM = "sum"
    TIME_WEIGHTED = "time_weighted"
    COUNTER_DELTA = "counter_delta"
    PERCENTILE_95 = "percentile_95"


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: its names, its dimension, and its spelling in invoices (UN/ECE Rec 20) and cost exports (FOCUS).

    `rec20_code` is empty where Rec 20 has no exact code; `invoice_code` is always filled. `default_base_quantity` is
    the quantity that a price is usually stated for (a million tokens).
    """

    code: str
    name_en: str
    name_zh: str
    dimension: str
    aggregation: Aggregation
    focus_unit: str
    rec20_code: str
    invoice_code: str
    auctioned: bool
    metered: bool
    default_base_quantity: int
    note: str


@cache
def all_units() -> MappingProxyType[str, Unit]:
    """Every unit by its code, in the order of the data file."""
    document = json.loads(_FILE.read_text(encoding="utf-8"))
    units = [Unit(**{**row, "aggregation": Aggregation(row["aggregation"])}) for row in document["units"]]
    return MappingProxyType({unit.code: unit for unit in units})


def unit(code: str) -> Unit:
    """Return the unit of that code; MeasureError when there is none."""
    try:
        return all_units()[code]
    except KeyError:
        raise MeasureError(f"unknown unit {code!r}; expected one of {', '.join(all_units())}") from None
