import keras
import numpy as np
import pytest

from kseg.layers.standardized import StandardizedConv2D
from kseg.models import get_model
from tests.tiny import tiny_options

TINY = tiny_options("transunet")


def test_the_transformer_works_at_stride_16_and_the_skips_at_2_4_and_8():
    model = get_model("transunet", 2, (64, 96, 3), **TINY)
    assert model.get_layer("vit_norm").output.shape == (None, 4, 6, 16)
    skips = [model.get_layer(f"dec{level}_concat").input[0].shape[1:] for level in (1, 2, 3)]
    assert skips == [(32, 48, 8), (16, 24, 32), (8, 12, 64)]


def test_the_position_embedding_is_learned_at_the_stated_grid():
    layer = get_model("transunet", **TINY).get_layer("vit_position")
    assert layer.embedding.shape == (1, 3, 3, 16)


def test_positions_matter():
    model = get_model("transunet", **{**TINY, "grid": 2})
    before = keras.Model(model.input, model.get_layer("vit_position").output)
    flat = np.full((1, 64, 64, 3), 0.5, "float32")
    places = keras.ops.convert_to_numpy(before(flat, training=False))[0]
    # Away from the border a flat image looks the same everywhere but for its positions.
    assert np.abs(places[1, 1] - places[2, 2]).max() > 1e-3


def test_all_convolutions_of_the_resnet_are_standardised():
    model = get_model("transunet", **TINY)
    convs = [x for x in model.layers if x.name.startswith(("stem", "enc")) and "conv" in x.name]
    assert len(convs) == 1 + 3 * 4
    assert all(isinstance(layer, StandardizedConv2D) for layer in convs)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filters": 2}, "filters >= 4, got 2"),
        ({"filters": 10}, "multiple of 4, got 10"),
        ({"blocks": (3, 4)}, r"three stages, got blocks=\(3, 4\)"),
        ({"hidden": 100}, "hidden=100, heads=12"),
        ({"depth": 0}, "depth >= 1, got 0"),
    ],
)
def test_a_bad_option_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        get_model("transunet", **options)
