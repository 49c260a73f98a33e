"""Draw the pictures of docs/data.md into docs/images, from scenes that kseg draws itself."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from augmentation_pictures import titled
from PIL import Image

from kseg.data import edge_weights
from kseg.data.checks import CheckOptions, check_folder
from kseg.data.checks.sheet import check_sheet
from kseg.data.dataset import VOID, Sample
from kseg.data.io import write_image, write_mask
from kseg.data.parts import draw_scene
from kseg.data.resize import LETTERBOX, STRETCH, resize_sample
from kseg.palette import class_palette, colorize, overlay

IMAGES = Path(__file__).parent / "images"
SIZE = 144, 192
GAP = 12
CELL, CELLS = 30, 8
RED, GREEN = (200, 0, 0), (0, 110, 0)


def main() -> None:
    """Write all pictures."""
    write_image(IMAGES / "data_sample.jpg", sample_picture())
    write_image(IMAGES / "data_values.png", values_picture())
    write_image(IMAGES / "data_resize.jpg", resize_picture())
    write_image(IMAGES / "data_edge_weights.png", weights_picture())
    write_sheet(IMAGES / "data_check.jpg")


def scene(index: int) -> Sample:
    """Return one of many scenes with its label map of six classes."""
    rng = np.random.default_rng([11, index])
    return Sample(*draw_scene(rng, SIZE, magnification=1.5, clutter=0.6), f"scene_{index}")


def beside(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Return pictures in a row, with white between them."""
    framed = [np.pad(p, ((0, GAP), (0, GAP), (0, 0)), constant_values=255) for p in pictures]
    tallest = max(len(picture) for picture in framed)
    return np.concatenate(
        [np.pad(p, ((0, tallest - len(p)), (0, 0), (0, 0)), constant_values=255) for p in framed],
        axis=1,
    )


def sample_picture() -> np.ndarray:
    """Return an image, its label map as grey and by a palette, and the overlay."""
    one = scene(1)
    grey = np.repeat(one.labels[..., None], 3, axis=2)
    views = {
        "image": one.image,
        "8-bit grey: 0 to 5": grey,
        "the same with a palette": colorize(one.labels),
        "overlay": overlay(one.image, one.labels),
    }
    return beside([titled(view, title) for title, view in views.items()])


