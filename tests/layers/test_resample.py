import keras
import numpy as np
import pytest

from kseg.layers.resample import CropLike, PadChannels, PadToMultiple


@pytest.mark.parametrize(("size", "padded"), [((33, 64), (48, 64)), ((16, 17), (16, 32))])
def test_padding_goes_to_the_bottom_and_right_and_cropping_undoes_it(size, padded):
    image = np.random.default_rng(0).normal(size=(2, *size, 3)).astype("float32")
    larger = PadToMultiple(16)(image)
    assert tuple(larger.shape) == (2, *padded, 3)
    array = keras.ops.convert_to_numpy(larger)
    np.testing.assert_array_equal(array[:, : size[0], : size[1]], image)
    assert np.abs(array).sum() == pytest.approx(np.abs(image).sum(), rel=1e-5)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(CropLike()([larger, image])), image)


def test_channels_are_padded_with_zeros_at_the_end():
    padded = keras.ops.convert_to_numpy(PadChannels(5)(np.ones((1, 2, 2, 3), "float32")))
    assert padded[0, 0, 0].tolist() == [1, 1, 1, 0, 0]
