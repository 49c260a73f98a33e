import pytest

from kseg.models import get_model
from tests.tiny import tiny_options


@pytest.mark.parametrize("name", ["vggunet", "unet_xception_resnetblock"])
def test_the_scores_can_do_without_batch_normalisation(name):
    models = [get_model(name, 3, head_bn=bn, **tiny_options(name)) for bn in (True, False)]
    found = ["head_bn" in [layer.name for layer in model.layers] for model in models]
    assert found == [True, False]
    assert models[0].count_params() - models[1].count_params() == 3 * 4
