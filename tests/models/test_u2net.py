import keras
import numpy as np
import pytest

from kseg.models import get_model
from tests.tiny import tiny_options


def trainable(model):
    return sum(np.prod(weight.shape) for weight in model.trainable_weights)


@pytest.mark.parametrize(("name", "expected"), [("u2net", 44_009_869), ("u2net_small", 1_131_181)])
def test_both_sizes_have_exactly_the_authors_trainable_weights(name, expected):
    assert trainable(get_model(name, 1)) == expected


def test_side_outputs_are_returned_and_cost_nothing_more():
    plain = get_model("u2net", 3, **tiny_options("u2net"))
    model = get_model("u2net", 3, deep_supervision=True, **tiny_options("u2net"))
    outputs = model(np.zeros((1, 67, 71, 3), "float32"))
    assert set(outputs) == {"logits", "aux1", "aux2", "aux3"}
    assert {tuple(x.shape) for x in outputs.values()} == {(1, 67, 71, 3)}
    assert model.count_params() == plain.count_params()


def test_the_logits_are_the_weighted_sum_of_the_side_outputs():
    model = get_model("u2net", 2, deep_supervision=True, **tiny_options("u2net"))
    images = np.random.default_rng(0).uniform(size=(1, 40, 48, 3)).astype("float32")
    outputs = {k: keras.ops.convert_to_numpy(v) for k, v in model(images).items()}
    kernel, bias = model.get_layer("head_conv").get_weights()
    sides = np.concatenate([outputs[f"aux{index}"] for index in (1, 2, 3)], axis=-1)
    np.testing.assert_allclose(outputs["logits"], sides @ kernel[0, 0] + bias, atol=1e-4)


def test_full_stages_widen_and_the_last_two_only_dilate():
    model = get_model("u2net", 2, (64, 64, 3), filters=8, heights=(4, 3, 2, 2))
    widths = [model.get_layer(f"enc{stage}_add").output.shape[-1] for stage in range(4)]
    assert widths == [8, 16, 32, 64]
    names = {layer.name for layer in model.layers}
    assert "enc1_down1_pool" in names
    assert not {"enc2_down1_pool", "enc3_down1_pool"} & names
    assert model.get_layer("enc3_down1_conv").dilation_rate == (2, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filters": 3}, "u2net needs filters >= 4, got 3"),
        ({"heights": (4, 4)}, r"heights to be 3 to 6 numbers >= 2, got \(4, 4\)"),
        ({"heights": (4, 1, 2)}, "heights to be 3 to 6 numbers"),
    ],
)
def test_a_bad_option_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        get_model("u2net", **options)
