"""TensorFlow's own kernels train like Keras' layers, and leave files alone."""

import keras
import numpy as np
import pytest
from keras import layers

from kseg.training.tensorflow_kernels import use_own_kernels

tensorflow_only = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="a kernel of TensorFlow"
)


def small_model(fused):
    keras.utils.set_random_seed(3)
    stack = [
        keras.Input((None, None, 3)),
        layers.Conv2D(4, 3, padding="same", name="conv"),
        layers.BatchNormalization(momentum=0.9, name="norm"),
        layers.ReLU(name="relu"),
        layers.UpSampling2D((2, 3), name="up"),
        layers.Conv2D(1, 1, name="head"),
    ]
    model = keras.Sequential(stack)
    if fused:
        use_own_kernels(model, jit=False)
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
    return model


def batch(count=2):
    rng = np.random.default_rng(0)
    return rng.normal(2, 3, (count, 8, 8, 3)), rng.normal(size=(count, 16, 24, 1))


@tensorflow_only
def test_training_ends_with_the_weights_of_keras():
    plain, fused = small_model(False), small_model(True)
    assert all("call" in vars(fused.get_layer(name)) for name in ("norm", "up"))
    for _ in range(5):
        assert fused.train_on_batch(*batch()) == pytest.approx(plain.train_on_batch(*batch()))
    for one, other in zip(plain.get_weights(), fused.get_weights(), strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)


@tensorflow_only
def test_a_frozen_layer_keeps_its_statistics():
    model = small_model(True)
    model.get_layer("norm").trainable = False
    model.compile("sgd", "mse", jit_compile=False)
    model.train_on_batch(*batch())
    np.testing.assert_array_equal(model.get_layer("norm").moving_mean, np.zeros(4))


@tensorflow_only
def test_a_saved_model_has_the_layer_of_keras(tmp_path):
    model = small_model(True)
    model.train_on_batch(*batch())
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert "call" not in vars(loaded.get_layer("norm"))
    images, _ = batch()
    np.testing.assert_allclose(loaded.predict_on_batch(images), model.predict_on_batch(images))


def test_nothing_changes_with_xla():
    model = small_model(False)
    use_own_kernels(model, jit=True)
    assert "call" not in vars(model.get_layer("norm"))
