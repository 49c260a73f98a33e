import pytest

from kseg.models import get_model
from kseg.models.cost import count_macs


@pytest.mark.parametrize(
    ("encoder", "output_stride", "parameters", "macs"),
    [
        ("mobilenetv2", 8, 2_758_597, 12_928_565_248),
        ("mobilenetv2", 16, 2_758_597, 5_598_625_792),
        ("xception", 8, 41_258_213, 171_594_088_448),
        ("xception", 16, 41_258_213, 51_284_320_256),
    ],
)
def test_parameters_and_macs_are_those_of_an_older_implementation(
    encoder, output_stride, parameters, macs
):
    # Measured on an independent Keras 2 implementation at 512x512 with 21 classes.
    model = get_model("deeplab_v3_plus", 21, encoder=encoder, output_stride=output_stride)
    assert model.count_params() == parameters
    assert count_macs(model, (512, 512)) == macs


def test_both_xceptions_can_be_had():
    keras_own = get_model("deeplab_v3_plus", encoder="keras_xception").get_layer("encoder")
    assert keras_own.count_params() == 20_861_480


@pytest.mark.parametrize("name", ["deeplab_v3", "deeplab_v3_plus"])
def test_other_output_strides_are_refused(name):
    with pytest.raises(ValueError, match="output_stride must be 8 or 16, got 32"):
        get_model(name, output_stride=32)
