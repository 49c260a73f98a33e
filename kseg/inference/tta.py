"""Test-time augmentation: the mean of what a model says about several views of an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kseg.data.resize import STRETCH, resize_image
from kseg.inference.engines.base import Run
from kseg.inference.fit import resized_scores

# Scaled images have sizes that are multiples of this, the coarsest stride of most networks.
_STRIDE = 32


@dataclass(frozen=True)
class View:
    """A way to look at images, and back.

    Attributes:
        scale: Factor of height and width, rounded to multiples of 32.
        turns: Quarter turns against the clock.
        flip: Left and right swapped, after the turn.
    """

    scale: float = 1.0
    turns: int = 0
    flip: bool = False

    def apply(self, batch: np.ndarray) -> np.ndarray:
        """Return the view of images `(N, H, W, channels)`."""
        if self.scale != 1:
            target = tuple(scaled(length, self.scale) for length in batch.shape[1:3])
            batch = np.stack([resize_image(image, target, STRETCH) for image in batch])
        batch = np.rot90(batch, self.turns, (1, 2))
        return np.ascontiguousarray(batch[:, :, ::-1] if self.flip else batch)

    def undo(self, scores: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Return probabilities `(N, h, w, C)` of the view as those of images of `size`.

        Of flips and turns it is the exact inverse.
        """
        scores = scores[:, :, ::-1] if self.flip else scores
        scores = np.rot90(scores, -self.turns, (1, 2))
        if scores.shape[1:3] == tuple(size):
            return scores
        return np.stack([resized_scores(one, size) for one in scores])


def scaled(length: int, scale: float) -> int:
    """Return a scaled length as a multiple of 32, at least 32."""
    return max(1, round(length * scale / _STRIDE)) * _STRIDE


_FLIP = (View(), View(flip=True))
_SCALES = (0.75, 1.0, 1.25)
VIEWS: dict[str, tuple[View, ...]] = {
    "none": (View(),),
    "flip": _FLIP,
    "flips": (*_FLIP, View(turns=2, flip=True), View(turns=2)),
    "turns": tuple(View(turns=turns) for turns in range(4)),
    "d4": tuple(View(turns=turns, flip=flip) for flip in (False, True) for turns in range(4)),
    "scales": tuple(View(scale=scale) for scale in _SCALES),
    "scales_flip": tuple(
        View(scale=scale, flip=flip) for scale in _SCALES for flip in (False, True)
    ),
}


def views_of(name: str) -> tuple[View, ...]:
    """Return the views of a named set.

    Args:
        name: "none"; "flip" left-right; "flips" both ways; "turns" by quarters; "d4" turned and
            flipped; "scales" 0.75, 1 and 1.25; "scales_flip" each of these flipped too.

    Raises:
        ValueError: No such set.
    """
    if name not in VIEWS:
        raise ValueError(f"tta must be one of {', '.join(VIEWS)}; got {name!r}")
    return VIEWS[name]


def check_views(views: Sequence[View], size: tuple[int, int] | None, name: str) -> None:
    """Refuse views that a model of one input size cannot look at.

    Args:
        views: The views.
        size: Height and width the model is fixed to, or None.
        name: Name of the set, for the message.

    Raises:
        ValueError: There is such a view.
    """
    if size is None:
        return
    turned = size[0] != size[1] and any(view.turns % 2 for view in views)
    if turned or any(view.scale != 1 for view in views):
        raise ValueError(
            f"tta={name!r} needs images of other sizes than the {size[1]}x{size[0]} (width x "
            "height) that the model is fixed to; take 'flips', or a model that takes any size"
        )


def averaged(run: Run, views: Sequence[View]) -> Run:
    """Return a function that gives the mean of the probabilities over some views.

    Args:
        run: From images `(N, H, W, channels)` to probabilities `(N, H, W, C)`.
        views: The views.
    """
    if list(views) == [View()]:
        return run

    def run_views(batch: np.ndarray) -> np.ndarray:
        size = batch.shape[1:3]
        total = np.float32(0)
        for view in views:
            total = total + view.undo(run(view.apply(batch)), size)
        return total / np.float32(len(views))

    return run_views
