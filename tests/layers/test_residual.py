import keras
import numpy as np
import pytest

from kseg.layers.residual import basic_block, bottleneck_block, residual_stage

each_block = pytest.mark.parametrize("block", [basic_block, bottleneck_block])


def build(block, channels=8, filters=8, **options):
    inputs = keras.Input((None, None, channels))
    return keras.Model(inputs, block(inputs, filters, name="res", **options))


def run(model, x):
    return keras.ops.convert_to_numpy(model(x, training=False))


def random_features(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def silence(model, norm):
    """Let the branch of a block add nothing to its shortcut."""
    model.get_layer(norm).gamma.assign(np.zeros(model.get_layer(norm).gamma.shape))


@pytest.mark.parametrize("final_relu", [True, False])
def test_a_block_adds_to_its_input(final_relu):
    model = build(basic_block, final_relu=final_relu)
    silence(model, "res_b_bn")
    x = random_features(1, 5, 6, 8)
    np.testing.assert_array_equal(run(model, x), np.maximum(x, 0) if final_relu else x)


@each_block
def test_the_shortcut_has_a_convolution_only_where_the_shape_changes(block):
    widths = {basic_block: 8, bottleneck_block: 32}
    same = build(block, channels=widths[block])
    assert "res_proj_conv" not in [layer.name for layer in same.layers]
    for options in ({"channels": 6}, {"channels": widths[block], "strides": 2}):
        assert build(block, **options).get_layer("res_proj_conv").kernel_size == (1, 1)


@each_block
def test_the_stride_halves_the_size_and_the_dilation_keeps_it(block):
    x = random_features(1, 7, 8, 8)
    assert run(build(block, strides=2), x).shape[1:3] == (4, 4)
    assert run(build(block, dilation_rate=3), x).shape[1:3] == (7, 8)


def test_a_bottleneck_has_the_stride_where_it_is_told_to():
    later, first = (build(bottleneck_block, strides=2, stride_first=flag) for flag in (False, True))
    x = random_features(1, 8, 8, 8)
    starts = [keras.Model(m.input, m.get_layer("res_a_conv").output) for m in (later, first)]
    assert [run(start, x).shape[1] for start in starts] == [8, 4]
    assert run(later, x).shape == run(first, x).shape == (1, 4, 4, 32)


def test_an_expansion_of_two_doubles_the_width():
    assert build(bottleneck_block, expansion=2).output_shape[-1] == 16


def test_relu_may_come_before_the_normalisation():
    model = build(basic_block, relu_first=True)
    names = [layer.name for layer in model.layers]
    assert names.index("res_a_relu") < names.index("res_a_bn")


def test_bias_and_epsilon_reach_every_layer():
    model = build(bottleneck_block, strides=2, use_bias=True, epsilon=1e-5)
    for layer in model.layers:
        assert getattr(layer, "use_bias", True)
        assert getattr(layer, "epsilon", 1e-5) == 1e-5


def test_only_the_first_block_of_a_stage_has_the_stride():
    inputs = keras.Input((16, 16, 8))
    model = keras.Model(inputs, residual_stage(basic_block, inputs, 8, 3, strides=2, name="s"))
    assert model.output_shape == (None, 8, 8, 8)
    assert [model.get_layer(f"s_{i}_a_conv").strides for i in range(3)] == [(2, 2), (1, 1), (1, 1)]
