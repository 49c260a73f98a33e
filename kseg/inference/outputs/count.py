"""Pixels and share of area of each class: printed for all images, and as CSV for each."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from kseg.files import replacing
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

    def finish(self, records: Sequence[dict[str, Any]]) -> None:
        """Write the CSV and print the table."""
        rows = [
            (record["file"], label, name, pixels, f"{share:.6f}")
            for record in records
            for label, name, pixels, share in self._shares(record["pixels"])
        ]
        with replacing(self.final[0]) as draft, draft.open("w", newline="", encoding="utf-8") as f:
            csv.writer(f).writerows([("file", "label", "class", "pixels", "share"), *rows])
        totals = np.sum([record["pixels"] for record in records], axis=0).tolist()
        images = "1 image" if len(records) == 1 else f"{len(records)} images"
        Console().print(self._table(images, totals))

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
