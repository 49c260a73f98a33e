import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from kseg.losses.distance import distances


def found(mask):
    """Return the distances of a mask `(H, W)`, or of masks `(N, H, W, C)`, as a NumPy array."""
    masks = np.asarray(mask, bool)
    maps = masks[None, ..., None] if masks.ndim == 2 else masks
    result = keras.ops.convert_to_numpy(distances(keras.ops.convert_to_tensor(maps)))
    assert result.dtype == np.float32
    return result.reshape(masks.shape)


# A few shapes only: a new one is compiled anew on JAX.
@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    shape=st.sampled_from([(1, 1), (1, 9), (9, 1), (5, 12), (12, 5)]),
    share=st.sampled_from([0.02, 0.3, 0.9]),
    seed=st.integers(0, 2**16),
)
def test_random_masks_equal_scipy(shape, share, seed):
    mask = np.random.default_rng(seed).random(shape) < share
    expected = ndimage.distance_transform_edt(~mask) if mask.any() else np.zeros(shape)
    np.testing.assert_allclose(found(mask), expected, rtol=1e-6)


def test_images_and_channels_are_maps_of_their_own():
    masks = np.random.default_rng(0).random((3, 6, 8, 2)) < 0.1
    expected = [
        [ndimage.distance_transform_edt(~masks[n, ..., c]) for c in range(2)] for n in range(3)
    ]
    np.testing.assert_allclose(found(masks), np.moveaxis(expected, 1, -1), rtol=1e-6)


def test_one_pixel_gives_the_distances_to_it():
    # From the corner of 2x3: 0, 1, 2 along the row, sqrt(1 + 0, 1, 4) in the next.
    mask = np.array([[1, 0, 0], [0, 0, 0]])
    expected = [[0, 1, 2], [1, 2**0.5, 5**0.5]]
    np.testing.assert_allclose(found(mask), expected, rtol=1e-6)


@pytest.mark.parametrize("full", [False, True])
def test_an_empty_and_a_full_mask_give_0(full):
    assert (found(np.full((4, 7), full)) == 0).all()


def test_distances_across_a_long_image_are_exact():
    # 3000² + 1 is above 2²³, where float32 holds whole numbers only.
    mask = np.zeros((2, 3001), bool)
    mask[0, 0] = True
    assert found(mask)[1, 3000] == np.float32(np.sqrt(3000**2 + 1))
