"""The whole check: tables, files, and the corrected copy with its own check."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from kseg.data.checks.fix import Fixed, check_target, write_fixed
from kseg.data.checks.report import Report
from kseg.data.checks.run import CheckOptions, check_folder
from kseg.data.checks.sheet import check_sheet
from kseg.data.checks.table import print_fixed, print_report
from kseg.files import replacing

REPORT, SHEET = "report.json", "contact_sheet.png"


def check_and_fix(
    folder: Path,
    *,
    output: Path,
    options: CheckOptions,
    console: Console,
    fix: Path | None = None,
    pictures: int = 12,
) -> Report:
    """Check a data set, print the result, write report.json and contact_sheet.png.

    Args:
        folder: Folder of the data set.
        output: Folder for the two files; earlier ones are replaced.
        options: What to check.
        console: Where to print.
        fix: Folder for a corrected copy, or None.
        pictures: Most rows of the contact sheet; 0 draws none.

    Raises:
        ValueError: There is no data set in the folder, or the copy cannot be written.
    """
    if fix is not None:
        check_target(fix, folder)
    report = check_folder(folder, options)
    print_report(report, console)
    output.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = report.as_dict()
    drawn = pictures > 0 and check_sheet(report, output / SHEET, pictures)
    if fix is not None:
        result["copy"] = _fix(report, fix, options, console)
    with replacing(output / REPORT) as draft:
        draft.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    files = (REPORT, SHEET) if drawn else (REPORT,)
    console.print(Text(f"wrote {', '.join(str(output / name) for name in files)}"), soft_wrap=True)
    return report


def _fix(
    report: Report, target: Path, options: CheckOptions, console: Console
) -> dict[str, object]:
    fixed = write_fixed(report, target)
    print_fixed(fixed, console)
    # The copy says itself which classes it has.
    plain = replace(options, name=None, num_classes=None, ignore_class=None)
    checked = check_folder(target, plain)
    console.print(Text(_verdict(fixed, checked)))
    return {**fixed.as_dict(), "errors": checked.errors, "warnings": checked.warnings}


def _verdict(fixed: Fixed, checked: Report) -> str:
    if checked.errors:
        return f"the copy still has {checked.errors} errors: run this command on {fixed.folder}"
    return (
        f"the copy has no errors; train on it with --dataset_name {fixed.folder.name} "
        f"--data_root {fixed.folder.parent}"
    )
