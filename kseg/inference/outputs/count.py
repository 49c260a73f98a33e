"""Pixels and share of area of each class: printed for all images, and as CSV for each."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from kseg.files import replacing_text
from kseg.inference.outputs.base import Look, Result

FILE_NAME = "count.csv"


class Counts:
    """One CSV with a row per image and class, and a table of all images together."""

    needs_probabilities = False

    def __init__(self, look: Look):
        self._look = look
        self.final = [look.folder / FILE_NAME]

    def targets(self, name: Path) -> list[Path]:
        """Return nothing: there is one file for all images."""
        return []

    def write(self, result: Result) -> dict[str, Any]:
        """Count the pixels of an image."""
        pixels = np.bincount(result.labels.ravel(), minlength=len(self._look.class_names))
        return {"file": result.item.file_name, "pixels": pixels.tolist()}

    def finish(self, records: Iterable[dict[str, Any]]) -> None:
        """Write the CSV and print the table."""
        totals, images = np.zeros(len(self._look.class_names), np.int64), 0
        with replacing_text(self.final[0]) as file:
            rows = csv.writer(file)
            rows.writerow(("file", "label", "class", "pixels", "share"))
            for record in records:
                totals, images = totals + record["pixels"], images + 1
                for label, name, pixels, share in self._shares(record["pixels"]):
                    rows.writerow((record["file"], label, name, pixels, f"{share:.6f}"))
        title = "1 image" if images == 1 else f"{images} images"
        Console().print(self._table(title, totals.tolist()))

    def _shares(self, counts: Sequence[int]) -> list[tuple[int, str, int, float]]:
        total = max(1, sum(counts))
        names = self._look.class_names
        return [
            (label, name, counts[label], counts[label] / total) for label, name in enumerate(names)
        ]

    def _table(self, title: str, counts: Sequence[int]) -> Table:
        table = Table("label", "class", title=title)
        table.add_column("pixels", justify="right")
        table.add_column("share", justify="right")
        for label, name, pixels, share in self._shares(counts):
            table.add_row(str(label), name, f"{pixels:,}", f"{share:.2%}")
        return table
