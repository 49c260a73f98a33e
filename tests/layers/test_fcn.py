import keras
import numpy as np
import pytest
from keras import layers

from kseg.layers.fcn import BilinearUpsampling, fcn8_scores

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


@pytest.mark.parametrize("overlap", [True, False])
def test_a_score_reaches_beyond_its_square(overlap):
    """Squares that meet at a step cannot follow an edge."""
    image, *features = (keras.Input((64 // stride, 64 // stride, 3)) for stride in (1, 8, 16, 32))
    model = keras.Model(features, fcn8_scores(*features, 2, like=image, overlap=overlap))
    kernels = 2 * 2 * (2 * (4**2 if overlap else 2**2) + (16**2 if overlap else 8**2))
    scores = 3 * (3 * 2 + 2)
    assert model.count_params() == kernels + scores + 3 * 2
    maps = [np.zeros((2, *tensor.shape[1:]), "float32") for tensor in features]
    maps[0][0, 4, 4] = 1
    with_one, without = keras.ops.convert_to_numpy(model(maps))
    rows, columns = np.nonzero(np.abs(with_one - without).max(-1))
    for reached in (rows, columns):
        assert reached.min() in range(25, 32)
        assert reached.max() in range(40, 48)
    assert with_one.shape == (64, 64, 2)
