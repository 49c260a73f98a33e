import statistics

import keras
import numpy as np
import pytest

from kseg.layers.transformer import add_branch, drop_path_rates, embed_patches
from kseg.layers.transformer_layers import Gelu, LayerScale, MapAttention, PositionEmbedding

rng = np.random.default_rng(0)


def normal(*shape):
    return rng.normal(size=shape).astype("float32")


def numpy_attention(query, key, value):
    """Attend with one head for one image, `(tokens, channels)` each."""
    scores = np.exp(query @ key.T / np.sqrt(query.shape[-1]))
    return scores / scores.sum(-1, keepdims=True) @ value


@pytest.mark.parametrize("heads", [1, 3])
def test_attention_between_maps_is_scaled_dot_product_attention(heads):
    query, key, value = normal(2, 4, 5, 6), normal(2, 2, 3, 6), normal(2, 2, 3, 6)
    result = keras.ops.convert_to_numpy(MapAttention(heads)([query, key, value]))
    width = 6 // heads
    for image in range(2):
        tokens = [x[image].reshape(-1, 6) for x in (query, key, value)]
        for head in range(heads):
            channels = slice(head * width, (head + 1) * width)
            expected = numpy_attention(*(x[:, channels] for x in tokens)).reshape(4, 5, width)
            np.testing.assert_allclose(result[image, ..., channels], expected, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_attention_in_half_precision_is_near_to_that_in_float32(policy):
    maps = normal(2, 4, 5, 6), normal(2, 2, 3, 6), normal(2, 2, 3, 6)
    half = MapAttention(2, dtype=policy)(maps)
    assert keras.backend.standardize_dtype(half.dtype) == policy[6:]
    exact = keras.ops.convert_to_numpy(MapAttention(2, dtype="float32")(maps))
    half = keras.ops.convert_to_numpy(keras.ops.cast(half, "float32"))
    np.testing.assert_allclose(half, exact, atol=0.05)


def test_attention_counts_scores_and_weighted_sum():
    shapes = [(1, 4, 5, 6), (1, 2, 3, 6), (1, 2, 3, 6)]
    assert MapAttention(2).macs(*shapes) == 2 * (20 * 6 * 6)


def test_attention_refuses_channels_that_the_heads_cannot_share():
    with pytest.raises(ValueError, match="6 channels cannot be divided among 4 heads"):
        MapAttention(4)([normal(1, 2, 2, 6)] * 3)


def test_positions_are_added_as_learned_on_their_own_grid():
    layer = PositionEmbedding(3)
    result = layer(np.zeros((2, 3, 3, 4), "float32"))
    expected = np.repeat(layer.get_weights()[0], 2, axis=0)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(result), expected)


def test_positions_are_interpolated_between_cell_centres_on_other_maps():
    layer = PositionEmbedding(2)
    layer.build((None, 4, 6, 1))
    layer.set_weights([np.array([[0, 0], [4, 4]], "float32").reshape(1, 2, 2, 1)])
    result = keras.ops.convert_to_numpy(layer(np.ones((1, 4, 6, 1), "float32")))
    np.testing.assert_allclose(result[0, :, 0, 0], [1, 2, 4, 5], atol=1e-5)
    np.testing.assert_allclose(result, np.repeat(result[:, :, :1], 6, axis=2), atol=1e-5)


def test_gelu_is_x_times_the_normal_distribution_function():
    x = np.linspace(-4, 4, 9, dtype="float32")
    expected = [value * statistics.NormalDist().cdf(value) for value in x]
    np.testing.assert_allclose(keras.ops.convert_to_numpy(Gelu()(x)), expected, atol=1e-5)


def test_layer_scale_starts_small():
    result = LayerScale()(np.full((1, 2, 2, 3), 5, "float32"))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(result), 0.05, rtol=1e-6)


def test_drop_path_skips_whole_images_in_training_only():
    inputs = keras.Input((None, None, 2))
    model = keras.Model(inputs, add_branch(inputs, inputs, drop_path=0.5, name="block"))
    ones = np.ones((64, 3, 3, 2), "float32")
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model(ones, training=False)), 2)
    per_image = keras.ops.convert_to_numpy(model(ones, training=True)).reshape(64, -1)
    assert (per_image == per_image[:, :1]).all()
    assert set(per_image[:, 0]) == {1, 3}


def test_drop_path_rates_grow_linearly():
    assert drop_path_rates(0.2, 5) == pytest.approx([0, 0.05, 0.1, 0.15, 0.2])
    assert drop_path_rates(0.2, 1) == [0]


def test_embedded_patches_are_centred():
    inputs = keras.Input((8, 8, 1))
    patches = embed_patches(inputs, 1, 3, strides=2, name="embed", kernel_initializer="ones")
    model = keras.Model(inputs, patches)
    image = np.zeros((1, 8, 8, 1), "float32")
    image[0, 0, 0] = image[0, 7, 7] = 1
    result = keras.ops.convert_to_numpy(model(image, training=False))[0, ..., 0]
    # The patch around (0, 0) sees the first pixel, the one around (6, 6) the last.
    assert np.argwhere(result).tolist() == [[0, 0], [3, 3]]
