import numpy as np
import pytest

from kseg.models import get_model, without_aux_heads
from kseg.models.cost import count_macs
from tests.tiny import tiny_options

TINY = tiny_options("ddrnet_23_slim")


def test_the_cost_is_that_of_the_paper():
    # The paper's GFLOPs are multiply-adds.
    model = get_model("ddrnet_23_slim", 19)
    assert count_macs(model, (1024, 2048)) == pytest.approx(36.3e9, rel=0.005)


def test_the_auxiliary_head_answers_at_the_size_of_the_image():
    model = get_model("ddrnet_23_slim", 3, aux_heads=True, **TINY)
    outputs = model(np.zeros((1, 67, 71, 3), "float32"), training=False)
    assert {key: tuple(x.shape) for key, x in outputs.items()} == {
        "logits": (1, 67, 71, 3),
        "aux1": (1, 67, 71, 3),
    }


def test_the_auxiliary_head_leaves_the_answering_part_alone():
    model = get_model("ddrnet_23_slim", aux_heads=True, **TINY)
    plain = get_model("ddrnet_23_slim", **TINY)
    assert without_aux_heads(model).count_params() == plain.count_params()


@pytest.mark.parametrize("option", ["width", "pyramid_filters", "head_filters"])
def test_a_width_below_one_is_named(option):
    with pytest.raises(ValueError, match=f"ddrnet_23_slim needs {option} >= 1, got 0"):
        get_model("ddrnet_23_slim", **{option: 0})
