import numpy as np
import pytest

from kseg.models import get_model


def kernels(model, *, shortcuts):
    return sum(
        np.prod(layer.kernel.shape)
        for layer in model.layers
        if layer.name.endswith("_conv") and ("_proj" in layer.name) == shortcuts
    )


def test_the_papers_fifteen_convolutions_hold_its_7_8_million():
    model = get_model("resunet", 1)
    fifteen = [n for n in (x.name for x in model.layers) if n.endswith("conv") and "proj" not in n]
    assert len(fifteen) == 15
    assert kernels(model, shortcuts=False) == pytest.approx(7.8e6, rel=0.005)
    assert kernels(model, shortcuts=True) < 0.45e6


def test_resunet_plus_plus_is_the_authors_network_without_idle_biases():
    # Theirs has 4,070,385, of which 3,376 are biases that a normalisation removes again.
    assert get_model("resunet++", 1).count_params() == 4_070_385 - 3_376


def test_only_strides_make_resunet_smaller():
    for name in ("resunet", "resunet++"):
        names = [layer.name for layer in get_model(name, 2, (64, 64, 3), filters=16).layers]
        assert not [
            n for n in names if n.startswith("enc") and n.endswith("pool") and "se" not in n
        ]


def test_resunet_plus_plus_attends_before_it_enlarges():
    model = get_model("resunet++", 2, (64, 64, 3), filters=16)
    assert model.get_layer("dec0_attention_scale").output.shape[1] == 32
    assert model.get_layer("dec0_up").output.shape[1] == 64
    rates = {model.get_layer(f"bridge_rate{rate}_conv").dilation_rate[0] for rate in (1, 6, 12, 18)}
    assert rates == {1, 6, 12, 18}


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("resunet", {"levels": 1}, "resunet needs levels >= 2, got 1"),
        ("resunet++", {"ratio": 0}, r"resunet\+\+ needs ratio >= 1, got 0"),
    ],
)
def test_a_bad_option_is_named(name, options, message):
    with pytest.raises(ValueError, match=message):
        get_model(name, **options)
