"""Turning arrays as EXIF says."""

from __future__ import annotations

import numpy as np


def upright(array: np.ndarray, orientation: int) -> np.ndarray:
    """Turn and mirror an array `(H, W, ...)` as an EXIF orientation of 1..8 says."""
    mirrored = array[:, ::-1] if orientation in (2, 4, 5, 7) else array
    quarter_turns = {3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}.get(orientation, 0)
    return np.ascontiguousarray(np.rot90(mirrored, quarter_turns))
