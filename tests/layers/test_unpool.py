import itertools

import keras
import numpy as np
import pytest

from kseg.layers.unpool import MaxPoolWithIndices, MaxUnpool


def unpool(values):
    pooled, indices = MaxPoolWithIndices()(values)
    restored = MaxUnpool()([pooled, indices])
    return keras.ops.convert_to_numpy(pooled), keras.ops.convert_to_numpy(restored)


def test_maxima_return_to_where_they_were():
    values = np.array([[1, 9, 2, 3], [4, 5, 8, 7], [6, 0, 0, 1], [0, 0, 5, 0]], "float32")
    pooled, restored = unpool(values.reshape(1, 4, 4, 1))
    np.testing.assert_array_equal(pooled[0, ..., 0], [[9, 8], [6, 5]])
    expected = [[0, 9, 0, 0], [0, 0, 8, 0], [6, 0, 0, 0], [0, 0, 5, 0]]
    np.testing.assert_array_equal(restored[0, ..., 0], expected)


def test_equal_values_are_remembered_once():
    pooled, restored = unpool(np.ones((1, 2, 2, 3), "float32"))
    assert restored.sum() == pooled.sum() == 3
    assert restored[0, 0, 0].tolist() == [1, 1, 1]


def test_pooling_equals_keras_max_pooling():
    values = np.random.default_rng(0).normal(size=(2, 6, 8, 5)).astype("float32")
    pooled, _ = unpool(values)
    expected = keras.ops.convert_to_numpy(keras.layers.MaxPooling2D(2)(values))
    np.testing.assert_array_equal(pooled, expected)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_gradients_go_to_where_the_maxima_were(dtype):
    values = np.random.default_rng(1).permutation(2 * 6 * 4 * 3).reshape(2, 6, 4, 3)
    values = (values - 70).astype("float32")
    conv = keras.layers.DepthwiseConv2D(1, use_bias=False, depthwise_initializer="ones")
    inputs = keras.Input((6, 4, 3))
    pooled, indices = MaxPoolWithIndices(dtype=dtype)(conv(inputs))
    restored = MaxUnpool(dtype=dtype)([pooled, indices])
    model = keras.Model(inputs, keras.layers.Activation("linear", dtype="float32")(restored))
    model.compile(keras.optimizers.SGD(1.0), lambda _, y: keras.ops.sum(y, (1, 2, 3)))
    model.train_on_batch(values, values)
    # The result is linear in the kernel: its gradient is the sum of what was kept, by batch mean.
    maxima = values.reshape(2, 3, 2, 2, 2, 3).max(axis=(2, 4)).sum(axis=(0, 1, 2)) / 2
    kernel = keras.ops.convert_to_numpy(conv.kernel).ravel()
    np.testing.assert_allclose(kernel, 1 - maxima, rtol=1e-2 if dtype == "bfloat16" else 1e-6)


def test_of_equal_values_the_first_is_meant():
    cells = np.array(list(itertools.product([0.0, 1.0], repeat=4)), "float32")
    _, indices = MaxPoolWithIndices()(cells.reshape(-1, 2, 2, 1))
    found = keras.ops.convert_to_numpy(indices).ravel()
    np.testing.assert_array_equal(found, cells.argmax(axis=1))
