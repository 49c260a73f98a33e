"""Models learn by every loss, in every precision, and are saved with it."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from kseg.losses import get_loss, list_losses
from tests.losses.cases import build
from tests.losses.images import IMAGES, LABELS, small_model

RNG = np.random.default_rng(1)

# Sorting, erosions, distances, counts of pixels, and a sum.
COMPILED = ("boundary", "ce", "ce_dice", "cl_dice", "lovasz", "ohem_ce", "unified_focal")


@pytest.mark.parametrize(
    "name",
    [
        name if name in COMPILED else pytest.param(name, marks=pytest.mark.full)
        for name in list_losses()
    ],
)
def test_fit_lowers_the_loss_under_jit(name):
    keras.utils.set_random_seed(0)
    model = small_model()
    # torch.compile takes half a minute of C++ for this model.
    jit = keras.backend.backend() != "torch"
    loss = build(name)
    data = {"x": IMAGES, "y": LABELS, "verbose": 0}
    if loss.pixel_weights:
        data["sample_weight"] = np.ones(LABELS.shape)
    model.compile(optimizer=keras.optimizers.Adam(0.1), loss=loss, jit_compile=jit)
    before = model.evaluate(**data)
    model.fit(**data, epochs=8)
    assert model.evaluate(**data) < 0.9 * before


def test_float16_outputs_of_a_model_are_summed_in_float32():
    # 4 * 256 * 256 pixels are more than float16 can count (65504).
    images = np.tile(IMAGES, (1, 32, 32, 1))
    layer = keras.layers.Conv2D(3, 1, dtype="mixed_float16")
    model = keras.Sequential([keras.Input((None, None, 3)), layer])
    model.compile(loss=get_loss("ce_dice"))
    logits = model.predict(images, verbose=0)
    expected = float(get_loss("ce_dice")(images.argmax(-1), logits.astype("float32")))
    assert logits.dtype == np.float16
    assert model.evaluate(images, images.argmax(-1), verbose=0) == pytest.approx(expected, rel=1e-3)


def test_loss_is_float32_whatever_floatx():
    old = keras.config.floatx()
    keras.config.set_floatx("float16")
    try:
        loss = get_loss("dice")(LABELS, IMAGES.astype("float16"))
    finally:
        keras.config.set_floatx(old)
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"


def test_fit_passes_the_map_of_weights_on():
    model = small_model()
    model.compile(loss=get_loss("edge_weighted_ce") + get_loss("dice"))
    weights = RNG.random(LABELS.shape).astype("float32")
    found = model.evaluate(IMAGES, LABELS, sample_weight=weights, verbose=0)
    expected = float(model.loss(LABELS, model.predict(IMAGES, verbose=0), sample_weight=weights))
    assert found == pytest.approx(expected, rel=1e-5)


def test_compiled_model_loads_in_a_fresh_process(tmp_path):
    model = small_model()
    loss = get_loss("ce", ignore_class=255) + 0.5 * get_loss("dice", class_ids=[1, 2])
    model.compile(loss=loss)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", x=IMAGES, y=LABELS)
    script = (
        "import keras, numpy, kseg.losses\n"
        "model = keras.models.load_model('model.keras')\n"
        "data = numpy.load('data.npz')\n"
        "print(repr(model.evaluate(data['x'], data['y'], verbose=0)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    expected = model.evaluate(IMAGES, LABELS, verbose=0)
    assert float(run.stdout.split()[-1]) == pytest.approx(expected, rel=1e-6)


def test_labels_beyond_the_classes_are_void_in_compiled_code():
    if keras.backend.backend() == "torch":
        pytest.skip("torch runs eagerly and raises")
    labels, void = LABELS.copy(), LABELS.copy()
    labels[:, :3], void[:, :3] = 7, 255
    model = small_model()
    model.compile(loss=get_loss("ce_dice", ignore_class=255))
    found = model.evaluate(IMAGES, labels, verbose=0)
    assert found == pytest.approx(model.evaluate(IMAGES, void, verbose=0))
