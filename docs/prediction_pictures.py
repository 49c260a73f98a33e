"""Draw the pictures of docs/prediction.md: what a model trained on `parts` sees in new scenes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from augmentation_pictures import titled
from data_pictures import beside
from jsonargparse import auto_cli

from kseg.data.io import write_image
from kseg.data.parts import draw_scene
from kseg.inference import Predictor
from kseg.inference.outputs import DRAWN, Look
from kseg.inference.outputs.heatmap import draw_heat
from kseg.inference.outputs.outlines import nested_outlines
from kseg.inference.postprocess import PostProcess

IMAGES = Path(__file__).parent / "images"
SIZE = 224, 224
# Scenes with what there is to show; that they look well is all that chose them.
KINDS_SCENE, CLEAN_SCENE = 7, 12
STEPS = {
    "--fill_holes 30": PostProcess(fill_holes=30),
    "--opening 2": PostProcess(opening=2),
    "--min_size 100": PostProcess(min_size=100),
}
CELLS = ((60, 70, 44), (140, 58, 38), (118, 142, 48), (190, 118, 34), (46, 178, 30))


def main(run: str = "weights/exp1/unet") -> None:
    """Write both pictures.

    Args:
        run: A run on the data set `parts`, as `make train` makes it.
    """
    predictor = Predictor.load(run)
    write_image(IMAGES / "prediction_kinds.jpg", kinds_picture(predictor, scene(KINDS_SCENE)))
    write_image(IMAGES / "prediction_clean.jpg", clean_picture(predictor, scene(CLEAN_SCENE)))


def scene(index: int) -> np.ndarray:
    """Return one of many scenes that no model was trained on."""
    rng = np.random.default_rng([23, index])
    image, _ = draw_scene(rng, SIZE, magnification=1.0, clutter=0.6)
    return image


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
    """Return a prediction beside what the steps make of it, and cells that touch."""
    (labels,) = predictor.predict([image])
    views = {"prediction": shown(labels, labels)}
    for title, step in STEPS.items():
        views[title] = shown(labels, step(labels))
    cells = np.zeros(SIZE, np.uint8)
    for x, y, radius in CELLS:
        cv2.circle(cells, (x, y), radius, 1, -1)
    views["cells"] = shown(cells, cells)
    views["--split_touching 3"] = shown(cells, PostProcess(split_touching=3)(cells))
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
