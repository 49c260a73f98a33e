"""What an export prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from kseg.export.run import Exported


def print_report(exported: Exported) -> None:
    """Print what was written, and how it compares with the original."""
    table = Table(title=str(exported.path), show_header=False, title_justify="left")
    table.add_column()
    table.add_column(overflow="fold")
    for name, value in report_rows(exported):
        table.add_row(name, value)
    Console().print(table)


def report_rows(exported: Exported) -> list[tuple[str, str]]:
    """Return the lines of the report."""
    rows = [
        ("format", f"{exported.format}, {exported.precision}"),
        ("size", megabytes(exported.size)),
        *((name, _text(value)) for name, value in exported.facts.items()),
    ]
    parity = exported.parity
    if parity is None:
        return [*rows, ("not compared", exported.unchecked)]
    rows.append(("compared on", f"{parity.images} images of {', '.join(parity.sizes)}"))
    if exported.output != "labels":
        usual = f"{parity.usual_difference:.2g} for 95 % of the pixels"
        rows.append(("largest difference", f"{parity.max_difference:.2g}, {usual}"))
    rows.append(("same class", f"{parity.agreement:.4%} of the pixels"))
    for name, latency in (("this file", exported.latency), ("Keras", exported.original)):
        if latency is not None:
            rows.append(
                (
                    name,
                    f"p50 {latency.p50:.1f} ms, p95 {latency.p95:.1f} ms, "
                    f"{latency.images_per_second:.1f} images/s at batch size {latency.batch_size}",
                )
            )
    return rows


def megabytes(size: int) -> str:
    """Return a size in bytes for people."""
    return f"{size / 1e6:.2f} MB"


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
