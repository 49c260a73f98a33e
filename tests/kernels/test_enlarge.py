"""Nearest upsampling by TensorFlow's kernel gives each value a block of its own."""

import keras
import numpy as np
import pytest
from keras import layers

from kseg.kernels import use_own_kernels


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="kernels of TensorFlow")
@pytest.mark.parametrize("factor", [*range(1, 49), 55, 61])
def test_each_value_becomes_a_block(factor):
    layer = layers.UpSampling2D((factor, 1))
    model = keras.Sequential([keras.Input((None, 1, 1)), layer])
    use_own_kernels(model, jit=False)
    for length in (1, 2, 5, 41, 300):
        values = np.arange(length, dtype="float32").reshape(1, -1, 1, 1)
        enlarged = keras.ops.convert_to_numpy(model(values))
        np.testing.assert_array_equal(enlarged, values.repeat(factor, 1))
