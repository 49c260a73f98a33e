import pytest

from kseg.models import get_model


@pytest.mark.parametrize("depth", [56, 67, 103])
def test_the_depth_counts_the_convolutions(depth):
    # Transposed ones and the one before the class scores count, as the paper counts them.
    model = get_model(f"fc_densenet{depth}", 11)
    assert len([layer for layer in model.layers if layer.name.endswith("_conv")]) == depth


def test_fc_densenet56_is_nearer_1_4_million_than_the_papers_1_5():
    model = get_model("fc_densenet56", 11)
    assert model.count_params() == pytest.approx(1.4e6, rel=0.01)


def test_channels_are_those_of_the_papers_table():
    model = get_model("fc_densenet", 11, (224, 224, 3))
    ends = ["enc0_3", "enc1_4", "enc2_6", "enc3_9", "enc4_11", "bridge_14", "dec4_11", "dec0_3"]
    widths = [model.get_layer(f"{end}_conv").input.shape[-1] + 16 for end in ends]
    assert widths == [112, 192, 304, 464, 656, 896, 1088, 256]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 57}, "fc_densenet needs depth to be one of 56, 67, 103; got 57"),
        ({"block_layers": (4,)}, r"block_layers to be two or more numbers >= 1, got \(4,\)"),
        ({"block_layers": ()}, r"block_layers to be two or more numbers >= 1, got \(\)"),
        ({"growth_rate": 0}, "fc_densenet needs growth_rate >= 1, got 0"),
    ],
)
def test_a_bad_option_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        get_model("fc_densenet", **options)
