"""Dropout of channels draws and scales what Keras' layer does."""

import keras
import numpy as np
import pytest
from keras import layers

from kseg.kernels import use_own_kernels

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="a kernel of TensorFlow"
)
MAPS = np.random.default_rng(2).normal(size=(3, 6, 5, 32)).astype("float32")


def dropping_model(rate, own):
    keras.utils.set_random_seed(7)
    dropout = layers.SpatialDropout2D(rate, name="drop")
    model = keras.Sequential([keras.Input((None, None, 32)), layers.Conv2D(32, 1), dropout])
    if own:
        use_own_kernels(model, jit=False)
        assert "call" in vars(dropout)
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
    return model


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.4, 0.9])
def test_training_is_that_of_keras(rate):
    plain, own = dropping_model(rate, False), dropping_model(rate, True)
    for _ in range(3):
        losses = [model.train_on_batch(MAPS, MAPS) for model in (plain, own)]
        assert losses[1] == pytest.approx(losses[0])
    for one, other in zip(plain.get_weights(), own.get_weights(), strict=True):
        np.testing.assert_allclose(other, one, atol=1e-6)


def test_whole_channels_are_dropped_and_others_scaled():
    model = dropping_model(0.4, True)
    kept = np.asarray(model(MAPS, training=True)) / np.asarray(model(MAPS, training=False))
    assert (np.ptp(kept, axis=(1, 2)) < 1e-5).all()
    assert sorted(set(np.round(kept.ravel(), 3))) == pytest.approx([0, 1 / 0.6], abs=1e-3)


def test_predictions_keep_all_channels():
    plain, own = dropping_model(0.4, False), dropping_model(0.4, True)
    np.testing.assert_allclose(own.predict_on_batch(MAPS), plain.predict_on_batch(MAPS), atol=1e-6)
