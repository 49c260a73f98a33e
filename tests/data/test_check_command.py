import json
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from kseg.commands import check_data
from kseg.config import CheckConfig, UsageError, parse_config
from kseg.data.checks import CheckOptions, check_and_fix, check_folder
from kseg.data.checks.sheet import check_sheet
from kseg.data.class_weighting import METHODS
from tests.data.check_damage import LABEL, write_set
from tests.data.check_faults import CASES

QUICK = CheckOptions(cache=False, workers=1)


@pytest.fixture
def broken(tmp_path):
    folder = write_set(tmp_path / "set")
    next(case for case in CASES if case.name == "0/255").harm(folder)
    return folder


def test_errors_are_printed_written_and_exit_with_1(broken, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        check_data(CheckConfig(str(broken), output=str(tmp_path / "out")))
    assert stopped.value.code == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "0/255 label map (1)" in printed
    assert "1 errors, 0 warnings" in printed
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    (finding,) = report["findings"]
    assert finding["file"] == str(broken / LABEL)
    assert (finding["kind"], finding["severity"]) == ("binary_255", "error")
    assert (report["errors"], report["warnings"]) == (1, 0)


def test_a_clean_set_returns_and_reports_its_classes(tmp_path, capsys):
    folder = write_set(tmp_path / "set")
    check_data(CheckConfig(str(folder), output=str(tmp_path / "out"), pictures=3))
    assert "no faults found" in capsys.readouterr().out
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["samples"] == {"train": 5, "test": 3}
    assert sum(row["share"] for row in report["classes"]) == pytest.approx(1)
    assert report["class_weights"].keys() == set(METHODS)
    with Image.open(tmp_path / "out" / "contact_sheet.png") as sheet:
        assert sheet.width > 700


def test_the_copy_is_checked_and_reported(broken, tmp_path, capsys):
    copy = tmp_path / "fixed"
    with pytest.raises(SystemExit):
        check_data(CheckConfig(str(broken), output=str(tmp_path / "out"), fix=str(copy)))
    printed = capsys.readouterr().out
    assert "the copy has no errors; train on it with --dataset_name fixed" in printed
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["copy"]["errors"] == 0
    assert report["copy"]["changed"][0]["file"] == str(broken / LABEL)


def test_a_bad_target_is_refused_before_the_check(broken, tmp_path):
    with pytest.raises(ValueError, match="is inside the data set"):
        check_and_fix(
            broken,
            output=tmp_path / "out",
            fix=broken / "fixed",
            options=QUICK,
            console=Console(),
        )
    assert not (tmp_path / "out").exists()


def test_a_folder_without_a_data_set_is_a_mistake(tmp_path):
    with pytest.raises(ValueError, match="no such folder"):
        check_folder(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="there is no data set"):
        check_folder(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_checking_never_draws_a_data_set(tmp_path):
    (tmp_path / "parts").mkdir()
    with pytest.raises(ValueError, match="train_image is missing"):
        check_folder(tmp_path / "parts")
    assert list((tmp_path / "parts").iterdir()) == []


def test_the_folder_comes_without_a_flag():
    config = parse_config(CheckConfig, ["data/mine", "--n_classes", "3", "--fix", "copy"])
    assert (config.folder, config.n_classes, config.fix) == ("data/mine", 3, "copy")
    with pytest.raises(UsageError, match="required: folder"):
        parse_config(CheckConfig, ["--n_classes", "3"])
    with pytest.raises(UsageError, match="--n_classes must be at most 255"):
        CheckConfig("data/mine", n_classes=256)


def test_the_sheet_shows_faulty_samples_first(tmp_path):
    folder = write_set(tmp_path / "set")
    for case in CASES:
        if case.name in ("truncated PNG", "label 7"):
            case.harm(folder)
    report = check_folder(folder, QUICK)
    assert check_sheet(report, tmp_path / "sheet.png", count=2)
    assert Image.open(tmp_path / "sheet.png").height > 200
    empty = check_folder(write_set(tmp_path / "none", 1, 1), QUICK)
    assert not check_sheet(empty, tmp_path / "no.png", count=0)
    assert not Path(tmp_path / "no.png").exists()


def test_brackets_in_file_names_are_no_markup(broken, capsys):
    (broken / LABEL).rename(broken / "train_label/train1[bold].png")
    (broken / "train_image/train1.png").rename(broken / "train_image/train1[bold].png")
    console = Console(width=200)
    report = check_and_fix(
        broken, output=broken.parent / "out", options=QUICK, console=console, pictures=2
    )
    assert report.errors == 1
    assert "train1[bold].png" in capsys.readouterr().out
