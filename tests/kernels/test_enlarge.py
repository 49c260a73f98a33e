"""Nearest upsampling by TensorFlow's kernel gives each value a block of its own."""

import keras
import numpy as np
import pytest
from keras import layers

from kseg.kernels import use_own_kernels

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="kernels of TensorFlow"
)


@pytest.mark.parametrize("factor", [*range(1, 49), 55, 61])
def test_each_value_becomes_a_block(factor):
    layer = layers.UpSampling2D((factor, 1))
    model = keras.Sequential([keras.Input((None, 1, 1)), layer])
    use_own_kernels(model, jit=False)
    for length in (1, 2, 5, 41, 300):
        values = np.arange(length, dtype="float32").reshape(1, -1, 1, 1)
        enlarged = keras.ops.convert_to_numpy(model(values))
        np.testing.assert_array_equal(enlarged, values.repeat(factor, 1))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint32"])
def test_maps_that_no_convolution_takes_are_enlarged_too(dtype):
    model = keras.Sequential([keras.Input((2, 3, 1), dtype=dtype), layers.UpSampling2D(2)])
    use_own_kernels(model, jit=False)
    values = np.random.default_rng(0).integers(0, 2, (1, 2, 3, 1)).astype(dtype)
    enlarged = keras.ops.convert_to_numpy(model(values))
    np.testing.assert_array_equal(enlarged, values.repeat(2, 1).repeat(2, 2))


@pytest.mark.parametrize(("small", "large"), [("float32", "int32"), ("uint8", "float32")])
def test_whole_numbers_may_be_merged_with_enlarged_maps(small, large):
    inputs = keras.Input((2, 3, 4), dtype=small), keras.Input((4, 6, 1), dtype=large)
    x = layers.Concatenate()([layers.UpSampling2D(2)(inputs[0]), inputs[1]])
    model = keras.Model(inputs, layers.Conv2D(3, 3, padding="same")(x))
    rng = np.random.default_rng(0)
    maps = [rng.integers(0, 9, (2, *x.shape[1:])).astype(x.dtype) for x in inputs]
    expected = keras.ops.convert_to_numpy(model(maps))
    use_own_kernels(model, jit=False)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model(maps)), expected, atol=1e-5)
