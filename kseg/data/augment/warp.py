"""All operations that move pixels as one resampling, so that nothing is blurred twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from kseg.data.augment.operation import Displacement, Move, Rng, Size
from kseg.data.augment.placing import Placing, draw_field
from kseg.data.augment.resample import resample_image, resample_labels, turn_whole
from kseg.data.augment.window import cut_to_needed, draw_corner
from kseg.data.dataset import VOID, Sample
from kseg.data.windows import cut

Border = Literal["grey", "reflect"]


@dataclass(frozen=True)
class Warp:
    """Moves the pixels of a sample; its size stays, or becomes that of a window.

    The matrices are multiplied in the order of the operations. Displacements are added up and
    come last, wherever they stand: they move the pixels of the result. Mirrored and turned
    images are copies without resampling, and a sample that nothing happens to is returned itself.

    Attributes:
        operations: What moves the pixels.
        void: Label of pixels of the result that lie outside the sample.
        border: What the image shows there: "grey" (128) or "reflect" (mirrored at the edge).
        window: Height and width of a random part of the sample; None for all of it. What happens
            is measured by the window, and what moves into it comes from around it.
        foreground: Share of the windows around a pixel of a class other than 0; see `draw_corner`.
    """

    operations: Sequence[Move | Displacement]
    void: int = VOID
    border: Border = "grey"
    window: Size | None = None
    foreground: float = 0.0

    def __call__(self, sample: Sample, rng: Rng) -> Sample:
        """Return the sample with its pixels moved.

        Raises:
            ValueError: The sample is smaller than the window.
        """
        placing = self._draw_place(sample, rng)
        if placing.still:
            return cut(sample, placing.corner, placing.size)
        if placing.field is None:
            whole = turn_whole(cut(sample, placing.corner, placing.size), placing.matrix)
            if whole is not None:
                return whole
        if self.window is not None:
            sample, placing = cut_to_needed(sample, placing)
        image = resample_image(sample.image, placing, reflect=self.border == "reflect")
        if sample.mask is None:
            return replace(sample, image=image)
        return replace(sample, image=image, mask=resample_labels(sample, placing, self.void))

    def _draw_place(self, sample: Sample, rng: Rng) -> Placing:
        if self.window is None:
            return self.draw(rng, sample.image.shape[:2])
        corner = draw_corner(sample, self.window, rng, self.foreground, self.void)
        return replace(self.draw(rng, self.window), corner=corner)

    def draw(self, rng: Rng, size: Size) -> Placing:
        """Draw what happens to a sample of `size` (height, width)."""
        happening = [operation for operation in self.operations if operation.happens(rng)]
        matrix = np.eye(3)
        for operation in happening:
            if isinstance(operation, Move):
                matrix = operation.matrix(rng, size) @ matrix
        bends = [operation for operation in happening if isinstance(operation, Displacement)]
        return Placing(matrix, draw_field(bends, rng, size), size)
