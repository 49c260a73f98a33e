"""The table of `kseg export_all`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from kseg.export.latency import Latency
from kseg.export.placing import size_of
from kseg.export.report import megabytes
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


def summary_table(source: Source, entries: Sequence[Entry]) -> Table:
    """Return the table that compares the exports with each other and with the original."""
    table = Table(title=str(source.file), title_justify="left")
    for name in ("format", "size", "largest difference", "same class", "p50", "p95", "images/s"):
        table.add_column(name, justify="left" if name == "format" else "right")
    table.add_column("file, or why there is none", overflow="fold")
    original = next(
        (e.exported.original for e in entries if e.exported and e.exported.original), None
    )
    table.add_row(
        "keras", megabytes(size_of(source.file)), "", "", *_times(original), source.file.name
    )
    for entry in entries:
        table.add_row(*_row(entry))
    return table


def _row(entry: Entry) -> list[str]:
    exported = entry.exported
    if exported is None:
        return [entry.format, *[""] * 6, entry.reason]
    parity = exported.parity
    compared = ["", ""]
    if parity is not None:
        labels = exported.output == "labels"
        compared = ["" if labels else f"{parity.max_difference:.2g}", f"{parity.agreement:.3%}"]
    remark = f" ({exported.unchecked})" if exported.unchecked else ""
    return [
        entry.format,
        megabytes(exported.size),
        *compared,
        *_times(exported.latency),
        exported.path.name + remark,
    ]


def _times(latency: Latency | None) -> list[str]:
    if latency is None:
        return ["", "", ""]
    return [f"{latency.p50:.1f} ms", f"{latency.p95:.1f} ms", f"{latency.images_per_second:.1f}"]


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
