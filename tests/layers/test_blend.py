import numpy as np
from keras import ops

from kseg.layers.blend import Blend, ChannelDot

RNG = np.random.default_rng(0)


def random_map(channels):
    return RNG.random((2, 3, 5, channels)).astype("float32")


def test_blend_takes_the_first_map_where_the_gate_is_one_and_the_second_where_it_is_zero():
    first, second = random_map(4), random_map(4)
    gate = (random_map(1) > 0.5).astype("float32")
    mixed = ops.convert_to_numpy(Blend()([first, second, gate]))
    np.testing.assert_allclose(mixed, np.where(gate > 0, first, second), rtol=1e-6)


def test_blend_mixes_in_between():
    first, second, gate = random_map(4), random_map(4), random_map(4)
    mixed = ops.convert_to_numpy(Blend()([first, second, gate]))
    np.testing.assert_allclose(mixed, gate * first + (1 - gate) * second, rtol=1e-5)


def test_channel_dot_is_the_scalar_product_at_each_place():
    first, second = random_map(4), random_map(4)
    dot = ops.convert_to_numpy(ChannelDot()([first, second]))
    np.testing.assert_allclose(dot[..., 0], np.einsum("nhwc,nhwc->nhw", first, second), rtol=1e-5)
    assert ChannelDot().macs(first.shape, second.shape) == 3 * 5 * 4
