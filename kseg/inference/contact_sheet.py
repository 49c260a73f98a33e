"""One picture that shows what a model learned: image, truth, prediction and errors in rows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kseg.data.contact_sheet import draw_sheet
from kseg.inference.evaluation.jobs import Seen
from kseg.inference.evaluation.views import draw_views

COLUMNS = ("image", "truth", "prediction", "errors")
# About the width of a picture in the sheet.
_LONGEST = 320


def contact_sheet(path: Path, shown: Iterable[Seen], void: int) -> None:
    """Write a PNG with one row per sample; nothing where there is no sample.

    Args:
        path: File to write.
        shown: Samples and their predictions; one of them is in memory at a time.
        void: Label of pixels that do not count; it is no error and has no colour.
    """
    rows = [draw_views(*seen, void, _LONGEST) for seen in shown]
    if rows:
        columns = [name for name in COLUMNS if name in rows[0]]
        draw_sheet(path, columns, [[views[name] for name in columns] for views in rows])
