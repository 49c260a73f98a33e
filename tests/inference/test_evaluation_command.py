"""`kseg evaluate`: its modes, and what it writes."""

import json

import numpy as np
import pytest
from PIL import Image

from kseg.config import EvaluateConfig, parse_config
from kseg.data.dataset import Dataset, SampleFiles
from kseg.inference import Predictor
from kseg.inference.evaluate import evaluate, evaluate_split
from kseg.inference.evaluation.jobs import jobs_of
from tests.inference import evaluation_cases
from tests.inference.evaluation_cases import IMAGES, mean_iou, report_of, rows_of, settings

# Fixtures.
run, data = evaluation_cases.run, evaluation_cases.data


@pytest.fixture(scope="module")
def evaluated(run, data, tmp_path_factory):
    """The folder of an evaluation with everything."""
    output = tmp_path_factory.mktemp("evaluation")
    evaluate(settings(run, data, output, auc=True, boundary=True, v_rand=True))
    return output


def test_all_files_are_written(evaluated):
    names = {path.name for path in evaluated.iterdir()}
    charts = {"mIoU.png", "mPA.png", "Recall.png", "Precision.png", "confusion_matrix.png"}
    tables = {"report.csv", "per_image.csv", "confusion_matrix.csv"}
    assert names == charts | tables | {
        "report.json",
        "report.html",
        "speed.json",
        "contact_sheet.png",
    }
    for name in charts:
        with Image.open(evaluated / name) as chart:
            assert np.ptp(np.array(chart.convert("L"))) > 100


def test_the_scores_are_right(evaluated):
    report = report_of(evaluated)
    missed = 8 * sum(range(IMAGES))
    found = 64 * IMAGES
    assert report["confusion"] == [[IMAGES * 1024 - found - missed, 0], [missed, found]]
    thing = report["classes"][1]
    assert thing["iou"] == thing["recall"] == pytest.approx(found / (found + missed))
    assert thing["precision"] == 1
    assert thing["accuracy"] == pytest.approx(1 - missed / (IMAGES * 1024))
    low, high = report["intervals"]["iou"][1]
    assert low < thing["iou"] < high


def test_the_report_says_what_was_scored(evaluated, run, data):
    scored = report_of(evaluated)["scored"]
    expected = {"split": "test", "images": IMAGES, "failed": 0, "dataset": data.name}
    assert expected.items() <= scored.items()
    assert scored["model"] == str(run / "best.keras")
    assert scored["run_config"] == {"model_name": "unet", "loss": "dice"}
    assert scored["options"]["bootstrap"] == 1000


def test_each_image_has_its_scores(evaluated):
    rows = rows_of(evaluated)
    assert [row["image"] for row in rows] == [f"{index:02}" for index in range(IMAGES)]
    for index, row in enumerate(rows):
        assert float(row["mean_iou"]) == pytest.approx(mean_iou(index), abs=1e-6)
        assert float(row["iou foreground"]) == pytest.approx(64 / (64 + 8 * index), abs=1e-6)
    worst, *_ = report_of(evaluated)["worst"]
    assert worst == {"image": "05", "score": pytest.approx(mean_iou(5))}


def test_everything_that_was_asked_for_is_measured(evaluated):
    report = report_of(evaluated)
    assert report["calibration"]["ece"] > 0
    assert report["auc"]["classes"][1]["auc"] < 1
    assert report["boundary"]["classes"][1]["hausdorff"] == np.mean(range(IMAGES))
    assert report["v_rand"]["labels"]["v_rand"]["f_score"] <= 1
    # Three of the squares are so large that they count among the next larger objects.
    assert [row["objects"] for row in report["sizes"][:3]] == [0, 6, 0]
    speed = json.loads((evaluated / "speed.json").read_text())
    assert speed["images"] == IMAGES
    assert speed["prediction_seconds_per_image"] > 0


