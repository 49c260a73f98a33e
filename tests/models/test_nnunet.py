import keras
import numpy as np
import pytest

from kseg.models import get_model

SMALL = {
    "plain_unet": {"filters": 4, "stages": 3},
    "resenc_unet": {"filters": 4, "blocks": (1, 2, 2)},
}
each = pytest.mark.parametrize("name", SMALL)


@pytest.mark.parametrize(
    ("name", "expected"), [("plain_unet", 20_619_658), ("resenc_unet", 71_817_162)]
)
def test_counts_are_exactly_those_of_dynamic_network_architectures(name, expected):
    # That package (0.4.4) builds a head on every decoder stage, used or not.
    assert get_model(name, 2, deep_supervision=True).count_params() == expected


@each
def test_deep_supervision_scores_every_decoder_stage(name):
    model = get_model(name, 3, deep_supervision=True, **SMALL[name])
    outputs = model(np.zeros((1, 67, 71, 3), "float32"))
    assert set(outputs) == {"logits", "aux1"}
    assert {tuple(x.shape) for x in outputs.values()} == {(1, 67, 71, 3)}


@each
def test_widths_double_up_to_the_largest(name):
    model = get_model(name, 2, (64, 64, 3), max_filters=6, **SMALL[name])
    last = "a" if name == "resenc_unet" else "1"
    block = "_1" if name == "resenc_unet" else ""
    convs = [model.get_layer(f"enc{stage}{block}_{last}_conv") for stage in (1, 2)]
    assert [conv.filters for conv in convs] == [6, 6]


@each
def test_images_of_one_coarse_pixel_still_give_finite_scores_that_depend_on_them(name):
    options = {"filters": 4, "max_filters": 8}
    model = get_model(name, 2, **options)
    images = np.random.default_rng(0).uniform(size=(2, 32, 32, 3)).astype("float32")
    logits = keras.ops.convert_to_numpy(model(images))
    assert np.isfinite(logits).all()
    assert np.abs(logits[0] - logits[1]).max() > 1e-3


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("plain_unet", {"stages": 1}, "plain_unet needs stages >= 2, got 1"),
        ("nnunet", {"convolutions": 0}, "plain_unet needs convolutions >= 1, got 0"),
        ("resenc_unet", {"blocks": (1,)}, r"blocks to be two or more numbers >= 1, got \(1,\)"),
    ],
)
def test_a_bad_option_is_named(name, options, message):
    with pytest.raises(ValueError, match=message):
        get_model(name, **options)
