import keras
import numpy as np
import pytest
from keras import layers

from kseg.models import get_model
from tests.tiny import tiny_options

NAME = "unet_xception_resnetblock"


@pytest.fixture(scope="module")
def model():
    return get_model(NAME, **tiny_options(NAME))


def test_the_encoder_is_one_model_that_can_be_frozen(model):
    encoder = model.get_layer("encoder")
    encoder.trainable = False
    frozen = {id(weight) for weight in encoder.weights}
    assert model.trainable_weights
    assert not any(id(weight) in frozen for weight in model.trainable_weights)
    encoder.trainable = True


def test_the_encoder_is_the_xception_of_keras_without_its_unused_end(model):
    encoder = model.get_layer("encoder")
    stock = keras.applications.Xception(include_top=False, weights=None)
    kept = {layer.name for layer in stock.layers if layer.name.startswith("block")}
    kept -= {"block13_pool", *(name for name in kept if name.startswith("block14"))}
    assert {layer.name for layer in encoder.layers if layer.name.startswith("block")} == kept


def test_the_layers_of_the_encoder_have_the_same_names_each_time(model):
    again = get_model(NAME, **tiny_options(NAME)).get_layer("encoder")
    names = [layer.name for layer in model.get_layer("encoder").layers]
    assert names == [layer.name for layer in again.layers]


def test_skips_lie_where_the_cells_of_the_decoder_are(model):
    # With positive weights everywhere the response to one pixel spreads around its place.
    positive = get_model(NAME, **tiny_options(NAME))
    for layer in positive.get_layer("encoder").layers:
        if isinstance(layer, (layers.Conv2D, layers.SeparableConv2D)):
            weights = layer.get_weights()
            layer.set_weights([np.full_like(w, 1 / np.prod(w.shape[:3])) for w in weights])
    skips = [positive.get_layer(f"enc{level}_pad").output for level in (1, 2)]
    image = np.zeros((1, 96, 96, 3), "float32")
    image[0, 47:49, 47:49] = 1
    for stride, response in zip((2, 4), keras.Model(positive.input, skips)(image), strict=True):
        response = keras.ops.convert_to_numpy(response)[0].sum(-1)
        assert response.shape == (96 // stride, 96 // stride)
        centres = (np.arange(96 // stride) + 0.5) * stride
        for axis in (0, 1):
            middle = np.average(centres, weights=response.sum(axis))
            assert middle == pytest.approx(48, abs=0.75 * stride)
