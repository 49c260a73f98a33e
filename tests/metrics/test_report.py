import csv
import json
import math

import numpy as np
import pytest
from rich.console import Console

from kseg.metrics import segmentation_report

# IoU 3/4, 1/3; class 2 has no truth pixel but one predicted.
CONFUSION = np.array([[3, 1, 0], [0, 1, 1], [0, 0, 0]])


def test_scores_of_classes_and_means():
    report = segmentation_report(CONFUSION, ["sky", "road", "car"])
    sky, road, car = report.classes
    assert (sky.name, sky.support, sky.predicted) == ("sky", 4, 3)
    assert (road.iou, road.dice, road.precision, road.recall) == pytest.approx(
        (1 / 3, 1 / 2, 1 / 2, 1 / 2)
    )
    assert math.isnan(car.iou)
    assert (car.support, car.predicted) == (0, 1)
    expected = {
        "mean_iou": (3 / 4 + 1 / 3) / 2,
        "object_mean_iou": 1 / 3,
        "mean_dice": (6 / 7 + 1 / 2) / 2,
        "pixel_accuracy": 4 / 6,
        "mean_pixel_accuracy": (3 / 4 + 1 / 2) / 2,
        "fw_iou": (4 * 3 / 4 + 2 / 3) / 6,
    }
    assert report.means == pytest.approx(expected)


def test_two_classes_have_a_foreground_iou():
    assert segmentation_report(CONFUSION[:2, :2]).means["foreground_iou"] == pytest.approx(0.5)


def test_a_matrix_without_pixels_gives_nan():
    means = segmentation_report(np.zeros((2, 2), int)).means
    assert all(map(math.isnan, means.values()))


def test_counts_beyond_float32_keep_their_digits():
    huge = np.array([[2**40, 1], [0, 1]])
    assert segmentation_report(huge).classes[0].support == 2**40 + 1
    assert segmentation_report(huge).classes[0].recall == 2**40 / (2**40 + 1)


def test_json_and_csv_hold_the_scores(tmp_path):
    report = segmentation_report(CONFUSION, ["sky", "road", "car"])
    report.to_json(tmp_path / "report.json")
    report.to_csv(tmp_path / "report.csv")
    data = json.loads((tmp_path / "report.json").read_text())
    assert data == report.to_dict()
    assert data["classes"][2]["iou"] is None
    assert data["confusion"] == CONFUSION.tolist()
    rows = list(csv.DictReader((tmp_path / "report.csv").open()))
    assert [row["name"] for row in rows] == ["sky", "road", "car"]
    assert float(rows[0]["iou"]) == pytest.approx(0.75)
    assert rows[2]["iou"] == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.csv", "report.json"]


def test_the_table_shows_absent_classes_as_a_dash():
    console = Console(record=True, width=120, quiet=False)
    with console.capture() as shown:
        console.print(segmentation_report(CONFUSION, ["sky", "road", "car"]).table())
    lines = {line.split()[1]: line for line in shown.get().splitlines() if "│" in line}
    assert "0.7500" in lines["sky"]
    assert lines["car"].count(" - ") == 4
    assert "mean_iou 0.5417" in " ".join(shown.get().split())


@pytest.mark.parametrize(
    ("confusion", "names", "sentence"),
    [
        (np.zeros((2, 3), int), None, r"square, got shape \(2, 3\)"),
        (np.full((2, 2), 0.5), None, "whole counts"),
        (np.full((2, 2), -1), None, "whole counts"),
        (CONFUSION, ["sky"], "1 class names for 3 classes"),
    ],
)
def test_bad_input_gets_one_sentence(confusion, names, sentence):
    with pytest.raises(ValueError, match=sentence):
        segmentation_report(confusion, names)
