"""The findings of a check as tables for a terminal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kseg.data.checks.finding import ERROR, KINDS, Finding
from kseg.data.checks.fix import Fixed
from kseg.data.checks.report import Report

_EXAMPLES = 3


def print_report(report: Report, console: Console) -> None:
    """Print findings, classes with their weights, and a line that sums up."""
    if report.findings:
        console.print(_findings_table(report))
    console.print(_class_table(report))
    parts = ", ".join(f"{count} {split}" for split, count in report.splits.items())
    errors, warnings = report.errors, report.warnings
    console.print(Text(f"{report.listing.folder}: {parts} samples", "bold"))
    console.print(
        f"{errors} errors, {warnings} warnings" if errors + warnings else "no faults found"
    )


def _findings_table(report: Report) -> Table:
    table = Table(show_lines=True)
    for title in ("", "fault", "where", "what to do"):
        table.add_column(title)
    groups: dict[str, list[Finding]] = defaultdict(list)
    for finding in report.findings:
        groups[finding.kind].append(finding)
    for name, found in groups.items():
        kind = KINDS[name]
        colour = "red" if kind.severity == ERROR else "yellow"
        # Text, not str: rich would take brackets in file names for its own marks.
        table.add_row(
            Text(kind.severity, colour),
            Text(f"{kind.title} ({len(found)})"),
            Text("\n".join(_examples(found, report.listing.folder))),
            Text(kind.fix),
        )
    return table


def _examples(found: Sequence[Finding], folder: Path) -> Iterator[str]:
    for finding in found[:_EXAMPLES]:
        where = "" if finding.file is None else f"{_short(finding.file, folder)}: "
        yield f"{where}{finding.value}"
    if len(found) > _EXAMPLES:
        yield f"and {len(found) - _EXAMPLES} more"


def _short(file: Path, folder: Path) -> str:
    absolute, root = file.absolute(), folder.absolute()
    return str(absolute.relative_to(root)) if absolute.is_relative_to(root) else str(file)


def _class_table(report: Report) -> Table:
    weights = report.weights()
    table = Table()
    methods = (method.replace("_", " ") for method in weights)
    for title in ("label", "class", "share", "images", *methods):
        table.add_column(title, justify="left" if title == "class" else "right")
    for row in report.classes_as_dicts():
        label = row["label"]
        cells = [str(label), row["name"], f"{row['share']:.3%}", str(row["images"])]
        table.add_row(*map(Text, cells), *(f"{one[label]:.3g}" for one in weights.values()))
    return table


def print_fixed(fixed: Fixed, console: Console) -> None:
    """Print what was changed and what was left out in a corrected copy."""
    for title, notes in (("changed", fixed.changed), ("left out", fixed.left_out)):
        if notes:
            console.print(_notes_table(title, notes))
    parts = ", ".join(f"{count} {split}" for split, count in fixed.samples.items())
    console.print(Text(f"{fixed.folder}: {parts} samples", "bold"))


def _notes_table(title: str, notes: Sequence[tuple[Path, str]]) -> Table:
    table = Table(title, "note")
    for file, note in notes:
        table.add_row(Text(str(file)), Text(note))
    return table
