import keras
import numpy as np
import pytest
from keras import layers

from kseg.layers.recurrent import doubled_conv, recurrent_conv, recurrent_residual


@pytest.fixture
def image():
    return np.random.default_rng(1).normal(size=(1, 6, 5, 3)).astype("float32")


def model_of(block, **options):
    inputs = layers.Input((None, None, 3))
    model = keras.Model(inputs, block(inputs, name="unit", **options))
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.1, 0.4, weight.shape) for weight in model.get_weights()])
    return model


def run(model, image):
    return keras.ops.convert_to_numpy(model(image, training=False))


def convolved(model, x, name="unit"):
    """Compute the 3x3 convolution of a unit with windows of NumPy."""
    kernel, bias = map(keras.ops.convert_to_numpy, model.get_layer(f"{name}_conv").weights)
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)]), (3, 3), axis=(1, 2)
    )
    return np.einsum("nhwcij,ijcf->nhwf", windows, kernel) + bias


def conv_bn_relu(model, x, name="unit"):
    """Compute the unit from its weights."""
    x = convolved(model, x, name)
    gamma, beta, mean, variance = map(
        keras.ops.convert_to_numpy, model.get_layer(f"{name}_bn").weights
    )
    return np.maximum((x - mean) / np.sqrt(variance + 1e-3) * gamma + beta, 0)


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_each_step_sees_the_input_and_its_own_last_output(image, steps):
    model = model_of(recurrent_conv, steps=steps)
    y = conv_bn_relu(model, image)
    for _ in range(steps):
        y = conv_bn_relu(model, image + y)
    np.testing.assert_allclose(run(model, image), y, rtol=1e-3)


def test_steps_share_their_weights():
    counts = {model_of(recurrent_conv, steps=steps).count_params() for steps in (0, 1, 5)}
    assert counts == {3 * 3 * 3 * 3 + 3 + 4 * 3}


def test_the_old_unit_doubles_its_features_between_two_convolutions(image):
    model = model_of(doubled_conv)
    y = conv_bn_relu(model, 2 * conv_bn_relu(model, image, "unit_a"), "unit_b")
    np.testing.assert_allclose(run(model, image), y, rtol=1e-3)


def test_the_shortcut_goes_around_both_units(image):
    model = model_of(recurrent_residual, filters=4, unit=recurrent_conv)
    kernel, bias = map(keras.ops.convert_to_numpy, model.get_layer("unit_in_conv").weights)
    x = image @ kernel[0, 0] + bias
    y = x
    for name in ("unit_a", "unit_b"):
        first = y
        for step in range(3):
            y = conv_bn_relu(model, first + y if step else first, name)
    np.testing.assert_allclose(run(model, image), x + y, rtol=1e-3)


def test_repetitions_are_normalised_by_the_statistics_of_the_first(image):
    model = model_of(recurrent_conv, steps=2)
    norm = model.get_layer("unit_bn")
    gamma, beta = map(keras.ops.convert_to_numpy, (norm.gamma, norm.beta))
    first = convolved(model, image)
    mean, deviation = first.mean((0, 1, 2)), np.sqrt(first.var((0, 1, 2)) + 1e-3)
    y = 0
    for _ in range(3):
        y = np.maximum((convolved(model, image + y) - mean) / deviation * gamma + beta, 0)
    trained = keras.ops.convert_to_numpy(model(image, training=True))
    np.testing.assert_allclose(trained, y, rtol=1e-3)
