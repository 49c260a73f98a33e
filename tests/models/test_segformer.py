import keras
import numpy as np
import pytest

from kseg.models import get_model
from tests.tiny import tiny_options

TINY = tiny_options("segformer")


def test_keys_and_values_are_reduced_to_stride_32_at_every_stage():
    model = get_model("segformer", 2, (96, 128, 3), **TINY)
    for stage in range(4):
        layer = model.get_layer(f"enc{stage}_0_attn_map")
        query, key, value = (x.shape[1:3] for x in layer.input)
        assert query == (96 // 2 ** (stage + 2), 128 // 2 ** (stage + 2))
        assert key == value == (3, 4)


def test_an_alias_stands_for_a_size():
    names = [layer.name for layer in get_model("segformer_b2", **TINY).layers]
    assert names == [layer.name for layer in get_model("segformer", size="b2", **TINY).layers]


def test_the_decoder_sees_all_four_stages():
    model = get_model("segformer", 2, (64, 64, 3), **TINY)
    shapes = [x.shape for x in model.get_layer("dec_concat").input]
    assert shapes == [(None, 16, 16, 32)] * 4


def test_stochastic_depth_can_be_switched_off():
    model = get_model("segformer", drop_path=0.0, dropout=0.0, **TINY)
    images = np.random.default_rng(0).random((2, 64, 64, 3)).astype("float32")
    assert not [layer for layer in model.layers if layer.name.endswith("droppath")]
    features = keras.Model(model.input, model.get_layer("dec_concat").output)
    first, second = (features(images, training=training) for training in (True, False))
    np.testing.assert_allclose(*map(keras.ops.convert_to_numpy, (first, second)), atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"size": "b9"}, "size to be one of 'b0', .*; got 'b9'"), ({"width": 0.01}, "width >= ")],
)
def test_a_bad_option_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        get_model("segformer", **options)
