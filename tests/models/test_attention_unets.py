import pytest

from kseg.models import get_model
from kseg.models.cost import count_macs

PAPER_GATE = {"gate_channels": 1, "gate_ratio": 2}


@pytest.mark.parametrize(
    ("name", "options", "parameters"),
    [
        ("attunet", {"gate_channels": 1}, 8_824_118),
        ("attunet", PAPER_GATE, 8_734_438),
        ("attunet", {"filters": 64, **PAPER_GATE}, 34_895_286),
        ("seunet", {"head_bn": False}, 1_964_530 - 4 * 2),
        ("scseunet", {"head_bn": False}, 1_959_266 - 4 * 2),
        ("scseunet", {"spatial_channels": 1}, 1_953_893),
    ],
)
def test_variants_have_the_known_number_of_parameters(name, options, parameters):
    assert get_model(name, **options).count_params() == parameters


def test_the_gate_is_opened_by_the_upsampled_features():
    model = get_model("attunet", filters=4, levels=3)
    assert model.get_layer("dec0_gate_gating_conv").input is model.get_layer("dec0_up_relu").output
    assert model.get_layer("dec0_gate_skip_conv").input is model.get_layer("enc0_b_relu").output
    gated, upsampled = model.get_layer("dec0_concat").input
    assert gated is model.get_layer("dec0_gate_scale").output
    assert upsampled is model.get_layer("dec0_up_relu").output


def test_squeeze_and_excitation_follows_every_block_and_skips_come_after_it():
    model = get_model("seunet")
    squeezed = [
        (layer.name.split("_")[0], layer.input.shape[-1] // layer.filters)
        for layer in model.layers
        if layer.name.endswith("squeeze_conv")
    ]
    encoder = [("enc0", 4), ("enc1", 8), ("enc2", 8), ("enc3", 16), ("enc4", 16)]
    assert squeezed == [*encoder, ("dec3", 16), ("dec2", 8), ("dec1", 4), ("dec0", 2)]
    assert model.get_layer("dec0_concat").input[0] is model.get_layer("enc0_se_scale").output


def test_concurrent_attention_follows_the_three_finest_decoder_blocks():
    ends = [layer.name for layer in get_model("scseunet").layers if "scse_add" in layer.name]
    assert ends == ["dec2_scse_add", "dec1_scse_add", "dec0_scse_add"]


def test_scores_are_normalised_in_float32():
    assert get_model("seunet").get_layer("head_bn").dtype_policy.name == "float32"


@pytest.mark.parametrize(
    ("options", "parameters", "macs"),
    [
        ({}, 10_663_298, 23_874_142_208),
        ({"recurrent_decoder": True}, 10_054_498, 29_834_248_192),
        ({"variant": "legacy"}, 16_958_530, 19_249_922_048),
    ],
)
def test_the_recurrent_attention_unets_cost_what_is_known(options, parameters, macs):
    model = get_model("r2attunet", 2, (224, 224, 3), **options)
    assert (model.count_params(), count_macs(model)) == (parameters, macs)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("attunet", {"gate_channels": 2}, "gate_channels to be one of None, 1; got 2"),
        ("attunet", {"gate_ratio": 0}, "attunet needs gate_ratio >= 1, got 0"),
        ("r2attunet", {"variant": "x"}, "variant to be one of 'default', 'legacy'; got 'x'"),
        ("r2attunet", {"levels": 1}, "r2attunet needs levels >= 2, got 1"),
        ("seunet", {"filters": 0}, "seunet needs filters >= 1, got 0"),
        ("scseunet", {"spatial_channels": 3}, "spatial_channels to be one of None, 1; got 3"),
    ],
)
def test_a_bad_value_is_named(name, options, message):
    with pytest.raises(ValueError, match=message):
        get_model(name, **options)
