import keras
import numpy as np
import pytest

from kseg.layers.factorization import NonNegativeFactorization
from kseg.models import get_model
from tests.tiny import tiny_options

TINY = tiny_options("segnext")


def images():
    return np.random.default_rng(0).random((2, 64, 64, 3)).astype("float32")


def test_a_prediction_does_not_depend_on_chance_or_on_the_rest_of_the_batch():
    model = get_model("segnext", **TINY)
    whole, again, alone = (
        keras.ops.convert_to_numpy(model(x, training=False))
        for x in (images(), images(), images()[1:])
    )
    np.testing.assert_array_equal(whole, again)
    np.testing.assert_allclose(whole[1:], alone, atol=1e-5)


def test_the_factorisation_gets_no_negative_values():
    model = get_model("segnext", **TINY)
    layer = next(x for x in model.layers if isinstance(x, NonNegativeFactorization))
    features = keras.Model(model.input, layer.input)(images(), training=False)
    assert keras.ops.convert_to_numpy(features).min() >= 0


def test_the_decoder_works_at_stride_8_without_the_finest_stage():
    model = get_model("segnext", 2, (64, 96, 3), **TINY)
    shapes = [x.shape for x in model.get_layer("dec_concat").input]
    assert shapes == [(None, 8, 12, 8), (None, 8, 12, 20), (None, 8, 12, 32)]


def test_the_large_alias_has_its_own_stochastic_depth():
    def last_rate(name):
        model = get_model(name, **TINY)
        rates = [x.rate for x in model.layers if x.name.endswith("droppath")]
        return rates[-1]

    assert last_rate("segnext_t") == pytest.approx(0.1)
    assert last_rate("segnext_l") == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": "xl"}, "size to be one of 't', 's', 'b', 'l'; got 'xl'"),
        ({"width": 0.01}, "width >= 0.0625, got 0.01"),
    ],
)
def test_a_bad_option_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        get_model("segnext", **options)
