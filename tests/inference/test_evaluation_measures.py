"""What is measured on images beside the confusion matrix."""

import numpy as np
import pytest

from kseg.inference.evaluation.boundaries import BoundaryMeasure
from kseg.inference.evaluation.calibration import CalibrationMeasure
from kseg.inference.evaluation.counts import ImageCounts
from kseg.inference.evaluation.curves import CurveMeasure
from kseg.inference.evaluation.measures import ScoredImage
from kseg.inference.evaluation.membranes import MembraneMeasure
from kseg.inference.evaluation.per_image import rank_images
from kseg.inference.evaluation.ranking import Extremes
from kseg.inference.evaluation.sizes import SizeMeasure
from kseg.inference.evaluation.views import ERROR_COLOURS, draw_views, error_meanings
from kseg.metrics import (
    CalibrationBins,
    auc_in_mask,
    average_precision_in_mask,
    best_over_thresholds,
    boundary_iou,
    hausdorff_distance,
    membrane_instances,
    v_rand,
)

VOID = 255


def measured(measure, images):
    for image in images:
        measure.add(measure.measure(image))
    return measure.result()


def random_images(count=3, classes=3, seed=0):
    """Images with probabilities that know something of the truth, and a void row."""
    rng = np.random.default_rng(seed)
    images = []
    for _ in range(count):
        truth = rng.integers(0, classes, (12, 15))
        scores = rng.normal(size=(12, 15, classes)) + 1.5 * np.eye(classes)[truth]
        scores = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
        truth[0] = VOID
        images.append(ScoredImage(truth, scores.argmax(-1), scores.astype("float32")))
    return images


