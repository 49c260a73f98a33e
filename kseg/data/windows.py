"""Parts of images: one of a sample, and all of them side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from kseg.data.dataset import Sample, SampleFiles


def cut(sample: Sample, corner: tuple[int, int], size: tuple[int, int]) -> Sample:
    """Return a part of a sample; without copying where it is the whole.

    Args:
        sample: The sample.
        corner: Row and column where the part begins.
        size: Its height and width.
    """
    if sample.image.shape[:2] == tuple(size):
        return sample
    place = tuple(slice(start, start + length) for start, length in zip(corner, size, strict=True))
    image = np.ascontiguousarray(sample.image[place])
    mask, weights = (
        None if array is None else np.ascontiguousarray(array[place])
        for array in (sample.mask, sample.weights)
    )
    return replace(sample, image=image, mask=mask, weights=weights)


@dataclass(frozen=True)
class WindowFiles(SampleFiles):
    """The files of a sample of which only a window is shown.

    Attributes:
        corner: Row and column of the fitted sample where the window begins.
        shown: Height and width of the window.
        seen: Rows at its top and columns at its left that a window before it shows too: they are
            void here, so that every pixel counts once.
    """

    corner: tuple[int, int] = (0, 0)
    shown: tuple[int, int] = (0, 0)
    seen: tuple[int, int] = (0, 0)

    def window(self, sample: Sample, void: int) -> Sample:
        """Return the window of a sample, with the label `void` where another one counts."""
        part = cut(sample, self.corner, self.shown)
        rows, columns = self.seen
        if part.mask is None or not (rows or columns):
            return part
        mask = part.mask.copy()
        mask[:rows], mask[:, :columns] = void, void
        weights = None if part.weights is None else np.where(mask == void, 0, part.weights)
        return replace(part, mask=mask, weights=weights)


def side_by_side(
    files: Sequence[SampleFiles], size: tuple[int, int], window: tuple[int, int]
) -> list[WindowFiles]:
    """Return the windows that cover each sample.

    Args:
        files: The samples.
        size: Height and width that they are fitted to.
        window: Height and width of the windows, at most `size`; the last ones of a row and of a
            column end with the image.
    """
    rows, columns = (_spans(a, b) for a, b in zip(size, window, strict=True))
    return [
        WindowFiles(
            **{field.name: getattr(one, field.name) for field in fields(SampleFiles)},
            corner=(row, column),
            shown=window,
            seen=(seen_rows, seen_columns),
        )
        for one in files
        for row, seen_rows in rows
        for column, seen_columns in columns
    ]


def _spans(length: int, window: int) -> list[tuple[int, int]]:
    """Return where windows start along an axis, and how much of each the one before has shown."""
    starts = [min(start, length - window) for start in range(0, length, window)]
    ends = [0, *(start + window for start in starts)]
    return [(start, end - start) for start, end in zip(starts, ends[:-1], strict=True)]
