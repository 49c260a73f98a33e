import keras
import numpy as np

from kseg.layers.instance import InstanceNormalization


def normalised(images):
    layer = InstanceNormalization()
    layer.build(images.shape)
    layer.set_weights([np.array([1, 2, 0.5], "float32"), np.array([0, -1, 3], "float32")])
    return keras.ops.convert_to_numpy(layer(images))


def test_each_channel_of_each_image_is_normalised_by_itself():
    images = np.random.default_rng(0).normal(5, [1, 3, 9], (2, 6, 7, 3)).astype("float32")
    mean, std = images.mean((1, 2), keepdims=True), images.std((1, 2), keepdims=True)
    expected = (images - mean) / std * [1, 2, 0.5] + [0, -1, 3]
    np.testing.assert_allclose(normalised(images), expected, atol=1e-4)


def test_a_map_of_one_pixel_becomes_beta():
    images = np.full((1, 1, 1, 3), 200.3, "float32")
    np.testing.assert_array_equal(normalised(images), [[[[0, -1, 3]]]])


def test_rounding_in_bright_flat_maps_is_not_blown_up():
    # The mean of squares minus the squared mean can be below -epsilon here: the result is NaN.
    images = np.full((1, 64, 64, 3), 200.3, "float32")
    assert (np.abs(normalised(images) - [0, -1, 3]) <= [1, 2, 0.5]).all()


def test_half_precision_keeps_statistics_in_float32():
    # The squares of these values overflow float16, and bfloat16 holds two digits of them.
    images = np.random.default_rng(0).normal(1000, 300, (1, 16, 16, 3)).astype("float32")
    for policy in ("mixed_float16", "mixed_bfloat16", "float16", "bfloat16"):
        layer = InstanceNormalization(dtype=policy)
        result = layer(images)
        assert keras.backend.standardize_dtype(result.dtype) == layer.compute_dtype
        result = keras.ops.convert_to_numpy(keras.ops.cast(result, "float32"))
        np.testing.assert_allclose(result.mean((1, 2)), 0, atol=0.02)
        np.testing.assert_allclose(result.std((1, 2)), 1, atol=0.02)
