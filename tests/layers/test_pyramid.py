import keras
import numpy as np
import pytest

from kseg.layers.conv import conv_relu_bn
from kseg.layers.fpn import top_down
from kseg.layers.pyramid import pyramid_branches, pyramid_pooling


def run(model, x):
    return keras.ops.convert_to_numpy(model(x, training=False))


def random_features(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def test_one_bin_is_the_mean_and_as_many_bins_as_rows_change_nothing():
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, pyramid_branches(inputs, bins=(1, 4), name="psp"))
    x = random_features(2, 4, 4, 3)
    mean, same = (keras.ops.convert_to_numpy(branch) for branch in model(x))
    np.testing.assert_allclose(
        mean, np.broadcast_to(x.mean((1, 2), keepdims=True), x.shape), atol=1e-6
    )
    np.testing.assert_allclose(same, x, atol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (7, 7)])
def test_the_pyramid_fits_maps_of_any_size(size):
    inputs = keras.Input((None, None, 8))
    model = keras.Model(inputs, pyramid_pooling(inputs, 2, name="psp"))
    x = random_features(1, *size, 8)
    result = run(model, x)
    assert result.shape == (1, *size, 8 + 4 * 2)
    np.testing.assert_array_equal(result[..., :8], x)


def test_weights_have_one_order_whatever_the_size():
    orders = []
    for size in (None, 2, 6, 16):
        inputs = keras.Input((size, size, 8))
        model = keras.Model(inputs, pyramid_pooling(inputs, 2, unit=conv_relu_bn, name="psp"))
        orders.append([weight.path for weight in model.weights])
    assert all(order == orders[0] for order in orders)


def test_top_down_adds_what_is_coarser():
    sizes = (8, 4, 2)
    inputs = [keras.Input((size, size, 1)) for size in sizes]
    model = keras.Model(inputs, top_down(inputs, name="fpn"))
    maps = [np.full((1, size, size, 1), 10.0**level) for level, size in enumerate(sizes)]
    sums = [keras.ops.convert_to_numpy(x) for x in model(maps)]
    assert [np.unique(x).tolist() for x in sums] == [[111], [110], [100]]
    assert [x.shape[1] for x in sums] == list(sizes)
