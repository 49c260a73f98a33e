import keras
import numpy as np
import pytest

from kseg.encoders import freeze_encoder
from kseg.models import get_model, list_models, pooled_normalisation
from tests.conftest import ROOT
from tests.tiny import tiny_options


def normalisations(model):
    kind = keras.layers.BatchNormalization
    return [layer for layer in model._flatten_layers() if isinstance(layer, kind)]


@pytest.mark.parametrize("name", list_models())
def test_these_are_the_normalisations_without_variance_in_a_batch_of_one_image(name):
    keras.utils.set_random_seed(0)
    model = get_model(name, 2, **tiny_options(name))
    for layer in normalisations(model):
        layer.momentum = 0.0
    image = np.random.default_rng(0).random((1, 64, 64, 3), "float32")
    model(image, training=True)
    variances = {layer.name: np.max(layer.moving_variance) for layer in normalisations(model)}
    expected = {name for name, variance in variances.items() if variance == 0}
    assert set(pooled_normalisation(model, (64, 64))) == expected


def test_the_page_lists_the_models_that_need_two_images():
    found = {n for n in list_models() if pooled_normalisation(get_model(n, **tiny_options(n)))}
    page = (ROOT / "docs/models/README.md").read_text("utf-8")
    paragraph = page.split("## Batches of one image")[1].split("\n\n")[2]
    assert {word.strip(",.") for word in paragraph.split("`")[1::2]} == found


def test_frozen_normalisation_can_do_with_one_image():
    model = get_model("unet", 2, (32, 32, 3), encoder="mobilenetv2")
    assert pooled_normalisation(model)
    freeze_encoder(model)
    assert not [name for name in pooled_normalisation(model) if "block" in name]
