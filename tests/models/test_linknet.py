import pytest

from kseg.models import get_model
from kseg.models.cost import count_macs


def test_the_cost_is_that_of_the_paper():
    # The paper counts 21.2 GFLOPs, two per multiply-add.
    model = get_model("linknet", 20)
    assert 2 * count_macs(model, (360, 640)) == pytest.approx(21.2e9, rel=0.05)


def test_links_carry_the_channels_of_any_encoder():
    model = get_model("linknet", 3, (64, 64, 3), encoder="mobilenetv2")
    features = model.get_layer("encoder").output
    for level, feature in enumerate(features[:4], start=1):
        assert model.get_layer(f"dec{level}_add").output.shape[-1] == feature.shape[-1]
    assert model.output_shape == (None, 64, 64, 3)


def test_a_head_without_filters_is_refused():
    with pytest.raises(ValueError, match="linknet needs filters >= 1, got 0"):
        get_model("linknet", filters=0)
