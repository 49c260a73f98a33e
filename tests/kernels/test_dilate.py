"""Dilated convolutions that reach beyond the maps, by the weights that meet something."""

import keras
import numpy as np
import pytest
from keras import layers

from kseg.kernels import use_own_kernels

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="kernels of TensorFlow"
)


def model_of(rate, kernel, size, bias=True):
    keras.utils.set_random_seed(8)
    inputs = keras.Input((*size, 5))
    options = {"use_bias": bias, "bias_initializer": "random_normal"}
    options |= {"dilation_rate": rate, "padding": "same", "activation": "relu", "name": "conv"}
    return keras.Model(inputs, layers.Conv2D(7, kernel, **options)(inputs))


@pytest.mark.parametrize(
    ("rate", "kernel", "size"),
    [
        (3, 3, (5, 9)),
        (8, 3, (5, 9)),
        (24, 3, (5, 9)),
        (5, 5, (5, 9)),
        ((1, 4), (5, 3), (6, 7)),
        ((9, 2), (3, 1), (9, 1)),
        (2, 3, (1, 1)),
    ],
)
@pytest.mark.parametrize("bias", [True, False])
def test_a_convolution_that_reaches_beyond_the_maps_learns_as_with_keras(rate, kernel, size, bias):
    plain, own = (model_of(rate, kernel, size, bias) for _ in range(2))
    use_own_kernels(own, jit=False)
    assert "call" in vars(own.get_layer("conv"))
    rng = np.random.default_rng(4)
    images, target = rng.normal(size=(2, *size, 5)), rng.normal(size=(2, *size, 7))
    for model in (plain, own):
        model.compile(keras.optimizers.SGD(0.5), "mse", jit_compile=False)
    np.testing.assert_allclose(
        own.predict_on_batch(images), plain.predict_on_batch(images), atol=1e-5
    )
    for model in (plain, own):
        for _ in range(3):
            model.train_on_batch(images, target)
    for one, other in zip(plain.get_weights(), own.get_weights(), strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)


def count_convolutions(model, size):
    import tensorflow as tf

    function = tf.function(model).get_concrete_function(tf.TensorSpec((2, *size, 5)))
    return sum(operation.type == "Conv2D" for operation in function.graph.get_operations())


@pytest.mark.parametrize(("size", "own"), [((9, 5), True), ((5, 9), True), ((6, 9), False)])
def test_only_kernels_wide_beside_the_maps_are_taken_apart(size, own):
    model = model_of(3, 3, (None, None))
    use_own_kernels(model, jit=False)
    model.compile(jit_compile=False)
    images = np.random.default_rng(5).normal(size=(2, *size, 5))
    assert (count_convolutions(model, size) > 1) == own
    plain = model_of(3, 3, (None, None))
    np.testing.assert_allclose(
        model.predict_on_batch(images), plain.predict_on_batch(images), atol=1e-5
    )
