"""The files that an evaluation leaves behind."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from kseg import __version__
from kseg.files import replacing_text
from kseg.inference.contact_sheet import contact_sheet
from kseg.inference.evaluation.classes import Classes
from kseg.inference.evaluation.compare import REPORT, SCORES, Evaluated
from kseg.inference.evaluation.counts import ImageCounts
from kseg.inference.evaluation.duel import Rival
from kseg.inference.evaluation.gallery import exhibits
from kseg.inference.evaluation.jobs import Job, Scorer, Seen
from kseg.inference.evaluation.per_image import Ranked, write_scores
from kseg.inference.evaluation.summary import Summary, class_rows, write_rows
from kseg.inference.evaluation.tally import Tally

_SHEET_SAMPLES = 8


@dataclass(frozen=True)
class Results:
    """Everything there is to write, and where to.

    Attributes:
        folder: Where to.
        jobs: All samples.
        scorer: Shows samples once more.
        classes: Classes and options.
        scored: What was scored, for report.json.
        rival: An evaluation to compare with, or None.
    """

    folder: Path
    jobs: Sequence[Job]
    scorer: Scorer
    classes: Classes
    scored: Mapping[str, Any]
    rival: Rival | None = None

    def write(self, tally: Tally, seconds: float) -> Summary:
        """Write all files and print the table.

        Args:
            tally: The scores.
            seconds: Time that reading, predicting and scoring took.
        """
        summary, options = tally.summary(), self.classes.options
        report = self._report(tally, summary)
        speed = _speed(tally, seconds)
        _write_json(self.folder / REPORT, report)
        # Apart from the report, so that equal scores give equal reports.
        _write_json(self.folder / "speed.json", speed)
        write_rows(self.folder / "report.csv", class_rows(report))
        summary.report.confusion_to_csv(self.folder / "confusion_matrix.csv")
        names = [job.name for job in self.jobs]
        write_scores(self.folder / SCORES, tally.counts, names, self.classes.names)
        examples = self._examples(tally.counts)
        contact_sheet(self.folder / "contact_sheet.png", examples, self.classes.void)
        if options.charts:
            from kseg.inference.evaluation.charts import draw_charts

            draw_charts(self.folder, report)
        if options.html:
            self._write_page(summary, report, speed)
        self._print(summary)
        return summary

    def _report(self, tally: Tally, summary: Summary) -> dict[str, Any]:
        failures = tally.failures
        return {
            "scored": {
                **self.scored,
                "images": tally.counts.images,
                "failed": failures.count,
                "failures": failures.sentences,
                "ignore_class": self.classes.ignore_class,
                "kseg_version": __version__,
            },
            **summary.to_dict(),
            "worst": self._named(summary.worst),
            "best": self._named(summary.best),
        }

    def _named(self, ranked: Ranked) -> list[dict[str, Any]]:
        return [{"image": self.jobs[number].name, "score": score} for score, number in ranked]

    def _examples(self, counts: ImageCounts) -> Iterator[Seen]:
        """Return some of the scored samples from all over the list."""
        numbers = np.concatenate([numbers for numbers, _ in counts.chunks()])
        every = max(1, numbers.size // _SHEET_SAMPLES)
        chosen = numbers[::every][:_SHEET_SAMPLES].tolist()
        return (seen for _, seen in self.scorer.look(self.jobs[number] for number in chosen))

    def _write_page(
        self, summary: Summary, report: Mapping[str, Any], speed: Mapping[str, Any]
    ) -> None:
        from kseg.inference.evaluation.html import write_html

        ranked = {"Worst images": summary.worst, "Best images": summary.best}
        galleries = {
            title: exhibits(one, self.jobs, self.scorer, self.classes)
            for title, one in ranked.items()
            if one
        }
        comparison = None
        if self.rival is not None:
            this = Evaluated(self.folder, dict(report))
            comparison = self.rival.compared(this, self.jobs, self.scorer, self.classes)
        write_html(self.folder / "report.html", report, galleries, comparison, speed)

    def _print(self, summary: Summary) -> None:
        console = Console()
        console.print(summary.report.table())
        interval = summary.intervals and summary.intervals["means"]["mean_iou"]
        if interval:
            low, high = interval
            console.print(f"95 % interval of mean_iou: {low:.4f} to {high:.4f}", highlight=False)
        split = self.scored["split"]
        what = f"scores of the {split} part" if split else "scores"
        console.print(f"{what} and pictures are in {self.folder}", highlight=False, soft_wrap=True)


def _speed(tally: Tally, seconds: float) -> dict[str, Any]:
    images = tally.counts.images
    return {
        "images": images,
        "seconds": seconds,
        "images_per_second": images / seconds if seconds else None,
        "prediction_seconds_per_image": tally.prediction_seconds,
    }


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    with replacing_text(path) as file:
        file.write(json.dumps(values, indent=2, ensure_ascii=False) + "\n")
