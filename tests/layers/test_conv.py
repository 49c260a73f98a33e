import keras
import numpy as np
import pytest

from kseg.layers.conv import conv, conv_bn_relu, double_conv


@pytest.mark.parametrize("channels", [8, 32])
def test_a_strided_1x1_convolution_is_every_other_pixel_times_the_kernel(channels):
    # With few channels the pixels are taken before the convolution, which must not be seen.
    inputs = keras.Input((7, 8, channels))
    model = keras.Model(inputs, conv(inputs, 5, 1, strides=2, name="a"))
    x = np.random.default_rng(0).normal(size=(2, 7, 8, channels)).astype("float32")
    kernel, bias = model.get_layer("a_conv").get_weights()
    expected = x[:, ::2, ::2] @ kernel[0, 0] + bias
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model(x)), expected, atol=1e-5)


def test_names_follow_the_scheme():
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, double_conv(inputs, 4, name="enc0"))
    kinds = ("conv", "bn", "relu")
    expected = [f"enc0_{part}_{kind}" for part in "ab" for kind in kinds]
    assert [layer.name for layer in model.layers[1:]] == expected


def test_units_can_do_without_bias():
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, conv_bn_relu(inputs, 4, use_bias=False, name="a"))
    assert model.count_params() == 3 * 3 * 3 * 4 + 4 * 4
