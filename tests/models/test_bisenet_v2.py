import numpy as np
import pytest

from kseg.models import get_model, without_aux_heads
from tests.tiny import tiny_options

TINY = tiny_options("bisenet_v2")


def test_trainable_weights_are_those_of_the_public_build():
    model = get_model("bisenet_v2", 2)
    assert sum(np.prod(weight.shape) for weight in model.trainable_weights) == 3_341_202


def test_each_stage_of_the_semantic_branch_gets_an_auxiliary_head():
    model = get_model("bisenet_v2", 3, aux_heads=True, **TINY)
    outputs = model(np.zeros((1, 67, 71, 3), "float32"), training=False)
    assert set(outputs) == {"logits", "aux1", "aux2", "aux3", "aux4"}
    assert {tuple(x.shape) for x in outputs.values()} == {(1, 67, 71, 3)}


def test_auxiliary_heads_leave_the_answering_part_alone():
    model = get_model("bisenet_v2", aux_heads=True, **TINY)
    plain = get_model("bisenet_v2", **TINY)
    assert without_aux_heads(model).count_params() == plain.count_params()


@pytest.mark.parametrize("options", [{"filters": 12}, {"expansion": 0}, {"head_filters": 4}])
def test_a_width_that_does_not_fit_is_named(options):
    (name, value), *_ = options.items()
    with pytest.raises(ValueError, match=f"bisenet_v2 needs .*{name}={value}"):
        get_model("bisenet_v2", **options)
