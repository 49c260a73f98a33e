import keras
import numpy as np

from kseg.layers.standardized import StandardizedConv2D, group_norm


def test_the_kernel_is_standardised_for_each_output_channel():
    x = np.random.default_rng(0).normal(size=(1, 6, 7, 3)).astype("float32")
    layer = StandardizedConv2D(4, 3, strides=2, padding="same")
    result = keras.ops.convert_to_numpy(layer(x))
    kernel, bias = layer.get_weights()
    deviation = np.sqrt(kernel.var((0, 1, 2)) + 1e-5)
    plain = keras.layers.Conv2D(4, 3, strides=2, padding="same")
    plain.build(x.shape)
    plain.set_weights([(kernel - kernel.mean((0, 1, 2))) / deviation, bias])
    np.testing.assert_allclose(result, keras.ops.convert_to_numpy(plain(x)), atol=1e-5)


def test_groups_are_fewer_where_they_do_not_divide_the_channels():
    model_input = keras.Input((None, None, 48))
    model = keras.Model(model_input, group_norm(model_input, name="norm"))
    assert model.get_layer("norm").groups == 16
