import keras
import numpy as np
import pytest

from kseg.models import get_model
from tests.tiny import tiny_options

MODELS = ["fcn8", "vgg_fcn8", "mobilenet_fcn8"]


@pytest.mark.parametrize("name", MODELS)
def test_scores_of_three_strides_reach_the_logits(name):
    model = get_model(name, 3, (64, 96, 3), **tiny_options(name))
    shapes = [model.get_layer(f"score{level}_conv").output.shape for level in (3, 4, 5)]
    assert shapes == [(None, 64 // s, 96 // s, 3) for s in (8, 16, 32)]
    assert model.output.shape == (None, 64, 96, 3)


@pytest.mark.parametrize("name", MODELS)
def test_each_coarse_score_is_centred_on_its_cell_at_the_start(name):
    # One score of 1 in the second cell of the coarsest grid, everything else zero.
    model = get_model(name, 1, (128, 128, 3), **tiny_options(name))
    for level in (3, 4, 5):
        layer = model.get_layer(f"score{level}_conv")
        layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    coarse = keras.Input((4, 4, 1))
    x = coarse
    for enlarging in ("score4_up", "score3_up", "head_conv", "head_up"):
        if enlarging != "head_up" or name != "fcn8":
            x = model.get_layer(enlarging)(x)
    cells = np.zeros((1, 4, 4, 1), "float32")
    cells[0, 1, 1] = 1
    logits = keras.ops.convert_to_numpy(keras.Model(coarse, x)(cells))[0, :, :, 0]
    rows = np.arange(128) + 0.5
    assert np.average(rows, weights=logits.sum(1)) == pytest.approx(48)
    assert np.average(rows, weights=logits.sum(0)) == pytest.approx(48)
    assert logits.sum() == pytest.approx(32 * 32, rel=1e-4)


def test_class_scores_can_be_negative():
    model = get_model("vgg_fcn8", **tiny_options("vgg_fcn8"))
    model.get_layer("score5_conv").bias.assign([-5.0, 5.0])
    # Black images have no features, so the scores are the bias, less at the border, where a
    # transposed convolution sees zeros.
    logits = keras.ops.convert_to_numpy(model(np.zeros((1, 64, 64, 3), "float32")))[0]
    np.testing.assert_allclose(logits[8:-8, 8:-8, 0], -5, rtol=1e-6)
    np.testing.assert_allclose(logits[..., 1], -logits[..., 0], rtol=1e-6)
    assert logits[..., 0].max() < -1


def test_overlapping_kernels_are_twice_the_stride():
    sizes = {}
    for overlap in (False, True):
        model = get_model("vgg_fcn8", **tiny_options("vgg_fcn8"), overlap=overlap)
        names = ("score4_up", "score3_up", "head_conv")
        sizes[overlap] = [model.get_layer(name).kernel_size[0] for name in names]
    assert sizes == {False: [2, 2, 8], True: [4, 4, 16]}


@pytest.mark.parametrize(
    ("name", "option"),
    [*((name, "filters") for name in [*MODELS, "mobilenet_unet"]), ("vgg_fcn8", "hidden")],
)
def test_a_width_of_zero_is_named(name, option):
    with pytest.raises(ValueError, match=f"{name} needs {option} >= 1, got 0"):
        get_model(name, **{option: 0})
