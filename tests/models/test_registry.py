import keras
import pytest

from kseg.models import get_model, list_models, model_spec, register_model


def test_the_list_holds_the_names_and_every_name_has_a_spec():
    assert {"unet", "enet"} <= set(list_models())
    assert all(model_spec(name).name == name for name in list_models())


@pytest.mark.parametrize(("typo", "meant"), [("unett", "unet"), ("eNet", "enet")])
def test_an_unknown_name_gets_the_closest_one(typo, meant):
    with pytest.raises(ValueError, match=f"unknown model '{typo}': did you mean '{meant}'"):
        get_model(typo)


def test_a_name_cannot_be_registered_twice():
    with pytest.raises(ValueError, match="'unet' is registered already"):
        register_model(model_spec("unet"))(lambda inputs, num_classes: inputs)


def test_an_unknown_option_gets_the_closest_one():
    with pytest.raises(ValueError, match="no option 'filter': did you mean 'filters'"):
        get_model("unet", filter=64)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0}, "num_classes must be at least 1"),
        ({"activation": "relu"}, "activation must be None, 'softmax' or 'sigmoid'"),
        (
            {"activation": "softmax", "num_classes": 1},
            "over num_classes=1 is 1 everywhere; use 'sigmoid'",
        ),
        ({"input_shape": (16, 64, 3)}, "height and width must be at least 32"),
        ({"input_shape": (None, None, None)}, "with a number of channels"),
        ({"image_init": "half"}, "image_init must be one of divide, sub_mean, sub_and_divide"),
        ({"image_init": "sub_mean", "input_shape": (64, 64, 1)}, "needs 3 image channels"),
        ({"levels": 1}, "levels >= 2"),
    ],
)
def test_a_bad_value_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        get_model("unet", **arguments)


def test_channels_first_is_refused():
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match="image_data_format is 'channels_first'; call keras"):
            get_model("unet")
    finally:
        keras.config.set_image_data_format("channels_last")
