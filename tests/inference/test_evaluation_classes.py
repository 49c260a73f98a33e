"""Scores of classes that the truth never has, and of very many classes."""

import numpy as np
import pytest
from PIL import Image

from kseg.config import EvaluateConfig
from kseg.inference.evaluate import evaluate
from kseg.inference.evaluation.boundaries import BoundaryMeasure
from kseg.inference.evaluation.measures import ScoredImage
from tests.inference.evaluation_cases import report_of


def test_a_class_that_is_only_invented_is_in_no_mean_of_boundary_scores():
    truth, found = np.zeros((2, 20, 20), np.uint8)
    truth[5:12, 5:12], found[6:13, 5:12], found[:3, :3] = 1, 1, 2
    measure = BoundaryMeasure(("ground", "thing", "never"), None, 2.0)
    measure.add(measure.measure(ScoredImage(truth, found)))
    result = measure.result()
    *others, never = result["classes"]
    assert {never[key] for key in ("hausdorff", "surface_dice", "boundary_iou")} == {None}
    assert (never["images"], never["one_sided"]) == (1, 1)
    expected = np.mean([row["surface_dice"] for row in others])
    assert result["means"]["surface_dice"] == pytest.approx(expected)


def test_more_classes_than_colours_are_scored_and_shown(tmp_path):
    labels = np.arange(900, dtype=np.uint16).reshape(30, 30) % 300
    for name in ("truth", "masks"):
        (tmp_path / name).mkdir()
        Image.fromarray(labels).save(tmp_path / name / "a.png")
    flags = {"predictions": str(tmp_path / "masks"), "labels": str(tmp_path / "truth")}
    evaluate(EvaluateConfig(mode="score", n_classes=300, output=str(tmp_path / "out"), **flags))
    assert report_of(tmp_path / "out")["means"]["mean_iou"] == 1
    assert "class 299" in (tmp_path / "out" / "report.html").read_text()
