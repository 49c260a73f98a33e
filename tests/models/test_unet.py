import keras
import numpy as np
import pytest

from kseg.models import get_model
from kseg.models.cost import count_macs
from tests.tiny import tiny_options

PAPER = {"variant": "paper", "filters": 64, "dropout": 0.5}
VGG = {"encoder": "vgg16", "variant": "paper", "decoder_filters": (512, 256, 128, 64)}
RESNET = {"encoder": "resnet50", "variant": "paper", "decoder_filters": (512, 256, 128, 64, 64)}


@pytest.mark.parametrize(
    ("classes", "options", "parameters"),
    [
        (2, {"variant": "legacy"}, 7_167_618),
        (2, PAPER, 31_031_810),
        (21, PAPER, 31_033_045),
        (21, VGG, 24_892_437),
        (21, RESNET, 44_013_781),
    ],
)
def test_older_u_nets_can_be_built(classes, options, parameters):
    assert get_model("unet", classes, **options).count_params() == parameters


@pytest.mark.parametrize(
    ("classes", "options", "size", "macs"),
    [
        (2, {"variant": "legacy"}, 224, 12_095_225_856),
        (21, PAPER, 320, 85_458_944_000),
        (21, VGG, 512, 225_485_783_040),
        (21, RESNET, 512, 90_559_217_664),
    ],
)
def test_older_u_nets_cost_what_they_did(classes, options, size, macs):
    assert count_macs(get_model("unet", classes, **options), (size, size)) == macs


def test_the_legacy_graph_has_no_block_after_the_first_concatenation():
    names = [layer.name for layer in get_model("unet", variant="legacy", filters=4).layers]
    assert "dec3_concat" in names
    assert "dec3_a_conv" not in names
    assert "dec2_a_conv" in names


def test_the_paper_has_no_batch_norm_and_dropout_in_the_two_coarsest_blocks():
    model = get_model("unet", variant="paper", dropout=0.5, filters=4)
    kinds = [type(layer) for layer in model.layers]
    assert keras.layers.BatchNormalization not in kinds
    dropped = [layer for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    assert [layer.name for layer in dropped] == ["enc3_dropout", "enc4_dropout"]
    assert model.get_layer("dec3_concat").input[0] is dropped[0].output
    assert model.get_layer("dec0_up_conv").kernel_size == (2, 2)
    assert model.get_layer("head_conv").kernel_size == (1, 1)


@pytest.mark.parametrize("encoder", ["resnet18", "vgg16"])
@pytest.mark.parametrize("name", ["unet", "unet++", "attunet"])
def test_a_decoder_over_an_encoder_takes_any_size(name, encoder):
    model = get_model(name, 3, encoder=encoder, decoder_filters=(8, 8, 4, 4, 4))
    images = np.random.default_rng(0).normal(size=(1, 67, 71, 3)).astype("float32")
    logits = keras.ops.convert_to_numpy(model(images, training=False))
    assert logits.shape == (1, 67, 71, 3)
    assert np.isfinite(logits).all()


def test_the_finest_features_of_vgg_are_used_at_full_size():
    model = get_model("unet", encoder="vgg16")
    assert model.get_layer("dec0_concat").output.shape[-1] == 64 + 32
    assert "dec0_concat" not in [layer.name for layer in get_model("unet_resnet50").layers]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variant": "old"}, "variant to be one of 'default', 'paper', 'legacy'; got 'old'"),
        ({"dropout": -0.1}, "dropout >= 0, got -0.1"),
        ({"decoder_filters": (4,) * 5}, "decoder_filters only together with an encoder"),
        ({"encoder": "resnet18", "variant": "legacy"}, "with an encoder needs variant"),
        ({"encoder": "resnet18", "filters": 8}, "over an encoder has no filters=8"),
        ({"encoder": "resnet18", "decoder_filters": (4,) * 4}, "to be 5 positive numbers"),
        ({"encoder": "vgg16", "decoder_filters": (4,) * 3}, "to be 4 or 5 positive numbers"),
    ],
)
def test_options_that_do_not_fit_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        get_model("unet", **options)


def test_dropout_is_no_part_of_the_answer():
    model = get_model("unet", dropout=0.5, **tiny_options("unet"))
    images = np.ones((1, 32, 32, 3), "float32")
    first, second = (keras.ops.convert_to_numpy(model(images, training=False)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
