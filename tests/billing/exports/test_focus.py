"""The FOCUS export: what its validator does not look at. Sums are those of the invoices, costs price times quantity."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Callable
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from accounts.foundation import ids
from accounts.organisations.models import Organisation
from billing.exports import focus, tables
from billing.exports.costs import Month
from billing.invoices.models import Invoice
from billing.invoices.rules import Side
from catalog.measures.rounding import half_up_exact
from exchange.demo.cast import Cast

EXACT = Context(prec=200, traps=[Inexact])
MONTHS = ("2026-04", "2026-05", "2026-06", "2026-07")
Row = dict[str, str]
Export = Callable[..., list[Row]]


@pytest.fixture
def export(quarter: Cast, tmp_path: Path) -> Export:
    """Run the command as outsiders do, and read its file."""

    def run(buyer: Organisation, period: str, version: str = "1.2") -> list[Row]:
        path = tmp_path / "focus.csv"
        call_command(
            "export_focus",
            "--buyer",
            ids.spell("org", buyer.id),
            "--period",
            period,
            "--focus-version",
            version,
            "--out",
            str(path),
        )
        return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))

    return run


def all_rows(export: Export, cast: Cast) -> list[Row]:
    return [
        row for buyer in (cast.beichen, cast.lanting, cast.qinghe) for month in MONTHS for row in export(buyer, month)
    ]


def test_the_rows_of_every_invoice_sum_to_what_is_payable_and_no_invoice_is_missing(
    quarter: Cast, export: Export
) -> None:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in all_rows(export, quarter):
        sums[row["InvoiceId"]] += Decimal(row["BilledCost"])

    invoices = Invoice.objects.filter(side=Side.CUSTOMER)
    assert sums == {invoice.number: focus.in_currency(invoice.total_minor, "CNY") for invoice in invoices}
    assert len(sums) > 15


def test_costs_are_unit_price_times_quantity_to_the_last_digit(quarter: Cast, export: Export) -> None:
    priced = [row for row in all_rows(export, quarter) if row["PricingQuantity"]]

    for row in priced:
        quantity = Decimal(row["PricingQuantity"])
        assert EXACT.multiply(Decimal(row["ContractedUnitPrice"]), quantity) == Decimal(row["ContractedCost"]), row
        assert EXACT.multiply(Decimal(row["ListUnitPrice"]), quantity) == Decimal(row["ListCost"]), row
    assert {row["PricingUnit"] for row in priced} >= {
        "Card-Hours",
        "GB",
        "1000000 Tokens",
        "Kilowatt-Hours",
        "GB-Months",
        "Percent",
    }


def test_a_tax_row_is_the_rate_of_its_invoices_other_rows(quarter: Cast, export: Export) -> None:
    by_invoice: dict[str, list[Row]] = defaultdict(list)
    for row in all_rows(export, quarter):
        by_invoice[row["InvoiceId"]].append(row)

    for rows in by_invoice.values():
        (tax,) = [row for row in rows if row["ChargeCategory"] == "Tax"]
        others = [row for row in rows if row is not tax]
        for cost in ("ListCost", "ContractedCost"):
            assert sum(Decimal(row[cost]) for row in others) * Decimal("0.06") == Decimal(tax[cost])
        empty = ("PricingQuantity", "PricingUnit", "ListUnitPrice", "ContractedUnitPrice", "SkuId", "ConsumedQuantity")
        assert not any(tax[name] for name in (*empty, "PricingCategory"))


def test_the_credit_for_what_was_not_delivered_is_a_credit_at_its_billed_cost(quarter: Cast, export: Export) -> None:
    given_back = [row for row in all_rows(export, quarter) if row["ChargeCategory"] == "Credit"]

    assert given_back
    for row in given_back:
        assert row["ListCost"] == row["ContractedCost"] == row["BilledCost"] == row["EffectiveCost"]
        assert Decimal(row["BilledCost"]) < 0


def test_a_delivery_over_the_months_end_is_in_both_months_and_its_days_apart(quarter: Cast, export: Export) -> None:
    def hours(rows: list[Row], from_: str, to: str) -> set[str]:
        return {
            row["InvoiceId"]
            for row in rows
            if row["PricingUnit"] == "Card-Hours" and from_ <= row["ChargePeriodStart"] < to
        }

    april, may = export(quarter.beichen, "2026-04"), export(quarter.beichen, "2026-05")

    midnight = "2026-04-30T16:00:00Z"
    assert {row["BillingPeriodEnd"] for row in april} == {row["BillingPeriodStart"] for row in may} == {midnight}
    assert hours(april, "2026-04-30T13:00:00Z", midnight)
    assert not hours(april, midnight, "9")
    assert hours(may, midnight, "2026-04-30T19:00:01Z")


def test_a_service_has_one_category_and_one_subcategory(quarter: Cast, export: Export) -> None:
    kinds: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in all_rows(export, quarter):
        kinds[row["ServiceName"]].add((row["ServiceCategory"], row["ServiceSubcategory"]))

    assert all(len(found) == 1 for found in kinds.values()), kinds


def test_every_column_of_the_edition_is_there_once_and_own_ones_come_last(quarter: Cast, export: Export) -> None:
    (row, *_) = export(quarter.beichen, "2026-04")
    (newer, *_) = export(quarter.beichen, "2026-04", version="1.3")

    own = [name for name in row if name.startswith("x_")]
    assert list(row)[-len(own) :] == own
    assert len(row) == 57 + len(own)
    assert set(newer) - set(row) == {"HostProviderName", "ServiceProviderName"}
    assert newer["HostProviderName"] == "Huailai Compute Co., Ltd."
    assert newer["ProviderName"] == newer["InvoiceIssuerName"] == "Sancai Compute Exchange Co., Ltd."
    assert json.loads(row["SkuPriceDetails"])["GpuCount"] == 1


def test_quantities_have_a_decimal_point(quarter: Cast, export: Export) -> None:
    for row in export(quarter.beichen, "2026-04"):
        for name in ("PricingQuantity", "ConsumedQuantity", "BilledCost", "ListUnitPrice"):
            assert not row[name] or "." in row[name]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--period", "2026-04"], "--buyer ID and --period YYYY-MM are needed"),
        (["--buyer", "org_x", "--period", "2026-04"], "--buyer: "),
        (["--buyer", "org_01jd0000000000000000000000", "--period", "2026-04"], "there is no buyer"),
        (["--buyer", "org_01jd0000000000000000000000", "--period", "2026-13"], "expected a month such as 2026-04"),
    ],
)
def test_a_command_that_names_no_buyer_or_month_says_what_it_wants(
    transactional_db: None, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("export_focus", *arguments, "--out", str(tmp_path / "x.csv"))
    assert not list(tmp_path.iterdir())


@given(st.lists(st.fractions(min_value=-100, max_value=100), min_size=1, max_size=12))
def test_a_spread_sums_to_the_rounded_sum_and_no_part_is_a_unit_off(exact: list[Fraction]) -> None:
    total = half_up_exact(sum(exact, Fraction(0)))

    parts = focus.spread(exact, total)

    assert sum(parts) == total
    assert all(abs(part - value) < 1 for part, value in zip(parts, exact, strict=True))


def test_months_begin_at_midnight_in_the_zone_of_the_books() -> None:
    assert tables.spelled_instant(Month(2026, 12).interval.start) == "2026-11-30T16:00:00Z"
    assert tables.spelled_instant(Month(2026, 12).interval.end) == "2026-12-31T16:00:00Z"
