"""Asks of a marketplace as offers of machines."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from catalog.offerings.rules import Fabric
from exchange.imports import vast
from exchange.imports.errors import FileRefused, NothingToImport
from exchange.imports.vast import parse_vast
from tests.exchange.imports import files


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file lies."""
    return tmp_path / "2026-02-27.csv"


def test_an_ask_becomes_the_price_of_a_card_hour_and_a_rate_card(path: Path) -> None:
    parsed = parse_vast([files.asks(path, {})])
    (offer,) = parsed.offers
    assert (offer.resource_type, offer.cards, offer.fabric) == ("h100-sxm", 8, Fabric.NVLINK)
    assert offer.reserve_micros == 2_100_000
    assert (offer.storage_micros, offer.egress_micros, offer.ingress_micros) == (150_000, 4, 0)
    assert (offer.day, offer.available_from) == (date(2026, 2, 27), datetime(2026, 2, 27, tzinfo=UTC))
    assert offer.available_until == datetime(2026, 8, 29, 10, tzinfo=UTC)
    assert (offer.reliability, offer.verification, offer.place.site_code) == ("0.9981", "verified", "us-texas")
    assert (parsed.currency, parsed.rows, parsed.left_out) == ("USD", 1, {})


def test_the_price_of_the_whole_offer_is_divided_exactly_and_rounded_once(path: Path) -> None:
    (offer,) = parse_vast([files.asks(path, {"num_gpus": "3", "dph_base": "1.0000005"})]).offers
    assert offer.reserve_micros == 333_334
    (cheap,) = parse_vast([files.asks(path, {"num_gpus": "8", "dph_base": "0.000001"})]).offers
    assert cheap.reserve_micros == 1


@pytest.mark.parametrize(
    ("name", "memory", "resource_type"),
    [
        ("Tesla V100", "16384", "v100-sxm2-16"),
        ("Tesla V100", "32768", "v100-sxm2-32"),
        ("RTX 4090", "24564", "rtx-4090"),
        ("RTX 4090", "23028", "rtx-4090"),
        ("RTX 4090", "49140", "rtx-4090-48"),
        ("L40S", "46068", "l40s"),
        ("H200 NVL", "143771", "h200-nvl"),
        ("A100 PCIE", "40960", "a100-pcie-40"),
    ],
)
def test_names_and_memory_choose_the_resource_type(path: Path, name: str, memory: str, resource_type: str) -> None:
    (offer,) = parse_vast([files.asks(path, {"gpu_name": name, "gpu_ram": memory})]).offers
    assert offer.resource_type == resource_type


@pytest.mark.django_db
def test_every_resource_type_named_here_is_in_the_catalogue() -> None:
    from catalog.taxonomy.models import ResourceType

    named = {code: gb for by_memory in vast.MODELS.values() for gb, code in by_memory.items()}
    rows = ResourceType.objects.filter(code__in=named).values_list("code", "memory_gb")
    assert dict(rows) == named


def test_a_machine_cut_into_several_offers_is_listed_whole_and_once(path: Path) -> None:
    parsed = parse_vast(
        [
            files.asks(
                path,
                {"id": "1", "num_gpus": "1", "dph_base": "1"},
                {"id": "2", "num_gpus": "8", "dph_base": "16"},
                {"id": "3", "num_gpus": "8", "dph_base": "12"},
                {"id": "4", "num_gpus": "4", "dph_base": "4"},
                {"id": "5", "num_gpus": "1", "machine_id": "11"},
            )
        ]
    )
    assert [(offer.machine_id, offer.ask_id, offer.cards) for offer in parsed.offers] == [(10, 3, 8), (11, 5, 1)]
    assert parsed.left_out == {"part of a machine listed whole": 3}


def test_a_machine_seen_again_on_a_later_day_is_a_relisting(tmp_path: Path) -> None:
    first = files.asks(tmp_path / "a.csv", {"dph_base": "8"})
    second = files.asks(
        tmp_path / "b.csv", {"day": "2026-02-28", "num_gpus": "16"}, {"day": "2026-02-28", "machine_id": "11"}
    )
    parsed = parse_vast([second, first])
    assert [(offer.machine_id, offer.day.day, offer.cards) for offer in parsed.offers] == [(10, 27, 8), (11, 28, 8)]
    assert parsed.days == (date(2026, 2, 27), date(2026, 2, 28))
    assert parsed.left_out == {"machine listed again on a later day": 1}


def test_what_cannot_be_rented_any_more_is_left_out_and_counted(path: Path) -> None:
    gone = {"end_date": "1772150399", "machine_id": "12"}
    parsed = parse_vast([files.asks(path, {}, {"rentable": "False", "machine_id": "11"}, gone)])
    assert len(parsed.offers) == 1
    assert parsed.left_out == {"ends on its first day": 1, "not rentable": 1}
    with pytest.raises(NothingToImport):
        parse_vast([files.asks(path, {"rentable": "False"})])
    with pytest.raises(NothingToImport):
        parse_vast([files.asks(path)])


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("day", "27.02.2026", "2026-02-27"),
        ("day", "1999-01-01", "2020"),
        ("num_gpus", "0", "from 1 to 64"),
        ("num_gpus", "8.0", "whole number"),
        ("num_gpus", "-8", "whole number"),
        ("dph_base", "0", "a number from 0.000001"),
        ("dph_base", "NaN", "a number"),
        ("dph_base", "1e-400", "a number"),
        ("dph_base", "1,5", "a number"),
        ("dph_base", "-1", "a number"),
        ("storage_cost", "", "a number"),
        ("gpu_name", "Abacus", "H100 SXM"),
        ("gpu_ram", "40960", "81920"),
        ("geolocation", "somewhere", "Texas, US"),
        ("end_date", "-1", "a number"),
        ("end_date", "99999999999", "a number"),
        ("reliability2", "1.01", "to 1"),
        ("verification", "maybe", "verified"),
        ("rentable", "yes", "True, False"),
        ("machine_id", "1e3", "whole number"),
        ("host_id", "", "whole number"),
    ],
)
def test_a_wrong_cell_is_named_with_file_row_column_value_and_what_was_expected(
    path: Path, column: str, value: str, expected: str
) -> None:
    with pytest.raises(FileRefused) as refused:
        parse_vast([files.asks(path, {}, {column: value})])
    (problem,) = refused.value.rows
    assert (problem.file, problem.row, problem.column, problem.value) == (path.name, 3, column, value)
    assert expected in problem.expected


def test_every_wrong_row_of_every_file_is_named(tmp_path: Path) -> None:
    one = files.asks(tmp_path / "a.csv", {"num_gpus": "0"}, {})
    two = files.asks(tmp_path / "b.csv", {}, {"gpu_name": "Abacus"}, {"dph_base": "x"})
    with pytest.raises(FileRefused) as refused:
        parse_vast([one, two])
    assert [(problem.file, problem.row) for problem in refused.value.rows] == [("a.csv", 2), ("b.csv", 3), ("b.csv", 4)]


def test_the_order_of_files_and_rows_does_not_matter(tmp_path: Path) -> None:
    rows = [
        {"id": str(number), "machine_id": str(number % 4 + 1), "num_gpus": str(number % 3 + 1)}
        for number in range(1, 9)
    ]
    forth = files.asks(tmp_path / "a.csv", *rows)
    back = files.asks(tmp_path / "b.csv", *reversed(rows))
    assert parse_vast([forth]).offers == parse_vast([back]).offers
