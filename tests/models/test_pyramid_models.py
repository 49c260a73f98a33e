import keras
import numpy as np
import pytest

from kseg.models import get_model
from tests.tiny import tiny_options

IMAGES = np.random.default_rng(0).normal(size=(1, 67, 71, 3)).astype("float32")


def layer_names(model):
    return {layer.name for layer in model.layers}


@pytest.mark.parametrize(
    ("name", "options", "heads"),
    [
        ("icnet", {}, {"logits", "aux1", "aux2"}),
        ("pspnet", {}, {"logits", "aux1"}),
        ("pspnet", {"encoder": "resnet18"}, {"logits", "aux1"}),
        ("upernet", {}, {"logits", "aux1"}),
    ],
)
def test_every_head_answers_at_input_size(name, options, heads):
    model = get_model(name, 3, aux_heads=True, **{**tiny_options(name), **options})
    outputs = model(IMAGES, training=False)
    assert set(outputs) == heads
    for logits in outputs.values():
        assert logits.shape == (1, 67, 71, 3)
        assert keras.backend.standardize_dtype(logits.dtype) == "float32"


@pytest.mark.parametrize("name", ["icnet", "pspnet", "upernet"])
def test_heads_for_training_leave_the_answer_as_it_is(name):
    plain = get_model(name, 3, **tiny_options(name))
    both = get_model(name, 3, aux_heads=True, **tiny_options(name))
    for layer in plain.layers:
        both.get_layer(layer.name).set_weights(layer.get_weights())
    logits = both(IMAGES, training=False)["logits"]
    np.testing.assert_allclose(
        *(keras.ops.convert_to_numpy(x) for x in (plain(IMAGES, training=False), logits)), atol=1e-5
    )


def test_the_legacy_pspnet_leaves_the_pyramid_out():
    legacy = get_model("pspnet", variant="legacy")
    assert legacy.count_params() == 964_226
    assert not [name for name in layer_names(legacy) if name.startswith("psp")]


def test_pspnets_branches_share_the_channels_of_an_encoder():
    model = get_model("pspnet", encoder="resnet18", filters=4)
    assert model.get_layer("psp_bin6_conv").filters == 512 // 4
    assert model.get_layer("psp_concat").output.shape[-1] == 2 * 512


def test_pspnet_reads_an_encoder_at_stride_8():
    model = get_model("pspnet", 2, (96, 64, 3), encoder="resnet18", filters=4)
    assert model.get_layer("psp_concat").output.shape[1:3] == (12, 8)


def test_deeplab_v2_scores_are_linear_and_summed_over_the_branches():
    model = get_model("deeplab_v2", 3, filters=1, rates=(1, 3, 5))
    heads = [model.get_layer(f"head_{rate}_conv") for rate in (1, 3, 5)]
    for value, layer in enumerate(heads, start=1):
        layer.set_weights([np.zeros(layer.kernel.shape), np.full(3, -value)])
    logits = keras.ops.convert_to_numpy(model(IMAGES, training=False))
    np.testing.assert_allclose(logits, -6, atol=1e-5)


def test_deeplab_v2_keeps_an_eighth_of_the_size():
    model = get_model("deeplab_v2", 3, (64, 96, 3), **tiny_options("deeplab_v2"))
    assert model.get_layer("enc4_pool").output.shape[1:3] == (8, 12)
    assert [model.get_layer(f"enc4_{part}_conv").dilation_rate for part in "abc"] == [(2, 2)] * 3


def test_hrnet_v1_ends_with_its_finest_branch_and_v2_joins_all():
    first, second = (
        get_model("hrnet", head=head, **tiny_options("hrnet")) for head in ("v1", "v2")
    )
    assert "stage4_0_fuse0_add" in layer_names(first) & layer_names(second)
    assert "stage4_0_fuse1_add" in layer_names(second) - layer_names(first)
    assert second.get_layer("dec_conv").filters == 4 * (1 + 2 + 4 + 8)


def test_every_branch_of_hrnet_reaches_every_other():
    model = get_model("hrnet", head="v2", **tiny_options("hrnet"))
    for target in range(4):
        assert len(model.get_layer(f"stage4_0_fuse{target}_add").input) == 4


def test_fpn_brings_every_level_to_a_quarter_of_the_size():
    model = get_model("fpn", 2, (64, 96, 3), **tiny_options("fpn"))
    maps = model.get_layer("head_add").input
    assert [x.shape[1:] for x in maps] == [(16, 24, 2)] * 4


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("icnet", {"filters": 0}, "icnet needs filters >= 1, got 0"),
        ("pspnet", {"variant": "paper"}, "one of 'default', 'legacy'; got 'paper'"),
        ("pspnet", {"variant": "legacy", "encoder": "resnet18"}, "pspnet with an encoder needs"),
        ("deeplab_v2", {"rates": ()}, "deeplab_v2 needs rates >= 1"),
        ("hrnet", {"head": "v3"}, "hrnet needs head to be one of 'v1', 'v2'; got 'v3'"),
        ("hrnet", {"modules": (1, 4)}, "stages in modules to be one of 3; got 2"),
        ("hrnet", {"modules": (1, 0, 1)}, "hrnet needs modules >= 1, got 0"),
        ("upernet", {"filters": 1}, "upernet needs filters >= 2"),
        ("fpn", {"filters": 1}, "fpn needs filters >= 2"),
    ],
)
def test_a_bad_option_is_named(name, options, message):
    with pytest.raises(ValueError, match=message):
        get_model(name, **options)
