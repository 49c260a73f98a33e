"""From images of any size to label maps of the same size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from kseg.data.resize import resize_image, scores_to_size
from kseg.inference.jit import jit_choice
from kseg.inference.model_file import ModelInfo, load_model
from kseg.models import without_aux_heads
from kseg.runs import find_checkpoint


class Predictor:
    """A model with the image preparation that it was trained with.

    Args:
        model: Takes images of 0..255 `(N, H, W, channels)` and returns logits `(N, H, W, C)`, in a
            dict where it has auxiliary heads.
        info: Classes, input size and resize mode.
    """

    def __init__(self, model: keras.Model, info: ModelInfo):
        self.model = without_aux_heads(model)
        self.info = info
        self.model.compile(jit_compile=jit_choice())

    @property
    def channels(self) -> int:
        """Number of channels of the images that the model takes."""
        return self.model.inputs[0].shape[-1]

    @classmethod
    def load(cls, path: str | Path) -> Predictor:
        """Load a run folder (its best checkpoint) or a `.keras` file.

        Raises:
            ValueError: There is no such model.
        """
        return cls(*load_model(find_checkpoint(path)))

    def predict(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the label map `(H, W)` uint8 of each image `(H, W, channels)`.

        The images are run as one batch; they may have different sizes.
        """
        target = self.info.input_height, self.info.input_width
        batch = np.stack([resize_image(image, target, self.info.resize_op) for image in images])
        scores = keras.ops.convert_to_numpy(self.model.predict_on_batch(batch))
        return [
            scores_to_labels(scores_to_size(one, image.shape[:2], self.info.resize_op))
            for one, image in zip(scores, images, strict=True)
        ]

    def predict_padded(self, images: Sequence[np.ndarray], batch_size: int) -> list[np.ndarray]:
        """Predict at most `batch_size` images as one batch of exactly that size.

        Backends that compile for a shape then compile once, also for a smaller last batch.
        """
        missing = batch_size - len(images)
        return self.predict([*images, *[images[-1]] * missing])[: len(images)]


def scores_to_labels(scores: np.ndarray) -> np.ndarray:
    """Return the class with the highest score; a single channel is a logit of class 1.

    Args:
        scores: Logits `(..., C)`.
    """
    labels = scores[..., 0] > 0 if scores.shape[-1] == 1 else scores.argmax(-1)
    return labels.astype(np.uint8)
