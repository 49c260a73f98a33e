"""Milliseconds that each augmentation takes for an image, on one core."""

from __future__ import annotations

import time
from collections.abc import Sequence

import cv2
import numpy as np
from jsonargparse import auto_cli
from result_files import write_rows

from kseg.data.augment import PRESETS, Recipe, Transform, augment, augmentation
from kseg.data.augment.read import OPERATIONS
from kseg.data.dataset import Sample
from kseg.data.parts import draw_scene

RESULT = "augmentation.csv"


def main(size: int = 512, images: int = 200) -> None:
    """Time the presets, and each operation with its default parameters and probability 1.

    Args:
        size: Height and width of the images.
        images: Number of images per row of the result.
    """
    cv2.setNumThreads(1)
    scenes = [draw_scene(np.random.default_rng(index), (size, size)) for index in range(4)]
    cases = [("preset", name, augmentation(name)) for name in PRESETS]
    for name, kind in OPERATIONS.items():
        cases.append(("operation", name, Recipe((kind(p=1.0),)).transforms()))
    rows = []
    for what, name, transforms in cases:
        row = {"kind": what, "name": name, "size": size, "images": images}
        for dtype in ("uint8", "float32"):
            samples = [Sample(image.astype(dtype), mask, "") for image, mask in scenes]
            spent = milliseconds(samples, transforms, images)
            row[f"{dtype}_ms"] = round(float(spent.mean()), 2)
            row[f"{dtype}_ms_p95"] = round(float(np.percentile(spent, 95)), 2)
        print(row)
        rows.append({**row, "opencv": cv2.__version__})
    write_rows(RESULT, rows)


def milliseconds(
    samples: Sequence[Sample], transforms: Sequence[Transform], images: int
) -> np.ndarray:
    """Return the processor time of each of several augmentations."""
    spent = []
    for index in range(-5, images):
        rng = np.random.default_rng([index % 1000, 0])
        start = time.thread_time()
        augment(samples[index % 4], transforms, rng, lambda rng: samples[int(rng.integers(4))])
        spent.append(time.thread_time() - start)
    return 1000 * np.array(spent[5:])


if __name__ == "__main__":
    auto_cli(main)
