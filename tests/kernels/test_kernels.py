"""TensorFlow's own kernels train like Keras' layers, and leave files alone."""

import keras
import numpy as np
import pytest
from keras import layers

from kseg.kernels import own_kernels, use_own_kernels

tensorflow_only = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="a kernel of TensorFlow"
)


def small_model(fused):
    keras.utils.set_random_seed(3)
    stack = [
        keras.Input((None, None, 3)),
        layers.Conv2D(4, 3, padding="same", name="conv"),
        layers.BatchNormalization(momentum=0.9, name="norm"),
        layers.ReLU(name="relu"),
        layers.UpSampling2D((2, 3), name="up"),
        layers.Conv2D(1, 1, name="head"),
    ]
    model = keras.Sequential(stack)
    if fused:
        use_own_kernels(model, jit=False)
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
    return model


def batch(count=2):
    rng = np.random.default_rng(0)
    return rng.normal(2, 3, (count, 8, 8, 3)), rng.normal(size=(count, 16, 24, 1))


@tensorflow_only
def test_training_ends_with_the_weights_of_keras():
    plain, fused = small_model(False), small_model(True)
    assert all("call" in vars(fused.get_layer(name)) for name in ("norm", "up"))
    for _ in range(5):
        assert fused.train_on_batch(*batch()) == pytest.approx(plain.train_on_batch(*batch()))
    for one, other in zip(plain.get_weights(), fused.get_weights(), strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)


@tensorflow_only
def test_a_frozen_layer_keeps_its_statistics():
    model = small_model(True)
    model.get_layer("norm").trainable = False
    model.compile("sgd", "mse", jit_compile=False)
    model.train_on_batch(*batch())
    np.testing.assert_array_equal(model.get_layer("norm").moving_mean, np.zeros(4))


@tensorflow_only
def test_a_saved_model_has_the_layer_of_keras(tmp_path):
    model = small_model(True)
    model.train_on_batch(*batch())
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert "call" not in vars(loaded.get_layer("norm"))
    images, _ = batch()
    np.testing.assert_allclose(loaded.predict_on_batch(images), model.predict_on_batch(images))


def test_nothing_changes_with_xla():
    model = small_model(False)
    use_own_kernels(model, jit=True)
    assert "call" not in vars(model.get_layer("norm"))


def enlarging_model(bias=True, activation=None, between=None):
    keras.utils.set_random_seed(5)
    inputs = keras.Input((None, None, 5))
    x = layers.UpSampling2D(2, name="up")(inputs)
    x = between(x) if between else x
    options = {"use_bias": bias, "bias_initializer": "random_normal", "activation": activation}
    return keras.Model(inputs, layers.Conv2D(7, 3, padding="same", name="conv", **options)(x))


def maps(height=5, width=9):
    return np.random.default_rng(1).normal(size=(2, height, width, 5)).astype("float32")


@tensorflow_only
@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (5, 9), (8, 4)])
@pytest.mark.parametrize(("bias", "activation"), [(True, None), (False, "relu")])
def test_a_convolution_of_enlarged_maps_is_that_of_keras(bias, activation, size, constant, eager):
    model = enlarging_model(bias, activation)
    expected = model.predict_on_batch(maps(*size))
    use_own_kernels(model, jit=False, constant=constant)
    model.compile(run_eagerly=eager, jit_compile=None if eager else False)
    np.testing.assert_allclose(model.predict_on_batch(maps(*size)), expected, atol=1e-5)


@tensorflow_only
@pytest.mark.parametrize(
    "between",
    [
        layers.ReLU(),
        layers.Dropout(0.5),
        lambda x: layers.Concatenate()([x, x]),
        lambda x: layers.UpSampling2D((1, 3))(x),
    ],
    ids=["relu", "dropout", "concatenation", "enlarged again"],
)
def test_what_lies_between_enlarging_and_convolution_counts(between):
    model = enlarging_model(between=between)
    expected = model.predict_on_batch(maps())
    use_own_kernels(model, jit=False)
    model.compile(jit_compile=False)
    np.testing.assert_allclose(model.predict_on_batch(maps()), expected, atol=1e-5)


@tensorflow_only
def test_the_enlarged_maps_themselves_are_there_for_other_models():
    model = enlarging_model()
    use_own_kernels(model, jit=False)
    part = keras.Model(model.inputs, model.get_layer("up").output)
    part.compile(jit_compile=False)
    np.testing.assert_array_equal(part.predict_on_batch(maps()), maps().repeat(2, 1).repeat(2, 2))


@tensorflow_only
def test_enlarging_is_left_out_before_a_convolution():
    import tensorflow as tf

    model = enlarging_model()
    use_own_kernels(model, jit=False)
    model.compile(jit_compile=False)
    graph = tf.function(model).get_concrete_function(tf.TensorSpec((2, 5, 9, 5))).graph
    used, waiting = set(), [graph.outputs[0].op]
    while waiting:
        operation = waiting.pop()
        used.add(operation.type)
        waiting += [source.op for source in operation.inputs]
    assert "Conv2DBackpropInput" in used
    assert "ResizeNearestNeighbor" not in used


@tensorflow_only
def test_a_convolution_of_enlarged_maps_learns_as_with_keras():
    plain, fused = enlarging_model(), enlarging_model()
    use_own_kernels(fused, jit=False)
    target = np.random.default_rng(2).normal(size=(2, 10, 18, 7))
    for model in (plain, fused):
        model.compile(keras.optimizers.SGD(0.5), "mse", jit_compile=False)
        for _ in range(5):
            model.train_on_batch(maps(), target)
    for one, other in zip(plain.get_weights(), fused.get_weights(), strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)


@tensorflow_only
def test_a_block_leaves_the_layers_as_they_were():
    model = enlarging_model()
    use_own_kernels(model, jit=False)
    del model.get_layer("up").call
    call = model.get_layer("conv").call
    with own_kernels(model, jit=False):
        assert "call" in vars(model.get_layer("up"))
    assert "call" not in vars(model.get_layer("up"))
    assert model.get_layer("conv").call is call


def merging_model(channels=5):
    keras.utils.set_random_seed(6)
    large, small = keras.Input((None, None, 3)), keras.Input((None, None, channels))
    enlarged = layers.UpSampling2D(2, name="up")(small)
    x = layers.Concatenate(name="merge")([large, enlarged, large])
    x = layers.Conv2D(4, 3, padding="same", bias_initializer="random_normal", name="conv")(x)
    return keras.Model([large, small], x)


@tensorflow_only
@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("channels", [5, 513])
def test_parts_of_a_concatenation_are_convolved_one_by_one(channels, constant):
    plain, own = merging_model(channels), merging_model(channels)
    use_own_kernels(own, jit=False, constant=constant)
    rng = np.random.default_rng(3)
    images = [rng.normal(size=(2, 6, 10, 3)), rng.normal(size=(2, 3, 5, channels))]
    target = rng.normal(size=(2, 6, 10, 4))
    for model in (plain, own):
        model.compile(keras.optimizers.SGD(0.01), "mse", jit_compile=False)
    np.testing.assert_allclose(
        own.predict_on_batch(images), plain.predict_on_batch(images), atol=1e-5
    )
    for _ in range(3):
        assert own.train_on_batch(images, target) == pytest.approx(
            plain.train_on_batch(images, target), rel=1e-5
        )
    for one, other in zip(plain.get_weights(), own.get_weights(), strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)
