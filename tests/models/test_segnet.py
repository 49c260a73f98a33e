import pytest
from keras import layers

from kseg.models import get_model
from tests.tiny import tiny_options


def layers_of(model, *kinds):
    return [layer for layer in model.layers if isinstance(layer, kinds)]


def test_values_return_to_where_the_maxima_of_the_same_level_were():
    model = get_model("segnet")
    for level in range(4):
        pool, unpool = model.get_layer(f"enc{level}_pool"), model.get_layer(f"dec{level}_unpool")
        values, indices = unpool.input
        assert indices is pool.output[1]
        assert values.shape[-1] == indices.shape[-1]


def test_nearest_upsampling_costs_the_same_and_needs_keras_layers_only():
    nearest = get_model("segnet", unpooling=False)
    assert nearest.count_params() == get_model("segnet").count_params()
    assert len(layers_of(nearest, layers.UpSampling2D)) == 4
    nearest = get_model("segnet", 2, (64, 64, 3), unpooling=False, **tiny_options("segnet"))
    assert all(type(layer).__module__.startswith("keras.") for layer in nearest.layers)


def test_the_papers_size_has_vgg16_and_its_mirror_image():
    widths = [conv.filters for conv in layers_of(get_model("segnet_vgg16"), layers.Conv2D)]
    vgg = [64] * 2 + [128] * 2 + [256] * 3 + [512] * 6
    assert widths[:13] == vgg
    # The last convolution of the mirror image is the one for the class scores.
    assert widths[13:] == [512] * 5 + [256] * 3 + [128] * 2 + [64] * 2 + [2]


@pytest.mark.parametrize(
    "options", [{"filters": (8, 16)}, {"depths": (2, 2, 0, 2)}, {"decoder_depths": ()}]
)
def test_a_size_that_does_not_fit_is_named(options):
    with pytest.raises(ValueError, match="filters, depths and decoder_depths of one length"):
        get_model("segnet", **options)
