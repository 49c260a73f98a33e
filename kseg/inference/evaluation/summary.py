"""The scores of a set of images."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kseg.files import replacing_text
from kseg.inference.evaluation.per_image import Ranked
from kseg.metrics import SegmentationReport


@dataclass(frozen=True)
class Summary:
    """The scores of a set of images.

    Attributes:
        report: Scores of the sum of the confusion matrices.
        intervals: What `bootstrap_intervals` gives, or None.
        spread: Mean, deviation and histogram of the scores of single images.
        measured: Result of each measure by its name.
        worst: Scores and numbers of the worst images.
        best: Those of the best.
    """

    report: SegmentationReport
    intervals: dict[str, Any] | None
    spread: dict[str, Any]
    measured: dict[str, Any]
    worst: Ranked
    best: Ranked

    def to_dict(self) -> dict[str, Any]:
        """Return plain Python values as report.json has them.

        The accuracy of a class is the share of all pixels that are rightly said to be of it or not
        to be of it.
        """
        plain = self.report.to_dict()
        total = int(self.report.confusion.sum())
        for row, right in zip(plain["classes"], self.report.confusion.diagonal(), strict=True):
            wrong = row["support"] + row["predicted"] - 2 * int(right)
            row["accuracy"] = 1 - wrong / total if total else None
        measured = {name: one for name, one in self.measured.items() if one is not None}
        return {**plain, "intervals": self.intervals, "per_image": self.spread, **measured}


def class_rows(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row per class of a report.json, with the interval of its IoU."""
    intervals = (report.get("intervals") or {}).get("iou") or [None] * len(report["classes"])
    rows = []
    for row, interval in zip(report["classes"], intervals, strict=True):
        low, high = interval or (None, None)
        rows.append({**row, "iou_low": low, "iou_high": high})
    return rows


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of the same keys as a CSV file, None as an empty cell."""
    with replacing_text(path) as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
