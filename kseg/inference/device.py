"""What may be worth doing on the device after the network."""

from __future__ import annotations

from functools import cache

import numpy as np
from keras import ops


@cache
def has_accelerator() -> bool:
    """Tell whether Keras computes on something else than the CPU."""
    return "cpu" not in str(ops.convert_to_tensor(0.0).device).lower()


def resized_labels(scores: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize scores bilinearly on the device and return the best class, uint8 `(H, W)`.

    Of many classes this is much arithmetic for few bytes: an accelerator is quicker than the
    host then, a CPU is not.

    Args:
        scores: Scores `(h, w, C)`, C at least 2.
        size: Height and width of the result.
    """
    batch = ops.convert_to_tensor(scores[None])
    resized = ops.image.resize(batch, size, interpolation="bilinear")
    return ops.convert_to_numpy(ops.cast(ops.argmax(resized, axis=-1), "uint8"))[0]
