"""The tables of docs/data.md."""

from __future__ import annotations

import json
import re
from functools import partial

from page_parts import markdown
from result_files import RESULTS, read_rows

from kseg.data.checks import KINDS
from kseg.data.checks.finding import ERROR, WARNING
from kseg.data.download import SOURCES, Source


def faults_table(severity: str) -> str:
    """Return the kinds of faults of one severity."""
    rows = [
        (f"`{name}`", kind.title, _sentence(kind.fix))
        for name, kind in KINDS.items()
        if kind.severity == severity
    ]
    return markdown(("name", "fault", "what to do"), rows)


def _sentence(text: str) -> str:
    """Return a text in which flags and names of files stand as code."""
    return re.sub(r"--\w+(?: \d+)?|\bclass_dict\.csv", r"`\g<0>`", text)


def downloads_table() -> str:
    """Return what can be fetched, how much it is, and where it comes from."""
    rows = [
        (f"`{name}`", f"[{source.title}]({source.page})", _size(source))
        for name, source in SOURCES.items()
    ]
    return markdown(("name", "what", "to fetch"), rows)


def _size(source: Source) -> str:
    if source.by_hand:
        return "by hand; the command says how"
    sizes = [archive.megabytes for archive in source.archives]
    known = sum(size for size in sizes if size is not None)
    return "size not stated" if None in sizes else f"{known} MB"


def isbi_sentence() -> str:
    """Say what a short run on a data set of thirty images reached."""
    record = json.loads((RESULTS / "runs" / "isbi_quick.json").read_text("utf-8"))
    settings, rows = record["settings"], read_rows("runs/isbi_quick.csv")
    minutes = sum(float(row["seconds"]) for row in rows) / 60
    return (
        "Thirty images are enough to begin: ISBI 2012 has no more, of which 20 are left to "
        "learn from. "
        "`kseg train --config examples/configs/isbi_quick.yaml`, "
        f"{settings['epochs']} epochs at {settings['input_height']}x{settings['input_width']} in "
        f"{minutes:.1f} minutes on two CPU cores, gives a membrane IoU of "
        f"{record['iou']['membrane']:.2f} on six slices held out. What helps:"
    )


TABLES = {
    "errors": partial(faults_table, ERROR),
    "warnings": partial(faults_table, WARNING),
    "downloads": downloads_table,
    "isbi": isbi_sentence,
}
