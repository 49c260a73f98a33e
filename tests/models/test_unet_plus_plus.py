import keras
import numpy as np
import pytest

from kseg.models import get_model


def test_a_pointwise_head_saves_its_weights():
    assert get_model("unet++", head_kernel=1).count_params() == 9_170_658


def test_every_node_sees_those_before_it_and_the_one_below():
    model = get_model("unet++", filters=4)
    inputs = model.get_layer("node03_concat").input
    before = ["enc0_b_relu", "node01_b_relu", "node02_b_relu", "node03_up"]
    assert [keras_tensor.name for keras_tensor in inputs] == [
        model.get_layer(name).output.name for name in before
    ]
    assert model.get_layer("node03_up").input is model.get_layer("node12_b_relu").output


@pytest.mark.parametrize(
    ("options", "heads"),
    [({"filters": 4, "levels": 4}, 2), ({"encoder": "resnet18"}, 3), ({"encoder": "vgg16"}, 4)],
)
def test_deep_supervision_adds_a_head_per_shorter_network(options, heads):
    model = get_model("unet++", 3, deep_supervision=True, **options)
    outputs = model(np.ones((1, 67, 71, 3), "float32"), training=False)
    assert sorted(outputs) == [*(f"aux{index + 1}" for index in range(heads)), "logits"]
    for output in outputs.values():
        assert keras.ops.shape(output) == (1, 67, 71, 3)
        assert keras.backend.standardize_dtype(output.dtype) == "float32"


def test_a_bad_value_is_named():
    with pytest.raises(ValueError, match=r"unet\+\+ needs head_kernel >= 1, got 0"):
        get_model("unet++", head_kernel=0)
