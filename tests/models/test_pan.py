import pytest

from kseg.models import get_model
from tests.tiny import tiny_options

TINY = tiny_options("pan")


@pytest.mark.parametrize(("output_stride", "factor"), [(16, 1), (32, 2)])
def test_the_first_upsampling_follows_the_output_stride(output_stride, factor):
    model = get_model("pan", 2, (128, 128, 3), output_stride=output_stride, **TINY)
    assert model.get_layer("fpa_add").output.shape[1] == 128 // output_stride
    assert model.get_layer("gau2_add").output.shape[1] == 8
    assert ("gau2_up" in [layer.name for layer in model.layers]) == (factor == 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output_stride": 8}, "output_stride to be one of 16, 32; got 8"),
        ({"filters": 0}, "filters >= 1, got 0"),
    ],
)
def test_an_option_that_does_not_fit_is_named(options, message):
    with pytest.raises(ValueError, match=f"pan needs {message}"):
        get_model("pan", **options)
