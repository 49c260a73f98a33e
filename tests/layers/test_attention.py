import keras
import numpy as np
import pytest
from keras import layers

from kseg.layers.attention import attention_gate, scse, squeeze_excite


def relu(x):
    return np.maximum(x, 0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def random_weights(model):
    """Give the model other weights than zero biases and ones, and return them by layer name."""
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.1, 1, weight.shape) for weight in model.get_weights()])
    return {
        layer.name: [keras.ops.convert_to_numpy(weight) for weight in layer.weights]
        for layer in model.layers
    }


def pointwise(x, weights):
    kernel, bias = weights
    return x @ kernel[0, 0] + bias


def normalised(x, weights):
    gamma, beta, mean, variance = weights
    return (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta


def run(model, *images):
    return keras.ops.convert_to_numpy(model(list(images) if len(images) > 1 else images[0]))


@pytest.fixture
def image():
    return np.random.default_rng(1).normal(size=(2, 5, 4, 8)).astype("float32")


def channel_weights(image, weights, name):
    means = image.mean((1, 2), keepdims=True)
    squeezed = relu(pointwise(means, weights[f"{name}_squeeze_conv"]))
    return sigmoid(pointwise(squeezed, weights[f"{name}_excite_conv"]))


@pytest.mark.parametrize(("ratio", "squeezed"), [(4, 2), (16, 1)])
def test_squeeze_and_excitation_weights_channels_by_the_whole_map(image, ratio, squeezed):
    inputs = layers.Input((None, None, 8))
    model = keras.Model(inputs, squeeze_excite(inputs, ratio, name="se"))
    weights = random_weights(model)
    assert weights["se_squeeze_conv"][0].shape == (1, 1, 8, squeezed)
    expected = image * channel_weights(image, weights, "se")
    np.testing.assert_allclose(run(model, image), expected, rtol=1e-4)


@pytest.mark.parametrize("spatial_channels", [1, 8])
def test_scse_adds_what_both_gates_let_through(image, spatial_channels):
    inputs = layers.Input((None, None, 8))
    model = keras.Model(inputs, scse(inputs, spatial_channels=spatial_channels, name="scse"))
    weights = random_weights(model)
    places = sigmoid(pointwise(image, weights["scse_spatial_conv"]))
    assert places.shape[-1] == spatial_channels
    expected = image * channel_weights(image, weights, "scse_channel") + image * places
    np.testing.assert_allclose(run(model, image), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 8])
def test_the_attention_gate_weights_the_skip_by_both_signals(image, channels):
    gating = np.random.default_rng(2).normal(size=(2, 5, 4, 6)).astype("float32")
    inputs = layers.Input((None, None, 6)), layers.Input((None, None, 8))
    model = keras.Model(inputs, attention_gate(*inputs, 3, channels=channels, name="gate"))
    weights = random_weights(model)

    def unit(x, name):
        return normalised(pointwise(x, weights[f"{name}_conv"]), weights[f"{name}_bn"])

    compared = relu(unit(gating, "gate_gating") + unit(image, "gate_skip"))
    expected = image * sigmoid(unit(compared, "gate_map"))
    np.testing.assert_allclose(run(model, gating, image), expected, rtol=1e-4, atol=1e-6)
