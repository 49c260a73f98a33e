import pytest

from kseg.models import get_model
from kseg.models.cost import count_macs


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({"filters": 64}, 39_106_178),
        ({"steps": 5}, 9_786_178),
        ({"variant": "legacy"}, 17_652_930),
    ],
)
def test_variants_have_the_known_number_of_parameters(options, parameters):
    assert get_model("r2unet", **options).count_params() == parameters


def test_the_legacy_graph_costs_what_it_did():
    assert count_macs(get_model("r2unet", variant="legacy"), (224, 224)) == 20_894_089_216


def test_one_convolution_is_applied_at_every_step():
    costs = [count_macs(get_model("r2unet", filters=4, steps=n), (64, 64)) for n in (0, 1, 2)]
    assert costs[2] - costs[1] == costs[1] - costs[0] > 0
    names = [layer.name for layer in get_model("r2unet", filters=4, steps=2).layers]
    assert names.count("enc0_a_conv") == 1
    assert {"enc0_a_add1", "enc0_a_add2"} <= set(names)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variant": "old"}, "r2unet needs variant to be one of 'default', 'legacy'; got 'old'"),
        ({"steps": -1}, "r2unet needs steps >= 0, got -1"),
    ],
)
def test_a_bad_value_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        get_model("r2unet", **options)
