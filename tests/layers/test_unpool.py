import keras
import numpy as np

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