def test_objects_are_counted_by_their_size():
    truth, predicted = np.zeros((2, 40, 60), np.uint8)
    truth[2:6, 2:6] = 1  # 16 pixels, 8 of them found: half is enough
    predicted[2:4, 2:6] = 1
    truth[2:6, 20:24] = 1  # 16 pixels of the other class: missed
    predicted[2:6, 20:24] = 2
    truth[20:32, 2:14] = 2  # 144 pixels, all found
    predicted[20:32, 2:14] = 2
    predicted[35:37, 50:53] = 1  # 6 pixels where nothing is
    truth[10:20, 40:60] = VOID  # what is predicted there is no object
    predicted[10:20, 40:60] = 1
    rows = measured(SizeMeasure(VOID), [ScoredImage(truth, predicted)] * 2)
    small, middle, *larger = (
        {k: v // 2 for k, v in row.items() if "to" not in k} for row in rows[:3]
    )
    assert small == {
        "from_pixels": 0,
        "objects": 2,
        "pixels": 32,
        "pixels_found": 8,
        "found": 1,
        "missed": 1,
        "predicted": 3,
        "invented": 2,
    }
    assert [middle[key] for key in ("from_pixels", "objects", "found", "predicted")] == [
        32,
        1,
        1,
        1,
    ]
    assert not any(row["objects"] for row in larger)


def test_touching_objects_of_two_classes_are_two_and_corners_connect():
    truth = np.zeros((8, 8), int)
    truth[0:2, 0:2], truth[2:4, 2:4], truth[2:4, 0:2] = 1, 1, 2
    (row, *_) = measured(SizeMeasure(None), [ScoredImage(truth, truth)])
    assert (row["objects"], row["found"], row["pixels"]) == (2, 2, 12)


def test_without_objects_there_are_no_sizes():
    empty = np.zeros((4, 4), np.uint8)
    assert measured(SizeMeasure(None), [ScoredImage(empty, empty)]) is None


def test_areas_under_curves_are_those_of_all_pixels_together():
    images = random_images()
    found = measured(CurveMeasure(("a", "b", "c"), VOID), images)
    valid = [image.truth != VOID for image in images]
    for label, row in enumerate(found["classes"]):
        truth = [image.truth == label for image in images]
        scores = [image.probabilities[..., label] for image in images]
        assert row["auc"] == pytest.approx(auc_in_mask(truth, scores, valid), abs=1e-3)
        expected = average_precision_in_mask(truth, scores, valid)
        assert row["average_precision"] == pytest.approx(expected, abs=2e-3)
    assert found["means"]["auc"] == pytest.approx(np.mean([r["auc"] for r in found["classes"]]))


def test_a_class_that_never_occurs_has_no_area():
    (image,) = random_images(1)
    image.truth[image.truth == 2] = 0
    *_, absent = measured(CurveMeasure(("a", "b", "c"), VOID), [image])["classes"]
    assert absent == {"name": "c", "auc": None, "average_precision": None}


def test_calibration_is_that_of_all_images_together_in_any_order():
    images, expected = random_images(), CalibrationBins(ignore_class=VOID)
    for image in images:
        expected.update(image.truth, image.probabilities)
    found = measured(CalibrationMeasure(VOID), images)
    assert found["ece"] == pytest.approx(expected.ece, abs=1e-9)
    assert [row["count"] for row in found["bins"]] == [row.count for row in expected.table()]
    assert found == measured(CalibrationMeasure(VOID), images[::-1])


def test_boundary_scores_are_means_over_the_images_with_the_class():
    truth, near, none = np.zeros((3, 20, 20), int)
    truth[5:12, 5:12], near[6:13, 5:12] = 1, 1
    images = [ScoredImage(truth, near), ScoredImage(truth, none), ScoredImage(none, none)]
    found = measured(BoundaryMeasure(("ground", "thing"), None, 2.0), images)
    _, thing = found["classes"]
    assert thing["hausdorff"] == hausdorff_distance(truth == 1, near == 1) == 1
    # The image that misses it is half of the two that have it in truth or prediction.
    assert thing["boundary_iou"] == pytest.approx(boundary_iou(truth == 1, near == 1) / 2)
    assert (thing["images"], thing["one_sided"]) == (2, 1)
    assert found["means"]["hausdorff"] == pytest.approx(
        np.mean([row["hausdorff"] for row in found["classes"]])
    )


def test_cells_are_scored_at_the_labels_and_at_the_best_threshold():
    rng = np.random.default_rng(3)
    truths = np.zeros((2, 24, 24), int)
    truths[:, 11:13], truths[:, :, 7:9] = 1, 1
    blurred = np.clip(0.45 * truths + rng.uniform(0, 0.3, truths.shape), 0, 1)
    images = [
        ScoredImage(truth, (p > 0.5).astype(int), np.stack([1 - p, p], -1))
        for truth, p in zip(truths, blurred, strict=True)
    ]
    found = measured(MembraneMeasure(1), images)
    cells = [membrane_instances(truth == 1) for truth in truths]
    threshold, best = best_over_thresholds(cells, list(blurred))
    assert found["best_threshold"]["threshold"] == threshold
    assert found["best_threshold"]["v_rand"]["f_score"] == pytest.approx(best.f_score)
    at_labels = [
        v_rand(cell, membrane_instances(image.predicted == 1)).split
        for cell, image in zip(cells, images, strict=True)
    ]
    assert found["labels"]["v_rand"]["split"] == pytest.approx(np.mean(at_labels))
    only_membrane = ScoredImage(np.ones((4, 4), int), np.ones((4, 4), int))
    assert measured(MembraneMeasure(1), [only_membrane]) is None


def test_the_worst_and_the_best_are_kept():
    scores = np.random.default_rng(0).permutation(np.repeat(np.arange(50), 2)) / 50
    extremes = Extremes(3)
    for number, score in enumerate(scores):
        extremes.offer(score, number)
    assert [score for score, _ in extremes.worst()] == [0, 0, 0.02]
    assert [score for score, _ in extremes.best()] == [0.98, 0.98, 0.96]
    # Of equal scores the first.
    assert extremes.worst()[2][1] == np.flatnonzero(scores == 0.02)[0]


def test_no_image_is_among_the_worst_and_the_best():
    counts = ImageCounts(2)
    for number in range(4):
        counts.put(number, np.array([[9, 0], [3 - number, 1 + number]]))
    worst, best = rank_images(counts, 3)
    assert ([number for _, number in worst], [number for _, number in best]) == ([0, 1, 2], [3])
    counts.close()


def test_errors_have_the_colour_of_their_kind_and_void_is_none():
    truth, predicted = np.array([[1, 0, 1, VOID, 1]]), np.array([[0, 1, 2, 1, 1]])
    views = draw_views(np.full((1, 5, 3), 100, np.uint8), truth, predicted, VOID)
    colours = [tuple(pixel) for pixel in views["errors"][0].tolist()]
    expected = [ERROR_COLOURS[name] for name in ("missed", "invented", "confused")]
    assert colours[:3] == expected
    assert colours[3:] == [(100, 100, 100), (50, 50, 50)]
    assert views["truth"][0, 3].tolist() == [100, 100, 100]


def test_large_images_are_shrunk_and_thin_errors_stay_visible():
    truth, predicted = np.zeros((2, 400, 1000), np.uint8)
    predicted[200] = 1
    views = draw_views(np.zeros((400, 1000, 1), np.float32), truth, predicted, VOID, 100)
    assert {view.shape for view in views.values()} == {(40, 100, 3)}
    assert views["errors"][20].max() > 20
    assert "image" not in draw_views(None, truth, predicted, VOID, 100)


def test_two_classes_cannot_be_mixed_up_otherwise():
    assert list(error_meanings(("ground", "thing"))) == ["missed", "invented"]
    assert "ground" in error_meanings(("ground", "thing"))["missed"]
