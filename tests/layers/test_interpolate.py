import keras
import numpy as np
import pytest

from kseg.layers.interpolate import resize_bilinear


@pytest.mark.parametrize("size", [(4, 6), (9, 5), (3, 13), (1, 1)])
def test_it_equals_the_image_operation_of_keras(size):
    x = np.random.default_rng(0).normal(size=(2, 4, 6, 3)).astype("float32")
    result = resize_bilinear(keras.ops.convert_to_tensor(x), size)
    expected = keras.ops.image.resize(x, size, interpolation="bilinear", antialias=False)
    result, expected = (keras.ops.convert_to_numpy(y) for y in (result, expected))
    np.testing.assert_allclose(result, expected, atol=1e-5)
