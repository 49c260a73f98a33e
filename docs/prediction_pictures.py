"""Draw the pictures of docs/prediction.md: what a model trained on nuclei sees in test images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from augmentation_pictures import titled
from data_pictures import beside
from jsonargparse import auto_cli

from kseg.data.classes import with_channels
from kseg.data.io import write_image
from kseg.data.registry import open_dataset
from kseg.inference import Predictor
from kseg.inference.outputs import DRAWN, Look
from kseg.inference.outputs.heatmap import draw_heat
from kseg.inference.outputs.outlines import nested_outlines
from kseg.inference.postprocess import PostProcess

IMAGES = Path(__file__).parent / "images"
SIDE = 224
# Test images with what there is to show; that they show it is all that chose them.
KINDS_IMAGE, CLEAN_IMAGE = 13, 0
STEPS = {
    "--fill_holes 30": PostProcess(fill_holes=30),
    "--opening 3": PostProcess(opening=3),
    "--min_size 60": PostProcess(min_size=60),
    "--split_touching 2": PostProcess(split_touching=2),
}


def main(run: str, data_root: str = "data") -> None:
    """Write both pictures.

    Args:
        run: A run on the data set `dsb2018`.
        data_root: Folder that holds the data set.
    """
    predictor = Predictor.load(run)
    dataset = with_channels(open_dataset("dsb2018", data_root), predictor.channels)

    def image(index: int) -> np.ndarray:
        return dataset.load_image(dataset.test[index])[:SIDE, :SIDE]

    write_image(IMAGES / "prediction_kinds.jpg", kinds_picture(predictor, image(KINDS_IMAGE)))
    write_image(IMAGES / "prediction_clean.jpg", clean_picture(predictor, image(CLEAN_IMAGE)))


def kinds_picture(predictor: Predictor, image: np.ndarray) -> np.ndarray:
    """Return an image beside the kinds of results."""
    (scores,) = predictor.probabilities([image])
    labels = scores.argmax(-1).astype(np.uint8)
    look = Look(Path(), predictor.class_names)
    drawn = {kind: draw(image, labels, look) for kind, (_, draw) in DRAWN.items()}
    drawn["cutout"] = on_checks(drawn["cutout"])
    views = {
        "image": image,
        **drawn,
        "heatmap": draw_heat(image, scores[..., 1]),
        "labelme": polygons(image, labels),
    }
    return rows([titled(view, title) for title, view in views.items()], 3)


def rows(pictures: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Return pictures in rows of some columns."""
    starts = range(0, len(pictures), columns)
    return np.concatenate([beside(pictures[start : start + columns]) for start in starts])


def on_checks(picture: np.ndarray) -> np.ndarray:
    """Return an RGBA picture over the squares that stand for transparency."""
    y, x = np.indices(picture.shape[:2]) // 8
    checks = np.where((x + y)[..., None] % 2, 255, 205)
    return np.where(picture[..., 3:] > 0, picture[..., :3], checks).astype(np.uint8)


def polygons(image: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return an image with the polygons of its label map and their corners."""
    picture = image.copy()
    for outline in nested_outlines(labels):
        colour = (0, 200, 0) if outline.label else (230, 0, 160)
        cv2.polylines(picture, [outline.points], True, colour, 1, cv2.LINE_AA)
    return picture


def clean_picture(predictor: Predictor, image: np.ndarray) -> np.ndarray:
    """Return an image and its prediction beside what the steps make of it."""
    (labels,) = predictor.predict([image])
    views = {"image": image, "prediction": shown(labels, labels)}
    for title, step in STEPS.items():
        views[title] = shown(labels, step(labels))
    return rows([titled(view, title) for title, view in views.items()], 3)


def shown(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return a label map in grey; red is what was taken away, green what came in, a bit thicker."""
    picture = np.repeat(np.where(after > 0, 170, 20).astype(np.uint8)[..., None], 3, axis=2)
    thick = np.ones((3, 3), np.uint8)
    for changed, colour in (
        ((before > 0) & (after == 0), (230, 40, 40)),
        ((before == 0) & (after > 0), (60, 200, 60)),
    ):
        picture[cv2.dilate(changed.astype(np.uint8), thick) > 0] = colour
    return picture


if __name__ == "__main__":
    auto_cli(main)
