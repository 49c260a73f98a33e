import keras
import numpy as np
import pytest

from kseg.layers.resample import (
    BilinearUpsample,
    CropLike,
    PadChannels,
    PadToMultiple,
    ResizeLike,
    SpaceToDepth,
)


@pytest.mark.parametrize(("mode", "like"), [("zeros", "constant"), ("reflect", "reflect")])
@pytest.mark.parametrize("symbolic", [False, True])
@pytest.mark.parametrize(
    ("size", "padded"), [((33, 64), (48, 64)), ((16, 17), (16, 32)), ((3, 1), (16, 16))]
)
def test_padding_goes_to_the_bottom_and_right_and_cropping_undoes_it(
    size, padded, symbolic, mode, like
):
    image = np.random.default_rng(0).normal(size=(2, *size, 3)).astype("float32")
    inputs = keras.Input((None, None, 3) if symbolic else (*size, 3))
    larger = PadToMultiple(16, mode)(inputs)
    assert larger.shape == (None, *((None, None) if symbolic else padded), 3)
    padder = keras.Model(inputs, larger)
    borders = [(0, 0), *((0, p - s) for s, p in zip(size, padded, strict=True)), (0, 0)]
    expected = np.pad(image, borders, mode=like)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(padder(image)), expected)
    compiled = padder.predict(image, verbose=0)
    np.testing.assert_array_equal(compiled, expected)
    cropped = CropLike()([compiled, image])
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(cropped), image)


def test_files_from_before_there_was_a_choice_pad_with_zeros():
    config = PadToMultiple(16, "reflect").get_config()
    assert PadToMultiple.from_config(config).mode == "reflect"
    del config["mode"]
    assert PadToMultiple.from_config(config).mode == "zeros"


def test_another_way_to_pad_is_told():
    with pytest.raises(ValueError, match="pads with zeros or reflect, not 'edge'"):
        PadToMultiple(16, "edge")


def test_channels_are_padded_with_zeros_at_the_end():
    padded = keras.ops.convert_to_numpy(PadChannels(5)(np.ones((1, 2, 2, 3), "float32")))
    assert padded[0, 0, 0].tolist() == [1, 1, 1, 0, 0]


def stretched(rows, length):
    """Each row resized by the definition: the centres of cells stay where they are."""
    size = rows.shape[1]
    places = np.clip((np.arange(length) + 0.5) * size / length - 0.5, 0, size - 1)
    return np.stack([np.interp(places, range(size), row) for row in rows])


@pytest.mark.parametrize("size", [(10, 14), (15, 21), (7, 3)])
def test_resizing_is_bilinear_with_half_pixel_centres(size):
    image = np.random.default_rng(0).normal(size=(2, 5, 7, 1)).astype("float32")
    ours = keras.ops.convert_to_numpy(ResizeLike()([image, np.zeros((2, *size, 4))]))
    expected = [stretched(stretched(plane, size[1]).T, size[0]).T for plane in image[..., 0]]
    np.testing.assert_allclose(ours[..., 0], expected, atol=1e-5)
    if size == (10, 14):
        twice = keras.ops.convert_to_numpy(BilinearUpsample(2)(image))
        np.testing.assert_allclose(twice[..., 0], expected, atol=1e-5)


def test_a_compiled_model_resizes_at_every_size():
    inputs = keras.Input((None, None, 3))
    large = BilinearUpsample(4)(SpaceToDepth()(PadToMultiple(16)(inputs)))
    model = keras.Model(inputs, ResizeLike()([large, inputs]))
    for size in ((32, 48), (33, 50)):
        images = np.ones((1, *size, 3), "float32")
        assert model.predict(images, verbose=0).shape == (1, *size, 12)


def test_space_goes_to_depth_block_by_block():
    image = np.arange(16, dtype="float32").reshape(1, 4, 4, 1)
    blocks = keras.ops.convert_to_numpy(SpaceToDepth()(image))
    assert blocks[0, 0, 0].tolist() == [0, 1, 4, 5]
    assert blocks[0, 1, 1].tolist() == [10, 11, 14, 15]
