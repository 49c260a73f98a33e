"""The table of `kseg export_all`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from kseg.export.latency import Latency
from kseg.export.placing import size_of
from kseg.export.run import Exported
from kseg.export.source import Source
from kseg.files import replacing


@dataclass(frozen=True)
class Entry:
    """A line of the table.

    Attributes:
        format: Name of the format, with its precision where that is not float32.
        exported: What was written, None where nothing was.
        reason: Why it was not.
        failed: Whether something is wrong, and not only missing or impossible.
    """

    format: str
    exported: Exported | None = None
    reason: str = ""
    failed: bool = False


def print_summary(console: Console, source: Source, entries: Sequence[Entry]) -> None:
    """Print the table that compares the exports with the original, and what could not be made."""
    table = Table(title=str(source.file), title_justify="left")
    table.add_column("format", no_wrap=True)
    for name in ("MB", "largest\ndifference", "same\nclass", "p50\nms", "p95\nms", "images\n/s"):
        table.add_column(name, justify="right", no_wrap=True)
    made = [(entry.format, entry.exported) for entry in entries if entry.exported is not None]
    times = _times(next((one.original for _, one in made if one.original is not None), None))
    table.add_row("keras", f"{size_of(source.file) / 1e6:.2f}", "", "", *times)
    for name, exported in made:
        table.add_row(name, *_row(exported))
    console.print(table)
    for name, exported in made:
        console.print(f"{name}: {exported.path} {exported.unchecked}".rstrip(), highlight=False)
    for entry in entries:
        if entry.exported is None:
            console.print(f"{entry.format}: not made: {entry.reason}", highlight=False)


def _row(exported: Exported) -> list[str]:
    parity = exported.parity
    compared = ["", ""]
    if parity is not None:
        labels = exported.output == "labels"
        compared = ["" if labels else f"{parity.max_difference:.2g}", f"{parity.agreement:.3%}"]
    return [f"{exported.size / 1e6:.2f}", *compared, *_times(exported.latency)]


def _times(latency: Latency | None) -> list[str]:
    if latency is None:
        return ["", "", ""]
    return [f"{latency.p50:.1f}", f"{latency.p95:.1f}", f"{latency.images_per_second:.1f}"]


def write_summary(path: Path, source: Source, entries: Sequence[Entry]) -> None:
    """Write all that the table says, and more, as JSON."""
    rows: list[dict[str, Any]] = []
    for entry in entries:
        made = {} if entry.exported is None else asdict(entry.exported)
        rows.append(
            {**made, "format": entry.format, "reason": entry.reason, "failed": entry.failed}
        )
    text = json.dumps({"source": str(source.file), "formats": rows}, indent=2, default=str)
    with replacing(path) as draft:
        draft.write_text(text + "\n", "utf-8")
