"""Reading and writing the CSV files in `benchmarks/results/`."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kseg.files import replacing

RESULTS = Path(__file__).resolve().parent / "results"


def read_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a result file, none where it does not exist."""
    path = RESULTS / name
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write_rows(name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Write a result file, in place of an earlier one.

    The columns are those of all rows, in the order in which they first come.
    """
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with replacing(RESULTS / name) as draft, draft.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def merge_rows(name: str, key: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    """Put rows into a result file, in place of those with the same values in the columns `key`."""
    merged = {_key(row, key): row for row in (*read_rows(name), *rows)}
    write_rows(name, [merged[one] for one in sorted(merged)])


def _key(row: dict[str, Any], key: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(row.get(column, "")) for column in key)
