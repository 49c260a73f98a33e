import numpy as np
import pytest

from kseg.models import get_model, without_aux_heads
from kseg.models.cost import count_macs
from tests.tiny import tiny_options

TINY = tiny_options("pidnet_s")


def test_the_cost_is_that_of_the_paper():
    # The paper's GFLOPs are multiply-adds, with those of pooling and normalisation.
    model = get_model("pidnet_s", 19)
    assert count_macs(model, (1024, 2048)) == pytest.approx(47.6e9, rel=0.01)


@pytest.mark.parametrize("light", [True, False])
def test_the_detail_branch_scores_classes_and_the_boundary_branch_edges(light):
    model = get_model("pidnet_s", 3, aux_heads=True, light=light, **TINY)
    outputs = model(np.zeros((1, 67, 71, 3), "float32"), training=False)
    assert {key: tuple(x.shape) for key, x in outputs.items()} == {
        "logits": (1, 67, 71, 3),
        "aux1": (1, 67, 71, 3),
        "boundary": (1, 67, 71, 1),
    }


def test_auxiliary_heads_leave_the_answering_part_alone():
    model = get_model("pidnet_s", aux_heads=True, **TINY)
    plain = get_model("pidnet_s", **TINY)
    assert without_aux_heads(model).count_params() == plain.count_params()


def test_the_boundary_head_gives_chances_and_the_others_shares():
    model = get_model("pidnet_s", 3, aux_heads=True, activation="softmax", **TINY)
    outputs = model(np.random.default_rng(0).random((1, 64, 64, 3), "float32"), training=False)
    boundary = np.asarray(outputs["boundary"])
    assert 0 < boundary.min() < boundary.max() < 1
    np.testing.assert_allclose(np.asarray(outputs["aux1"]).sum(-1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depths": (2,)}, r"two depths >= 1, got depths=\(2,\)"),
        ({"depths": (2, 0)}, r"two depths >= 1, got depths=\(2, 0\)"),
        ({"width": 1}, "width >= 2, got 1"),
    ],
)
def test_an_option_that_does_not_fit_is_named(options, message):
    with pytest.raises(ValueError, match=f"pidnet_s needs {message}"):
        get_model("pidnet_s", **options)
