import subprocess
import sys

import keras
import numpy as np
import pytest

from kseg.metrics import SegmentationMetrics, confusion_matrix, get_metric, segmentation_report

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(10, 8, 8, 3)).astype("float32")
LABELS = (IMAGES + RNG.normal(size=IMAGES.shape)).argmax(-1)
LABELS[:, :2] = 255
NAMES = ["iou_score", "jaccard_score", "f1_score", "f2_score", "dice_score"]


def compiled(metrics, jit=False):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(3, 1)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    model.compile(optimizer="sgd", loss=loss, metrics=metrics, jit_compile=jit)
    return model


@pytest.mark.parametrize("jit", [False, True])
def test_logs_of_fit_and_evaluate_are_named_after_the_scores(jit):
    # torch.compile takes half a minute of C++ for this model.
    jit = jit and keras.backend.backend() != "torch"
    model = compiled([SegmentationMetrics(3, NAMES, ignore_class=255)], jit)
    data = (IMAGES, LABELS)
    logs = model.fit(*data, batch_size=4, validation_data=data, epochs=2, verbose=0).history
    assert set(logs) == {*NAMES, "loss", *(f"val_{name}" for name in [*NAMES, "loss"])}
    found = model.evaluate(*data, batch_size=4, return_dict=True, verbose=0)
    prediction = model.predict(IMAGES, verbose=0).argmax(-1)
    report = segmentation_report(confusion_matrix(LABELS, prediction, 3, 255))
    assert found["iou_score"] == pytest.approx(report.means["mean_iou"], abs=1e-6)
    assert found["dice_score"] == pytest.approx(report.means["mean_dice"], abs=1e-6)
    assert logs["val_iou_score"][-1] == pytest.approx(found["iou_score"], abs=1e-6)


@pytest.mark.parametrize("jit", [False, True])
def test_means_over_images_stand_beside_those_of_the_data_set(jit):
    jit = jit and keras.backend.backend() != "torch"
    options = {"ignore_class": 255}
    both = [SegmentationMetrics(3, NAMES[:2], average=a, **options) for a in ("macro", "per_image")]
    model = compiled([*both, get_metric("recall", 3, average="per_image", **options)], jit)
    found = model.evaluate(IMAGES, LABELS, batch_size=4, return_dict=True, verbose=0)
    prediction = model.predict(IMAGES, verbose=0).argmax(-1)
    pairs = zip(LABELS, prediction, strict=True)
    means = [segmentation_report(confusion_matrix(*pair, 3, 255)) for pair in pairs]
    image_iou = np.mean([report.means["mean_iou"] for report in means])
    assert found["iou_score_per_image"] == pytest.approx(image_iou, abs=1e-6)
    assert found["jaccard_score_per_image"] == found["iou_score_per_image"]
    image_recall = np.mean([report.means["mean_pixel_accuracy"] for report in means])
    assert found["recall_per_image"] == pytest.approx(image_recall, abs=1e-6)
    whole = segmentation_report(confusion_matrix(LABELS, prediction, 3, 255)).means["mean_iou"]
    assert found["iou_score"] == pytest.approx(whole, abs=1e-6)


def test_every_epoch_counts_afresh():
    metric = SegmentationMetrics(3, ignore_class=255)
    images = get_metric("iou_score", 3, average="per_image", ignore_class=255)
    compiled([metric, images]).fit(IMAGES, LABELS, batch_size=4, epochs=3, verbose=0)
    assert metric.confusion_matrix().sum() == (LABELS != 255).sum()
    assert int(images.images) == len(IMAGES)


def test_single_scores_and_shared_ones_agree():
    single = [get_metric(name, 3, ignore_class=255) for name in NAMES[:2]]
    found = compiled(single).evaluate(IMAGES, LABELS, return_dict=True, verbose=0)
    shared = compiled([SegmentationMetrics(3, NAMES[:2], ignore_class=255)])
    assert found == pytest.approx(shared.evaluate(IMAGES, LABELS, return_dict=True, verbose=0))


def test_labels_beyond_the_classes_are_not_counted_in_compiled_code():
    if keras.backend.backend() == "torch":
        pytest.skip("torch runs eagerly and raises")
    metric = SegmentationMetrics(3)
    model = compiled([metric], jit=True)
    model.evaluate(IMAGES, LABELS, verbose=0)
    assert metric.confusion_matrix().sum() == (LABELS != 255).sum()


def test_compiled_model_loads_in_a_fresh_process(tmp_path):
    metrics = SegmentationMetrics(3, NAMES, ignore_class=255, average="weighted")
    per_image = SegmentationMetrics(3, average="per_image", ignore_class=255)
    model = compiled([metrics, get_metric("pixel_accuracy", 3, ignore_class=255), per_image])
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", x=IMAGES, y=LABELS)
    script = (
        "import keras, numpy, kseg.metrics\n"
        "model = keras.models.load_model('model.keras')\n"
        "data = numpy.load('data.npz')\n"
        "logs = model.evaluate(data['x'], data['y'], return_dict=True, verbose=0)\n"
        "print(*(f'{name}={value}' for name, value in logs.items()))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    found = dict(pair.split("=") for pair in run.stdout.splitlines()[-1].split())
    expected = model.evaluate(IMAGES, LABELS, return_dict=True, verbose=0)
    assert {k: float(v) for k, v in found.items()} == pytest.approx(expected, abs=1e-6)
