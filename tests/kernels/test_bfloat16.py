"""In 16 bits TensorFlow's own kernels are nearly as exact as Keras' layers.

Without oneDNN TensorFlow adds up in 16 bits where it convolves by transposing.
"""

import keras
import numpy as np
import pytest
from keras import layers

from kseg.kernels import use_own_kernels

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="kernels of TensorFlow"
)
WORSE = 2.5
IMAGES = np.random.default_rng(1).normal(size=(2, 5, 9, 5)).astype("float32")


def bfloat16_model():
    """Two normalised convolutions, the second of enlarged and merged maps."""
    keras.utils.set_random_seed(7)
    options = {"padding": "same", "dtype": "mixed_bfloat16"}
    inputs = keras.Input((None, None, 5))
    x = layers.Conv2D(16, 3, name="first", **options)(inputs)
    x = layers.BatchNormalization(momentum=0.5, name="norm", dtype="mixed_bfloat16")(x)
    large = layers.UpSampling2D(2, name="up", dtype="mixed_bfloat16")(x)
    merged = layers.Concatenate(name="merge", dtype="mixed_bfloat16")([large, large])
    return keras.Model(inputs, layers.Conv2D(16, 3, name="conv", **options)(merged))


def in_float32(model):
    config = model.get_config()
    for layer in config["layers"]:
        layer["config"]["dtype"] = "float32"
    exact = keras.Model.from_config(config)
    exact.set_weights(model.get_weights())
    return exact


def error(values, exact):
    return np.sqrt(np.mean((np.asarray(values, "float32") - exact) ** 2)) / np.std(exact)


@pytest.mark.parametrize("constant", [False, True])
def test_in_bfloat16_the_results_are_near_to_float32_like_those_of_keras(constant):
    model = bfloat16_model()
    exact = in_float32(model).predict_on_batch(IMAGES)
    of_keras = error(model.predict_on_batch(IMAGES), exact)
    use_own_kernels(model, jit=False, constant=constant)
    assert all("call" in vars(model.get_layer(name)) for name in ("norm", "up", "conv"))
    model.compile(jit_compile=False)
    own = model.predict_on_batch(IMAGES)
    assert own.dtype == "bfloat16"
    assert 0 < error(own, exact) < WORSE * of_keras


def test_in_bfloat16_training_is_near_to_float32_like_that_of_keras():
    plain, own = bfloat16_model(), bfloat16_model()
    exact = in_float32(plain)
    use_own_kernels(own, jit=False)
    target = np.random.default_rng(2).normal(size=(2, 10, 18, 16))
    before = np.concatenate([one.ravel() for one in exact.get_weights()])
    moved = {}
    for name, model in {"exact": exact, "plain": plain, "own": own}.items():
        model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
        for _ in range(3):
            model.train_on_batch(IMAGES, target)
        moved[name] = np.concatenate([one.ravel() for one in model.get_weights()]) - before
    assert error(moved["own"], moved["exact"]) < WORSE * error(moved["plain"], moved["exact"])


def test_variables_of_16_bits_are_trained_like_those_of_keras():
    def norm_after_a_step(own):
        norm = layers.BatchNormalization(momentum=0.5, dtype="bfloat16")
        model = keras.Sequential([keras.Input((5, 9, 5)), norm])
        if own:
            use_own_kernels(model, jit=False)
        model.compile("sgd", "mse", jit_compile=False)
        model.train_on_batch(IMAGES, IMAGES)
        return [np.asarray(one, "float32") for one in model.get_weights()]

    for ours, theirs in zip(norm_after_a_step(True), norm_after_a_step(False), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=0.01)