def values_picture() -> np.ndarray:
    """Return the values of one corner of an object, saved rightly and wrongly."""
    labels = np.zeros((CELLS, CELLS), np.uint8)
    cv2.circle(labels, (CELLS, CELLS), CELLS - 2, 1, -1)
    white = labels * 255
    large = cv2.resize(white, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)
    smooth = cv2.resize(large, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(smooth, (3, 3), 0.8)
    cases = {
        "label map": (labels, {0, 1}),
        "0/255 mask": (white, {0}),
        "smoothed edges": (smooth, {0}),
        "JPEG": (as_jpeg(white), {0}),
    }
    grids = [titled(cells(values, right), title) for title, (values, right) in cases.items()]
    return beside(grids)


def as_jpeg(values: np.ndarray) -> np.ndarray:
    """Return grey values after JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "JPEG", quality=75)
    return np.asarray(Image.open(buffer))


def cells(values: np.ndarray, right: set[int]) -> np.ndarray:
    """Return the values as numbers in boxes, red where they are no class number."""
    picture = np.full((CELLS * CELL, CELLS * CELL, 3), 255, np.uint8)
    for (row, column), value in np.ndenumerate(values):
        shade = 255 - 64 * int(value) // int(values.max())
        top, left = row * CELL, column * CELL
        picture[top : top + CELL - 1, left : left + CELL - 1] = shade
        colour = GREEN if int(value) in right else RED
        place = left + 12 - 4 * (len(str(value)) - 1), top + 19
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(picture, str(value), place, font, 0.38, colour, 1, cv2.LINE_AA)
    return picture


def resize_picture() -> np.ndarray:
    """Return a wide scene, and what both ways of resizing make of image and label map."""
    one = scene(1)
    views = {"192x144": one}
    for op, title in ((STRETCH, "--resize_op 1"), (LETTERBOX, "--resize_op 2")):
        views[title] = resize_sample(one, (SIZE[0], SIZE[0]), op, VOID)
    pairs = []
    for title, view in views.items():
        colours = colorize(view.labels)
        colours[view.labels == VOID] = 255
        pairs += [titled(view.image, title), titled(framed(colours), "")]
    return beside(pairs)


def framed(picture: np.ndarray) -> np.ndarray:
    """Return a picture with a grey line around it, since void is white like the page."""
    inner = picture[1:-1, 1:-1]
    return np.pad(inner, ((1, 1), (1, 1), (0, 0)), constant_values=160)


def weights_picture() -> np.ndarray:
    """Return cells that nearly touch, and the weights of the pixels between them."""
    labels = np.zeros(SIZE, np.uint8)
    for x, y, radius in ((45, 45, 30), (103, 40, 26), (84, 96, 31), (150, 84, 36), (28, 106, 24)):
        cv2.circle(labels, (x, y), radius + 2, 0, -1)
        cv2.circle(labels, (x, y), radius, 1, -1)
    weights = edge_weights(labels)
    heat = cv2.applyColorMap((weights / weights.max() * 255).astype(np.uint8), cv2.COLORMAP_VIRIDIS)
    title = f"weights {weights.min():.0f} (blue) to {weights.max():.1f} (yellow)"
    views = {"label map": colorize(labels), title: heat[..., ::-1]}
    large = [
        cv2.resize(v, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_NEAREST) for v in views.values()
    ]
    return beside([titled(view, name) for view, name in zip(large, views, strict=True)])


def write_sheet(path: Path) -> None:
    """Break a data set in several ways and write the checker's contact sheet of it."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "scenes"
        write_faulty(folder)
        report = check_folder(folder, CheckOptions(num_classes=2))
        sheet = Path(temporary) / "sheet.png"
        check_sheet(report, sheet, 8)
        with Image.open(sheet) as picture:
            half = [3 * length // 4 for length in picture.size]
            picture.convert("RGB").resize(half).save(path, quality=88)


def write_faulty(folder: Path) -> None:
    """Write scenes in plain folders, most of them with a fault."""
    harms: Sequence[Callable[[Path], None] | None] = (
        *(None, to_255, smoothed, lossy, coloured, cropped, turned),
        None,
    )
    for index, harm in enumerate(harms):
        part = "test" if index == 0 else "train"
        name = folder / f"{part}_label" / f"scene_{index}.png"
        one = scene(index)
        write_image(folder / f"{part}_image" / f"scene_{index}.jpg", one.image)
        write_mask(name, (one.labels > 0).astype(np.uint8), class_palette())
        if harm is not None:
            harm(name)


def _labels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def to_255(path: Path) -> None:
    """Write 255 for the object."""
    Image.fromarray(_labels(path) * 255).save(path)


def smoothed(path: Path) -> None:
    """Resize without care for labels."""
    small = cv2.resize(_labels(path) * 255, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA)
    Image.fromarray(cv2.resize(small, SIZE[::-1], interpolation=cv2.INTER_LINEAR)).save(path)


def lossy(path: Path) -> None:
    """Save as JPEG."""
    Image.fromarray(_labels(path) * 255).save(path.with_suffix(".jpg"), quality=50)
    path.unlink()


def coloured(path: Path) -> None:
    """Save colours that are in no table."""
    Image.fromarray(
        np.where(_labels(path)[..., None] > 0, (250, 120, 20), 0).astype(np.uint8)
    ).save(path)


def cropped(path: Path) -> None:
    """Cut off some rows."""
    Image.fromarray(_labels(path)[:-20]).save(path)


def turned(path: Path) -> None:
    """Give the image an EXIF orientation that its label map does not have."""
    image = path.parent.parent / "train_image" / f"{path.stem}.jpg"
    exif = Image.Exif()
    exif[274] = 6
    with Image.open(image) as picture:
        picture.load()
    picture.save(image, exif=exif, quality=95)


if __name__ == "__main__":
    main()
