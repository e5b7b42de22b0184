"""Makes files like the ones that are imported, of rows that never were: our own machines and pods."""

import csv
import io
from pathlib import Path

from exchange.imports import alibaba, vast

ASK = {
    "day": "2026-02-27",
    "id": "1000",
    "machine_id": "10",
    "host_id": "5",
    "num_gpus": "8",
    "gpu_name": "H100 SXM",
    "gpu_ram": "81559",
    "dph_base": "16.8",
    "storage_cost": "0.15",
    "inet_up_cost": "3.90625e-06",
    "inet_down_cost": "0.0",
    "reliability2": "0.99812345",
    "verification": "verified",
    "geolocation": "Texas, US",
    "end_date": "1788000000.0",
    "bw_nvlink": "450.0",
    "rentable": "True",
}
POD = {
    "name": "pod-1",
    "num_gpu": "1",
    "gpu_milli": "1000",
    "gpu_spec": "",
    "creation_time": "1000",
    "deletion_time": "9000",
    "scheduled_time": "1800",
}


def table(path: Path, columns: tuple[str, ...], rows: list[dict[str, str]]) -> Path:
    """Write a file of these columns."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def asks(path: Path, *changes: dict[str, str]) -> Path:
    """Write a file of asks, each our usual one with changes."""
    return table(path, vast.COLUMNS, [{**ASK, **change} for change in changes])


def pods(path: Path, *changes: dict[str, str]) -> Path:
    """Write a file of pods, each our usual one with changes."""
    return table(path, alibaba.COLUMNS, [{**POD, **change} for change in changes])


def many_pods(path: Path, count: int) -> Path:
    """Write a file of pods that arrive over half a day, some of them large or long."""
    rows = [
        {
            "name": f"pod-{number}",
            "num_gpu": "8" if number % 9 == 0 else "1",
            "gpu_milli": "1000" if number % 2 else "460",
            "creation_time": str(1000 + number * 60),
            "deletion_time": str(1000 + number * 60 + number % 5 * 4000),
            "scheduled_time": "" if number % 7 == 0 else str(1000 + number * 60),
        }
        for number in range(count)
    ]
    return pods(path, *rows)
