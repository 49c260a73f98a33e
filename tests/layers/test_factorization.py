import keras
import numpy as np
from keras import ops

from kseg.layers.factorization import NonNegativeFactorization
from kseg.layers.transformer_layers import PositionEmbedding

RANK, STEPS = 4, 7


class AtInference(NonNegativeFactorization):
    """Starts from the documented bases in training, too."""

    def call(self, inputs):
        return super().call(inputs, training=False)


def features(*shape):
    return np.random.default_rng(1).random(shape).astype("float32")


def first_bases(channels):
    bases = np.random.default_rng(0).random((channels, RANK))
    return bases / (np.sqrt((bases**2).sum(0)) + 1e-6)


def numpy_factors(x):
    """Factorise one image `(places, channels)`; returns the codes, the bases."""
    bases = first_bases(x.shape[1])
    codes = np.exp(x @ bases)
    codes /= codes.sum(1, keepdims=True)
    for _ in range(STEPS):
        codes = codes * (x @ bases) / (codes @ bases.T @ bases + 1e-6)
        bases = bases * (x.T @ codes) / (bases @ codes.T @ codes + 1e-6)
    return codes, bases


def last_step(codes, bases):
    """Return what the last codes are multiples of `x @ bases` by."""
    return codes / (codes @ bases.T @ bases + 1e-6)


def run(layer, x, **options):
    return ops.convert_to_numpy(layer(x, **options))


def test_inference_is_multiplicative_updates_from_the_documented_bases():
    x = features(2, 3, 5, 6)
    result = run(NonNegativeFactorization(RANK), x)
    for image in range(2):
        tokens = x[image].reshape(15, 6).astype("float64")
        codes, bases = numpy_factors(tokens)
        expected = last_step(codes, bases) * (tokens @ bases) @ bases.T
        np.testing.assert_allclose(result[image].reshape(15, 6), expected, atol=1e-4)


def test_features_of_low_rank_are_kept():
    x = (features(15, 1) @ features(1, 6)).reshape(1, 3, 5, 6)
    np.testing.assert_allclose(run(NonNegativeFactorization(RANK), x), x, atol=0.01)


def test_only_inference_repeats_itself():
    layer, x = NonNegativeFactorization(RANK), features(1, 3, 5, 6)
    np.testing.assert_array_equal(run(layer, x), run(layer, x))
    assert np.abs(run(layer, x, training=True) - run(layer, x, training=True)).max() > 1e-6


def test_empty_features_stay_empty():
    zeros = np.zeros((1, 3, 5, 6), "float32")
    np.testing.assert_array_equal(run(NonNegativeFactorization(RANK), zeros), zeros)


def test_the_gradient_is_that_of_the_last_step():
    # With gradient descent at rate 1 a weight changes by its gradient; here the weight is x.
    inputs = keras.Input((3, 3, 6))
    position = PositionEmbedding(3)
    model = keras.Model(inputs, AtInference(RANK)(position(inputs)))
    x, upstream = features(1, 3, 3, 6), features(9, 6)
    position.set_weights([x])
    model.compile(keras.optimizers.SGD(1.0), lambda true, out: ops.sum(true * out, (1, 2, 3)))
    model.train_on_batch(np.zeros_like(x), upstream.reshape(1, 3, 3, 6))
    codes, bases = numpy_factors(x.reshape(9, 6).astype("float64"))
    expected = (upstream @ bases) * last_step(codes, bases) @ bases.T
    gradient = (x - position.get_weights()[0]).reshape(9, 6)
    np.testing.assert_allclose(gradient, expected, atol=1e-4)


def test_it_computes_in_float32_under_mixed_precision():
    layer = NonNegativeFactorization(RANK)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = NonNegativeFactorization(RANK)
    finally:
        keras.config.set_dtype_policy("float32")
    x = features(1, 3, 5, 6)
    np.testing.assert_array_equal(run(mixed, x), run(layer, x))


def test_its_cost_is_that_of_its_matrix_products():
    layer = NonNegativeFactorization(2, inference_steps=1)
    # 12 places, 5 channels: softmax start, codes, bases, codes again, product.
    codes = 12 * 5 * 2 + 2 * 2 * 5 + 12 * 2 * 2
    bases = 12 * 5 * 2 + 2 * 2 * 12 + 5 * 2 * 2
    assert layer.macs((1, 3, 4, 5)) == 120 + codes + bases + codes + 120
