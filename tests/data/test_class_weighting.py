import cv2
import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from kseg.data import open_dataset
from kseg.data.check import Survey
from kseg.data.class_weighting import METHODS, class_weights
from kseg.data.classes import with_classes


def write_set(folder, masks):
    """Write a data set of label maps; the test images are those of training."""
    for part in ("train", "test"):
        for kind in ("image", "label"):
            (folder / f"{part}_{kind}").mkdir(parents=True)
        for index, mask in enumerate(masks):
            cv2.imwrite(str(folder / f"{part}_label" / f"{index}.png"), mask)
            cv2.imwrite(str(folder / f"{part}_image" / f"{index}.png"), np.zeros((*mask.shape, 3)))
    return open_dataset(folder.name, folder.parent)


def test_balanced_weights_are_those_of_scikit_learn():
    labels = np.random.default_rng(0).choice(4, 1000, p=[0.7, 0.2, 0.09, 0.01])
    expected = compute_class_weight("balanced", classes=np.arange(4), y=labels)
    weights = class_weights(np.bincount(labels), "balanced")
    np.testing.assert_allclose(weights, expected)
    assert weights[labels].mean() == pytest.approx(1)


def test_median_frequency_by_hand():
    # Two images of 100 pixels; class 0 has 60 + 90, class 1 has 40, class 2 has 10.
    # Shares in the images that show the class: 150/200, 40/100, 10/100; their median is 0.4.
    # 0.4/0.75 = 0.5333, 0.4/0.4 = 1, 0.4/0.1 = 4
    images = np.array([200, 100, 100])
    weights = class_weights(np.array([150, 40, 10]), "median_frequency", image_pixels=images)
    np.testing.assert_allclose(weights, [0.4 / 0.75, 1, 4])


def test_enet_by_hand():
    # 1/ln(1.02 + 0.75) = 1/0.570980, 1/ln(1.02 + 0.25) = 1/0.239017
    weights = class_weights(np.array([30, 10]), "enet")
    np.testing.assert_allclose(weights, [1.751374, 4.183804], rtol=1e-5)


def test_effective_number_by_hand():
    # (1 - 0.9)/(1 - 0.9**30) = 0.104428, (1 - 0.9)/(1 - 0.9**10) = 0.153534; mean 0.128981
    weights = class_weights(np.array([30, 10]), "effective_number", beta=0.9)
    np.testing.assert_allclose(weights, [0.809638, 1.190362], rtol=1e-4)


def test_effective_number_lies_between_equal_and_balanced_weights():
    pixels = np.array([10**9, 10**6, 10**4])
    np.testing.assert_allclose(class_weights(pixels, "effective_number", beta=0), [1, 1, 1])
    nearly = class_weights(pixels, "effective_number", beta=1 - 1e-15)
    balanced = class_weights(pixels, "balanced")
    np.testing.assert_allclose(nearly / nearly[0], balanced / balanced[0], rtol=1e-4)


def test_effective_number_by_default_depends_on_shares_only():
    # N = 100: 1 - 0.99**180 = 0.836208, 1 - 0.99**20 = 0.182093, ratio 4.5922
    few = class_weights(np.array([180, 20]), "effective_number")
    assert few[1] / few[0] == pytest.approx(4.5922, rel=1e-4)
    many = class_weights(np.array([180_000_000, 20_000_000]), "effective_number")
    np.testing.assert_allclose(few, many, rtol=0.01)


@pytest.mark.parametrize("beta", [1, -0.1, float("nan")])
def test_a_beta_out_of_range_is_refused(beta):
    with pytest.raises(ValueError, match="beta .* at least 0 and below 1"):
        class_weights(np.array([1, 2]), "effective_number", beta=beta)


@pytest.mark.parametrize("method", METHODS)
def test_a_class_without_pixels_weighs_nothing_and_changes_no_other(method):
    pixels, images = np.array([50, 0, 20]), np.array([70, 0, 70])
    weights = class_weights(pixels, method, image_pixels=images)
    others = class_weights(pixels[[0, 2]], method, image_pixels=images[[0, 2]])
    np.testing.assert_allclose(weights, [others[0], 0, others[1]])


@pytest.mark.parametrize(
    ("pixels", "method", "images", "sentence"),
    [
        ([1, 2], "median", None, "one of balanced, .*, effective_number; got 'median'"),
        ([0, 0], "balanced", None, "need a count of at least 0 per class"),
        ([3, -1], "enet", None, "need a count of at least 0 per class"),
        ([1, 2], "median_frequency", None, "needs image_pixels"),
        ([1, 2], "median_frequency", [3, 1], "must be at least the pixels of each class"),
        ([1, 2], "median_frequency", [3], "must be at least the pixels of each class"),
    ],
)
def test_bad_counts_get_one_sentence(pixels, method, images, sentence):
    images = None if images is None else np.array(images)
    with pytest.raises(ValueError, match=sentence):
        class_weights(np.array(pixels), method, image_pixels=images)


def test_counts_leave_ignored_pixels_and_files_named_twice_out(tmp_path):
    # 12 pixels each: 6 + 6 without void, then 4 void, 5 of class 0, 3 of class 1.
    first = np.repeat(np.array([[0], [0], [1], [1]], np.uint8), 3, 1)
    second = np.array([[255] * 4, [0] * 4, [0, 1, 1, 1]], np.uint8)
    dataset = with_classes(write_set(tmp_path / "set", [first, second]), 3, 255)
    counts = Survey(dataset).count_classes([*dataset.train, *dataset.train])
    assert counts.pixels.tolist() == [6 + 5, 6 + 3, 0]
    assert counts.image_pixels.tolist() == [12 + 8, 12 + 8, 0]
    only_first = Survey(dataset).count_classes(dataset.train[:1])
    assert only_first.image_pixels.tolist() == [12, 12, 0]
    ignoring_0 = Survey(with_classes(dataset, 2, 0)).count_classes(dataset.train[:1])
    assert ignoring_0.pixels.tolist() == [0, 6]
