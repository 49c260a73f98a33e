import csv
import json
import math

import numpy as np
import pytest
from rich.console import Console

from kseg.metrics import SegmentationMetrics, confusion_matrix, segmentation_report

# IoU 3/4, 1/3; class 2 has no truth pixel but one predicted.
CONFUSION = np.array([[3, 1, 0], [0, 1, 1], [0, 0, 0]])


def test_scores_of_classes_and_means():
    report = segmentation_report(CONFUSION, ["sky", "road", "car"])
    sky, road, car = report.classes
    assert (sky.name, sky.support, sky.predicted) == ("sky", 4, 3)
    assert (road.iou, road.dice, road.precision, road.recall) == pytest.approx(
        (1 / 3, 1 / 2, 1 / 2, 1 / 2)
    )
    # One of the four pixels that are no road is called road.
    assert (sky.specificity, road.specificity) == pytest.approx((1.0, 3 / 4))
    assert math.isnan(car.iou)
    assert (car.support, car.predicted) == (0, 1)
    expected = {
        "mean_iou": (3 / 4 + 1 / 3) / 2,
        "object_mean_iou": 1 / 3,
        "mean_dice": (6 / 7 + 1 / 2) / 2,
        "pixel_accuracy": 4 / 6,
        "mean_pixel_accuracy": (3 / 4 + 1 / 2) / 2,
        "fw_iou": (4 * 3 / 4 + 2 / 3) / 6,
        # right * total - chance = 4 * 6 - (4*3 + 2*2) = 8
        "kappa": 8 / (36 - 16),
        "mcc": 8 / math.sqrt((36 - 9 - 4 - 1) * (36 - 16 - 4)),
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


def test_the_matrix_of_a_metric_and_of_label_maps_give_one_report():
    truth, prediction = np.array([[[0, 1, 2, 2]]]), np.array([[[0, 2, 2, 1]]])
    metric = SegmentationMetrics(3)
    metric.update_state(truth, prediction)
    expected = segmentation_report(confusion_matrix(truth, prediction, 3)).to_dict()
    assert segmentation_report(metric.confusion_matrix()).to_dict() == expected


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


def test_the_confusion_matrix_goes_to_csv_by_name(tmp_path):
    segmentation_report(CONFUSION, ["sky", "road", "car, parked"]).confusion_to_csv(tmp_path / "c")
    rows = list(csv.reader((tmp_path / "c").open()))
    assert rows[0] == ["truth", "sky", "road", "car, parked"]
    assert rows[1:] == [["sky", "3", "1", "0"], ["road", "0", "1", "1"], [rows[0][3], *"000"]]


def shown(table, width=120):
    console = Console(width=width)
    with console.capture() as text:
        console.print(table)
    rows = [line.replace("│", " ").split() for line in text.get().splitlines() if line.strip()]
    return {row[0]: row[1:] for row in rows}, " ".join(text.get().split())


def test_the_table_shows_absent_classes_as_a_dash():
    rows, text = shown(segmentation_report(CONFUSION, ["[sky]", "road", "car"]).table())
    assert rows["[sky]"] == ["0.7500", "0.8571", "1.0000", "0.7500", "1.0000", "4", "3"]
    assert rows["car"] == ["-"] * 5 + ["0", "1"]
    assert "mean_iou 0.5417" in text
    assert "kappa 0.4000, mcc 0.4264" in text


def test_no_digit_is_cut_off_on_80_columns():
    confusion = np.array([[98_765_432, 1_234_567], [0, 12_345_678]])
    rows, text = shown(segmentation_report(confusion, ["pedestrian", "b"]).table(), width=80)
    assert rows["pedestrian"][-2:] == ["99999999", "98765432"]
    assert "…" not in text
    assert "specificity" in text


def test_rows_of_the_confusion_table_are_shares_of_the_truth():
    rows, _ = shown(segmentation_report(CONFUSION, ["[sky]", "road", "car"]).confusion_table())
    assert rows["[sky]"] == ["0.7500", "0.2500", "0.0000"]
    assert rows["road"] == ["0.0000", "0.5000", "0.5000"]
    assert rows["car"] == ["-", "-", "-"]


@pytest.mark.parametrize(
    ("confusion", "names", "sentence"),
    [
        (np.zeros((2, 3), int), None, r"square, got shape \(2, 3\); for label maps call conf"),
        (np.full((2, 2), 0.5), None, "whole counts"),
        (np.full((2, 2), -1), None, "whole counts"),
        (CONFUSION, ["sky"], "1 class names for 3 classes"),
        (CONFUSION, CONFUSION, r"class_names is no list of names, got shape \(3, 3\)"),
    ],
)
def test_bad_input_gets_one_sentence(confusion, names, sentence):
    with pytest.raises(ValueError, match=sentence):
        segmentation_report(confusion, names)