def test_predicting_and_scoring_apart_give_the_same(evaluated, run, data, tmp_path):
    masks = tmp_path / "predictions"
    assert evaluate(settings(run, data, tmp_path, mode="predict")) is None
    assert len(list(masks.iterdir())) == IMAGES
    apart = evaluate(settings(run, data, tmp_path, mode="score", html=False))
    assert apart.to_dict()["means"] == report_of(evaluated)["means"]
    assert "calibration" not in report_of(tmp_path)
    both = tmp_path / "both"
    evaluate(settings(run, data, both, predictions=str(both / "masks"), html=False))
    written, again = (
        {p.name: p.read_bytes() for p in f.iterdir()} for f in (masks, both / "masks")
    )
    assert written == again


def test_the_same_evaluation_is_the_same_to_the_last_byte(evaluated, run, data, tmp_path):
    evaluate(settings(run, data, tmp_path, auc=True, boundary=True, v_rand=True, html=False))
    for name in ("report.json", "report.csv", "per_image.csv", "contact_sheet.png"):
        assert (tmp_path / name).read_bytes() == (evaluated / name).read_bytes()


def test_views_and_tiles_change_nothing_for_a_network_that_sees_single_pixels(run, data, tmp_path):
    whole, tiles = (
        evaluate(settings(run, data, tmp_path / name, html=False, calibration=False, **options))
        for name, options in (("whole", {}), ("tiles", {"tile": 32, "tta": "flip"}))
    )
    np.testing.assert_array_equal(whole.confusion, tiles.confusion)
    assert report_of(tmp_path / "tiles")["scored"]["options"]["tile"] == 32


def test_a_folder_of_images_and_one_of_labels_need_no_data_set(run, data, evaluated, tmp_path):
    folders = {"images": str(data / "test_image"), "labels": str(data / "test_label")}
    config = EvaluateConfig(str(run), output=str(tmp_path), html=False, **folders)
    assert evaluate(config).means == pytest.approx(report_of(evaluated)["means"])
    assert report_of(tmp_path)["scored"]["split"] is None


def test_two_folders_of_masks_need_no_model(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    masks = tmp_path / "masks"
    masks.mkdir()
    for path in (data / "test_label").iterdir():
        Image.open(path).save(masks / f"{path.stem}_label.png")
    config = EvaluateConfig(
        mode="score", predictions=str(masks), labels=str(data / "test_label"), n_classes=2
    )
    assert evaluate(config).means["mean_iou"] == 1
    assert (masks / "evaluation" / "report.html").is_file()


def test_scoring_masks_does_not_wait_for_a_large_backend(data, tmp_path, run_script):
    folder = data / "test_label"
    flags = ["--mode=score", f"--predictions={folder}", f"--labels={folder}", "--n_classes=2"]
    arguments = ["evaluate", *flags, f"--output={tmp_path}"]
    code = (
        f"import sys; from kseg.cli import main; main({arguments!r})\n"
        "print([m for m in ('tensorflow', 'torch') if m in sys.modules])"
    )
    result = run_script("-c", code)
    assert result.stdout.strip().endswith("[]"), result.stderr
    assert report_of(tmp_path)["means"]["mean_iou"] == 1


def test_several_models_can_be_given():
    for words in ("[a, b]", "a,b"):
        assert parse_config(EvaluateConfig, ["--model", words]).models == ["a", "b"]
    assert parse_config(EvaluateConfig, ["--model", "a"]).models == ["a"]


def test_a_split_is_scored_without_page_and_charts_by_default(run, data, tmp_path):
    files = [
        SampleFiles(path, data / "test_label" / path.name)
        for path in sorted((data / "test_image").iterdir())
    ]
    dataset = Dataset("squares", (), (), files, ("background", "foreground"))
    report = evaluate_split(Predictor.load(run), dataset, "test", tmp_path, 4)
    assert report.classes[1].precision == 1
    names = {path.name for path in tmp_path.iterdir()}
    assert {"report.json", "report.csv", "contact_sheet.png"} <= names
    assert not {"report.html", "mIoU.png"} & names


def test_images_of_one_name_in_two_folders_are_two(tmp_path):
    files = [SampleFiles(tmp_path / folder / "a.png") for folder in ("x", "y", "z/y")]
    files.append(SampleFiles(tmp_path / "x" / "b.png"))
    assert [job.name for job in jobs_of(files)] == ["x_a", "y_a_1", "y_a_2", "b"]
