"""Checkpoints on Keras, whatever its backend."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from kseg.inference.engines.base import check_batch, check_classes, in_batches
from kseg.inference.engines.freeze import quickened
from kseg.inference.jit import jit_choice
from kseg.inference.model_file import ModelInfo, load_model
from kseg.models import without_aux_heads
from kseg.runs import find_checkpoint

_PROBABILITIES = ("softmax", "sigmoid")


class KerasEngine:
    """A Keras model that gives probabilities or labels straight from the device. See `Engine`.

    Images go to the device as they are; casts, normalisation and the choice of the best class
    happen there, and of the labels one byte per pixel comes back. Keras compiles once for each
    shape of a batch (on TensorFlow once for all, from the second shape on). The weights must not
    change after the first call.

    Args:
        model: Takes images of 0..255 `(N, H, W, channels)` and returns logits, or probabilities
            where it ends in a softmax or sigmoid, `(N, H, W, C)`, in a dict where it has
            auxiliary heads.
        info: Classes, input size and resize mode.
        name: What messages call the model.

    Raises:
        ValueError: The model has another number of classes than `info`.
    """

    def __init__(self, model: keras.Model, info: ModelInfo, name: object = "model"):
        self.model = without_aux_heads(model)
        self.info = info
        self.name = name
        (shape,) = (tensor.shape for tensor in self.model.inputs)
        self.channels: int = shape[-1]
        self.size = None if None in shape[1:3] else tuple(shape[1:3])
        self.batch_size = shape[0]
        check_classes(self.model.output.shape[-1], info, name)
        self._compiled: dict[type, keras.Model] = {}

    @classmethod
    def load(cls, path: str | Path) -> KerasEngine:
        """Load a run folder (its best checkpoint) or a `.keras` file.

        Raises:
            ValueError: There is no such model.
        """
        path = find_checkpoint(path)
        return cls(*load_model(path), path)

    def probabilities(self, batch: np.ndarray) -> np.ndarray:
        """Return the probability of each class, float32 `(N, H, W, C)`."""
        return self._run(Probabilities, batch)

    def labels(self, batch: np.ndarray) -> np.ndarray:
        """Return the most probable class of each pixel, uint8 `(N, H, W)`."""
        return self._run(Labels, batch)

    def _run(self, answer: type[Answer], batch: np.ndarray) -> np.ndarray:
        check_batch(self, batch, self.name)
        if answer not in self._compiled:
            self._compiled[answer] = self._ending_in(answer)
        model = self._compiled[answer]
        return in_batches(
            lambda part: np.asarray(model.predict_on_batch(part)), batch, self.batch_size
        )

    def _ending_in(self, answer: type[Answer]) -> keras.Model:
        model = quickened(self.model)
        layer = answer(from_logits=not gives_probabilities(self.model), dtype="float32")
        ending = keras.Model(model.inputs[0], layer(model.output))
        ending.compile(jit_compile=jit_choice())
        return ending


def gives_probabilities(model: keras.Model) -> bool:
    """Tell whether a model ends in a softmax or a sigmoid."""
    layer = model.output._keras_history.operation
    if isinstance(layer, keras.Model):
        return gives_probabilities(layer)
    activation = getattr(layer, "activation", None)
    return isinstance(layer, layers.Softmax) or getattr(activation, "__name__", "") in (
        _PROBABILITIES
    )


class Answer(layers.Layer):
    """What is made of the scores `(N, H, W, C)` on the device.

    Args:
        from_logits: The scores are logits, else they are probabilities.
    """

    def __init__(self, *, from_logits: bool, **options):
        super().__init__(**options)
        self.from_logits = from_logits


class Probabilities(Answer):
    """Probabilities `(N, H, W, C)`; of a single score those of both classes."""

    def call(self, scores):
        """Return the probabilities."""
        if scores.shape[-1] == 1:
            both = (
                (ops.sigmoid(-scores), ops.sigmoid(scores))
                if self.from_logits
                else (1 - scores, scores)
            )
            return ops.concatenate(both, axis=-1)
        return ops.softmax(scores, axis=-1) if self.from_logits else scores


class Labels(Answer):
    """The best class of each pixel, uint8 `(N, H, W)`."""

    def call(self, scores):
        """Return the labels."""
        classes = scores.shape[-1]
        if classes == 1:
            best = scores[..., 0] > (0.0 if self.from_logits else 0.5)
        elif classes == 2:
            best = scores[..., 1] > scores[..., 0]
        else:
            best = ops.argmax(scores, axis=-1)
        return ops.cast(best, "uint8")
