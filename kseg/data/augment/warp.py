"""All operations that move pixels as one resampling, so that nothing is blurred twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from kseg.data.augment.operation import Displacement, Move, Rng, Size
from kseg.data.augment.placing import Placing, draw_field
from kseg.data.augment.resample import resample_image, resample_labels, turn_whole
from kseg.data.dataset import VOID, Sample

Border = Literal["grey", "reflect"]


@dataclass(frozen=True)
class Warp:
    """Moves the pixels of a sample; its size stays.

    The matrices are multiplied in the order of the operations. Displacements are added up and
    come last, wherever they stand: they move the pixels of the result. Mirrored and turned
    images are copies without resampling, and a sample that nothing happens to is returned itself.

    Attributes:
        operations: What moves the pixels.
        void: Label of pixels of the result that lie outside the sample.
        border: What the image shows there: "grey" (128) or "reflect" (mirrored at the edge).
    """

    operations: Sequence[Move | Displacement]
    void: int = VOID
    border: Border = "grey"

    def __call__(self, sample: Sample, rng: Rng) -> Sample:
        """Return the sample with its pixels moved."""
        placing = self.draw(rng, sample.image.shape[:2])
        if placing.still:
            return sample
        if placing.field is None:
            whole = turn_whole(sample, placing.matrix)
            if whole is not None:
                return whole
        image = resample_image(sample.image, placing, reflect=self.border == "reflect")
        if sample.mask is None:
            return replace(sample, image=image)
        return replace(sample, image=image, mask=resample_labels(sample, placing, self.void))

    def draw(self, rng: Rng, size: Size) -> Placing:
        """Draw what happens to a sample of `size` (height, width)."""
        happening = [operation for operation in self.operations if operation.happens(rng)]
        matrix = np.eye(3)
        for operation in happening:
            if isinstance(operation, Move):
                matrix = operation.matrix(rng, size) @ matrix
        bends = [operation for operation in happening if isinstance(operation, Displacement)]
        return Placing(matrix, draw_field(bends, rng, size), size)
