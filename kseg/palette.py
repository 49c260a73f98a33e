"""Class colours, and pictures made with them."""

from __future__ import annotations

import numpy as np


def class_palette() -> np.ndarray:
    """Return the colours of labels 0..255, uint8 `(256, 3)`: those of PASCAL VOC.

    The bits of the label are dealt to red, green and blue, high bits first, so that labels near
    each other get colours far apart; 0 is black.
    """
    labels = np.arange(256)
    palette = np.zeros((256, 3), np.uint8)
    for shift in range(8):
        for channel in range(3):
            bit = (labels >> (3 * shift + channel)) & 1
            palette[:, channel] |= (bit << (7 - shift)).astype(np.uint8)
    return palette


def colorize(mask: np.ndarray) -> np.ndarray:
    """Return the colours `(H, W, 3)` uint8 of a label map `(H, W)` with labels 0..255."""
    return class_palette()[mask]


def as_picture(image: np.ndarray) -> np.ndarray:
    """Return an image of any number of channels as uint8 RGB `(H, W, 3)`, to look at.

    One channel is shown grey, of two or more than three the first three (black where there are
    not so many).

    Args:
        image: `(H, W, C)` in 0..255.
    """
    if image.shape[-1] == 1:
        image = np.repeat(image, 3, axis=-1)
    missing = max(0, 3 - image.shape[-1])
    image = np.pad(image[..., :3], ((0, 0), (0, 0), (0, missing)))
    return image if image.dtype == np.uint8 else np.rint(image).astype(np.uint8)


def overlay(
    image: np.ndarray, mask: np.ndarray, blend: float = 0.5, background: int | None = 0
) -> np.ndarray:
    """Mix a label map's colours into an image.

    Args:
        image: `(H, W, C)` in 0..255, shown as by `as_picture`.
        mask: Label map `(H, W)`.
        blend: Share of the colours, 0..1.
        background: Label that stays as in the image, or None.
    """
    image = as_picture(image)
    mixed = (1 - blend) * image + blend * colorize(mask)
    result = np.rint(mixed).astype(np.uint8)
    return (
        result if background is None else np.where((mask == background)[..., None], image, result)
    )
