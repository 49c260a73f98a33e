"""Reading and writing the CSV files in `benchmarks/results/`."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"


def read_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a result file, none where it does not exist."""
    path = RESULTS / name
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write_rows(name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Write a result file, in place of an earlier one."""
    with (RESULTS / name).open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
