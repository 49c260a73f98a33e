"""The gradient of a loss on any backend: one SGD step on a model whose weights are logits."""

import keras
import numpy as np


class FreeLogits(keras.Model):
    def __init__(self, logits):
        super().__init__()
        self.logits = self.add_weight(shape=logits.shape, initializer="zeros", name="logits")
        self.logits.assign(logits)

    def call(self, inputs):
        return keras.ops.convert_to_tensor(self.logits)


def gradient(loss, y_true, logits):
    """Return d loss / d logits as a NumPy array."""
    model = FreeLogits(np.zeros_like(logits))
    # From 0 with rate 1 the weights would lose the logits' digits, so the loss adds them.
    start = keras.ops.convert_to_tensor(logits)
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss=lambda t, p: loss(t, p + start))
    model.train_on_batch(np.zeros((len(logits), 1), "float32"), y_true)
    return -keras.ops.convert_to_numpy(model.logits)
