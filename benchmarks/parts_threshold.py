"""Shows how far a single threshold gets on the test split of the data set ``parts``.

Run ``python benchmarks/parts_threshold.py --help`` for the options.
"""

from collections.abc import Callable

import cv2
import numpy as np
from jsonargparse import auto_cli
from result_files import write_rows
from rich.console import Console
from rich.table import Table

from kseg.data.parts import iter_parts

CHANNELS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "grey": lambda image: cv2.cvtColor(image, cv2.COLOR_RGB2GRAY),
    "red": lambda image: image[..., 0],
    "green": lambda image: image[..., 1],
    "blue": lambda image: image[..., 2],
    "saturation": lambda image: cv2.cvtColor(image, cv2.COLOR_RGB2HSV)[..., 1],
}


def best_threshold(values: np.ndarray, masks: np.ndarray) -> tuple[float, int, str]:
    """Finds the global threshold with the best IoU over all pixels together.

    Args:
        values: Uint8 array of any shape, one channel of all images.
        masks: Bool array of the same shape, True on the foreground.

    Returns:
        The IoU (0 to 1), the grey level, and the side of it taken as foreground: ">=" or "<".
    """
    foreground = np.bincount(values[masks], minlength=256)
    everything = np.bincount(values.ravel(), minlength=256)
    # Entry t counts the values below t, so that both sides of each level follow at once.
    hits, taken = (np.concatenate([[0], np.cumsum(count)]) for count in (foreground, everything))
    total, pixels = hits[-1], taken[-1]
    below = hits / np.maximum(taken + total - hits, 1)
    above = (total - hits) / np.maximum(pixels - taken + hits, 1)
    side, scores = ("<", below) if below.max() > above.max() else (">=", above)
    level = int(scores.argmax())
    return float(scores[level]), level, side


def otsu_iou(values: np.ndarray, masks: np.ndarray) -> float:
    """Thresholds each image by Otsu's method and takes its better side.

    Args:
        values: Uint8 array (images, height, width), one channel.
        masks: Bool array of the same shape, True on the foreground.

    Returns:
        The IoU over all pixels together, 0 to 1.
    """
    overlap = union = 0
    for value, mask in zip(values, masks, strict=True):
        _, split = cv2.threshold(value, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        counts = [((side & mask).sum(), (side | mask).sum()) for side in (split > 0, split == 0)]
        best = max(counts, key=lambda count: count[0] / max(count[1], 1))
        overlap, union = overlap + best[0], union + best[1]
    return float(overlap / max(union, 1))


def main(count: int = 40, size: tuple[int, int] = (224, 224), seed: int = 0) -> None:
    """Prints the IoU of thresholds on the test split and writes results/parts_threshold.csv.

    Args:
        count: Number of test images.
        size: Height and width in pixels.
        seed: Seed of the data set.
    """
    images, labels = zip(*iter_parts("test", count, size=size, seed=seed), strict=True)
    masks = np.stack(labels) > 0
    share = f"{count} test images, {masks.mean():.1%} of the pixels are parts"
    rows = []
    for name, channel in CHANNELS.items():
        values = np.stack([channel(image) for image in images])
        iou, level, side = best_threshold(values, masks)
        scores = {"iou": round(iou, 3), "otsu_iou": round(otsu_iou(values, masks), 3)}
        rows.append({"channel": name, "level": level, "side": side, **scores})
    write_rows("parts_threshold.csv", rows)
    table = Table(*rows[0], title=share)
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)


if __name__ == "__main__":
    auto_cli(main)
