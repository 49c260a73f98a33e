import keras
import numpy as np
import pytest
from keras import layers

from kseg.layers.fcn import BilinearUpsampling

MAP = np.random.default_rng(0).normal(size=(1, 5, 6, 3)).astype("float32")


def enlarge(factor, kernel_size):
    start = BilinearUpsampling(factor)
    conv = layers.Conv2DTranspose(
        3, kernel_size, strides=factor, padding="same", kernel_initializer=start
    )
    return keras.ops.convert_to_numpy(conv(MAP))


@pytest.mark.parametrize("factor", [2, 8])
def test_a_transposed_convolution_starts_as_bilinear_interpolation(factor):
    expected = layers.UpSampling2D(factor, interpolation="bilinear")(MAP)
    expected = keras.ops.convert_to_numpy(expected)
    # Beyond the border the transposed convolution sees zeros, the resize repeats the edge.
    inside = (slice(None), slice(factor, -factor), slice(factor, -factor))
    np.testing.assert_allclose(enlarge(factor, 2 * factor)[inside], expected[inside], atol=1e-5)


@pytest.mark.parametrize("factor", [2, 8])
def test_without_overlap_it_starts_as_nearest_interpolation(factor):
    expected = MAP.repeat(factor, axis=1).repeat(factor, axis=2)
    np.testing.assert_allclose(enlarge(factor, factor), expected, atol=1e-6)
