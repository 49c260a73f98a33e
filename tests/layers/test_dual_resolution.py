import keras
import numpy as np
import pytest
from keras import ops

from kseg.layers.dual_resolution import basic_chain, context_pyramid
from kseg.layers.pooling import average_pool


def padded_means(x, size, strides):
    """Pool with zeros beyond the border that count, window by window."""
    half = size // 2
    x = np.pad(x, [(0, 0), (half, half), (half, half), (0, 0)])
    rows, columns = (range(0, n - size + 1, strides) for n in x.shape[1:3])
    return np.stack(
        [
            np.stack([x[:, i : i + size, j : j + size].mean((1, 2)) for j in columns], 1)
            for i in rows
        ],
        1,
    )


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (16, 32)])
@pytest.mark.parametrize(("size", "strides"), [(3, 2), (5, 2), (9, 4), (17, 8)])
def test_average_pool_counts_zeros_beyond_the_border(shape, size, strides):
    x = np.random.default_rng(0).normal(size=(2, *shape, 3)).astype("float32")
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, average_pool(inputs, size, strides, name="pool"))
    pooled = ops.convert_to_numpy(model(x))
    assert pooled.shape[1:3] == tuple(-(-length // strides) for length in shape)
    np.testing.assert_allclose(pooled, padded_means(x, size, strides), atol=1e-6)


@pytest.mark.parametrize("parallel", [False, True])
def test_the_pyramid_fits_any_map(parallel):
    inputs = keras.Input((None, None, 6))
    outputs = context_pyramid(inputs, 4, 5, parallel=parallel, name="context")
    model = keras.Model(inputs, outputs)
    for size in [(1, 1), (1, 2), (5, 3)]:
        assert model(np.ones((2, *size, 6), "float32")).shape == (2, *size, 5)


def test_scales_are_refined_one_after_the_other_or_side_by_side():
    inputs = keras.Input((4, 4, 6))
    for parallel, scale in ((False, "context_mix1_conv"), (True, "context_scale0_conv")):
        model = keras.Model(
            inputs, context_pyramid(inputs, 4, 5, parallel=parallel, name="context")
        )
        added = [x.name for x in model.get_layer("context_add2").input]
        assert model.get_layer(scale).output.name in added


def test_a_chain_ends_before_its_last_relu():
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, basic_chain(inputs, 4, 2, strides=2, name="stage"))
    assert model.output_shape == (None, 4, 4, 4)
    names = [layer.name for layer in model.layers]
    assert "stage_0_out_relu" in names
    assert "stage_1_out_relu" not in names
