import numpy as np
import pytest
from keras import ops

from kseg.layers.position_attention import PositionAttention


def test_each_place_gets_the_softmax_weighted_mean_of_all_values():
    rng = np.random.default_rng(0)
    query, key = rng.normal(size=(2, 2, 3, 4, 5)).astype("float32")
    value = rng.normal(size=(2, 3, 4, 7)).astype("float32")
    result = ops.convert_to_numpy(PositionAttention()([query, key, value]))
    assert result.shape == value.shape
    for n, i, j in np.ndindex(2, 3, 4):
        weights = np.exp((key[n] @ query[n, i, j]).ravel())
        expected = weights / weights.sum() @ value[n].reshape(12, 7)
        np.testing.assert_allclose(result[n, i, j], expected, rtol=1e-4, atol=1e-5)


def test_scores_and_mean_are_counted():
    assert PositionAttention().macs((1, 3, 4, 5), (1, 3, 4, 5), (1, 3, 4, 7)) == 144 * (5 + 7)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_scores_too_large_for_half_precision_are_weighted_too(policy):
    # The scalar products are up to about 100,000; float16 ends at 65504.
    rng = np.random.default_rng(0)
    maps = [(rng.normal(size=(1, 3, 4, 64)) * size).astype("float16") for size in (40, 40, 1)]
    maps[1] = maps[0]
    # Rounded as the layer's input is.
    maps = [ops.convert_to_numpy(ops.cast(ops.cast(x, policy[6:]), "float32")) for x in maps]
    half = ops.cast(PositionAttention(dtype=policy)(maps), "float32")
    exact = ops.convert_to_numpy(PositionAttention(dtype="float32")(maps))
    np.testing.assert_allclose(ops.convert_to_numpy(half), exact, atol=0.02)
