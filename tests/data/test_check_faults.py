from pathlib import Path

import pytest

from kseg.data.checks import KINDS, CheckOptions, check_folder
from tests.data.check_damage import write_set
from tests.data.check_faults import CASES

QUICK = CheckOptions(cache=False, workers=1)


def named(report):
    """Kind and file of the findings; "" for faults of the whole set."""
    folder = report.listing.folder
    return {
        (f.kind, "" if f.file is None else str(Path(f.file).relative_to(folder)))
        for f in report.findings
    }


def test_a_clean_data_set_gives_no_finding(tmp_path):
    report = check_folder(write_set(tmp_path / "set"), QUICK)
    assert report.findings == []
    assert (report.errors, report.warnings, report.splits) == (0, 0, {"train": 5, "test": 3})
    assert report.class_names == ("ground", "disc", "ring")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_checker_names_a_fault_and_nothing_else(case, tmp_path):
    folder = write_set(tmp_path / "set")
    case.harm(folder)
    report = check_folder(folder, QUICK)
    expected = set(zip(case.kind.split("+"), case.file.split("+"), strict=True))
    assert named(report) == expected
    assert case.value in report.findings[0].value


def test_every_kind_of_fault_is_seeded_or_needs_a_folder():
    seeded = {kind for case in CASES for kind in case.kind.split("+")}
    assert KINDS.keys() - seeded == {"missing_folder", "cannot_open", "refused_mask"}
