import pytest

from kseg.models import get_model


def test_the_count_is_exactly_that_of_segmentation_models_pytorch():
    # With 31,783,778 trainable weights and 21,952 moving statistics at two classes.
    assert get_model("manet", 2).count_params() == 31_783_778 + 21_952


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attention_filters": 0}, "attention_filters >= 1, got 0"),
        ({"ratio": 0}, "ratio >= 1, got 0"),
    ],
)
def test_an_option_that_does_not_fit_is_named(options, message):
    with pytest.raises(ValueError, match=f"manet needs {message}"):
        get_model("manet", **options)
