"""Convolutions with a group for each channel are those of Keras, computed without XLA."""

import keras
import numpy as np
import pytest
from keras import layers

from kseg.inference.model_file import ModelInfo, load_model, save_model
from kseg.kernels import use_own_kernels
from kseg.models import get_model

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="a kernel of TensorFlow"
)
CHANNELS = 6


def grouped(groups=CHANNELS, filters=CHANNELS, kernel_size=7, **options):
    keras.utils.set_random_seed(4)
    options = {"padding": "same", "bias_initializer": "random_normal", **options}
    layer = layers.Conv2D(filters, kernel_size, groups=groups, name="conv", **options)
    return keras.Sequential([keras.Input((None, None, CHANNELS)), layer])


def maps(*size):
    return np.random.default_rng(5).normal(size=(2, *size, CHANNELS)).astype("float32")


@pytest.mark.parametrize("size", [(9, 12), (1, 5)])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"filters": 3 * CHANNELS},
        {"use_bias": False, "activation": "relu"},
        {"kernel_size": (3, 5), "strides": 2},
        {"kernel_size": 3, "dilation_rate": (1, 2)},
        {"kernel_size": 1, "padding": "valid"},
    ],
    ids=str,
)
def test_results_and_training_are_those_of_keras(options, size):
    plain, own = grouped(**options), grouped(**options)
    use_own_kernels(own, jit=False)
    assert "call" in vars(own.get_layer("conv"))
    for model in plain, own:
        model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
    expected = plain.predict_on_batch(maps(*size))
    np.testing.assert_allclose(own.predict_on_batch(maps(*size)), expected, atol=1e-5)
    for model in plain, own:
        for _ in range(3):
            model.train_on_batch(maps(*size), np.ones_like(expected))
    for one, other in zip(plain.get_weights(), own.get_weights(), strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"groups": 1},
        {"groups": 3},
        {"kernel_size": 3, "strides": (1, 2)},
    ],
    ids=str,
)
def test_other_convolutions_are_left_alone(options):
    model = grouped(**options)
    use_own_kernels(model, jit=False)
    assert "call" not in vars(model.get_layer("conv"))


def compiled_by_xla(model):
    import tensorflow as tf

    graph = tf.function(model).get_concrete_function(tf.TensorSpec((1, 32, 32, 3))).graph
    marks = [op.node_def.attr["_XlaMustCompile"].b for op in graph.get_operations()]
    return any(marks)


def test_a_convnext_does_without_xla_wherever_it_comes_from(tmp_path):
    path = tmp_path / "model.keras"
    model = get_model("upernet", 2, input_shape=(32, 32, 3), filters=8, encoder="convnexttiny")
    assert not compiled_by_xla(model)
    save_model(model, path, ModelInfo("upernet", ("a", "b"), None, 32, 32, 1, "divide"))
    assert compiled_by_xla(keras.models.load_model(path))
    loaded, _ = load_model(path)
    assert not compiled_by_xla(loaded)
