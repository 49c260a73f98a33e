"""What the Python programs share: description, resizing, classes to colours."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

BORDER_GREY = 128
LEAST_PROBABILITY = np.float32(1e-30)
JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"


def read_description(model: Path) -> dict:
    """Return what the JSON file beside a model says, "size" being what the network runs at."""
    path = Path(f"{model}.json")
    if not path.is_file():
        sys.exit(f"{path} is missing; the export command writes it")
    about = json.loads(path.read_text("utf-8"))
    if about["size"] is None:
        about["size"] = [about["model"]["input_height"], about["model"]["input_width"]]
    return about


def read_picture(path: Path, channels: int) -> np.ndarray:
    """Return a picture `(H, W, channels)` uint8, upright by its EXIF entry."""
    flags = {1: cv2.IMREAD_GRAYSCALE, 3: cv2.IMREAD_COLOR_RGB}
    if channels not in flags:
        sys.exit(f"this program reads pictures of 1 or 3 channels, the model takes {channels}")
    try:
        data = np.fromfile(path, np.uint8)
        # OpenCV fills what is missing of a JPEG with grey, silently.
        if data[:2].tobytes() == JPEG_START and JPEG_END not in data[-4096:].tobytes():
            sys.exit(f"{path}: the picture is cut off")
        image = cv2.imdecode(data, flags[channels]) if data.size else None
    except (OSError, cv2.error):
        image = None
    if image is None:
        sys.exit(f"{path}: no readable picture")
    return image.reshape(*image.shape[:2], channels)


def write_picture(path: Path, image: np.ndarray) -> None:
    """Write a picture as OpenCV has it, blue first, in the format that the extension names."""
    try:
        written = cv2.imwrite(str(path), image)
    except cv2.error:
        written = False
    if not written:
        sys.exit(f"{path}: cannot be written")


def place(size: tuple[int, int], about: dict) -> tuple[slice, slice]:
    """Return the rows and columns of the network's input that an image of `size` fills."""
    target = about["size"]
    if about["model"]["resize_op"] == 1:
        return slice(0, target[0]), slice(0, target[1])
    scale = min(target[0] / size[0], target[1] / size[1])
    slices = []
    for length, limit in zip(size, target, strict=True):
        inner = max(1, min(limit, round(length * scale)))
        first = (limit - inner) // 2
        slices.append(slice(first, first + inner))
    return slices[0], slices[1]


def to_input(image: np.ndarray, about: dict) -> np.ndarray:
    """Return an image `(H, W, C)` uint8 as the graph takes it, `(1, ...)`."""
    rows, columns = place(image.shape[:2], about)
    new = rows.stop - rows.start, columns.stop - columns.start
    # Bilinear shrinking by more than 1.5 would skip pixels; exactly 2 is a mean all the same.
    skips = any(
        2 * old > 3 * length and old != 2 * length
        for old, length in zip(image.shape, new, strict=False)
    )
    resized = image
    if skips:
        # Of the sides that shrink alone: OpenCV takes no means over areas where one grows.
        least = tuple(min(pair) for pair in zip(image.shape, new, strict=False))
        resized = cv2.resize(image, least[::-1], interpolation=cv2.INTER_AREA)
    if resized.shape[:2] != new:
        resized = cv2.resize(resized, new[::-1], interpolation=cv2.INTER_LINEAR)
    resized = resized.reshape(*new, -1)
    batch = np.full((1, *about["size"], image.shape[-1]), BORDER_GREY, np.uint8)
    batch[0, rows, columns] = resized
    if about["layout"] == "NCHW":
        batch = batch.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(batch, about["input_dtype"])


def to_labels(output: np.ndarray, size: tuple[int, int], about: dict) -> np.ndarray:
    """Return the label map `(H, W)` uint8 of the first output, at the size of the image.

    Logits, or logarithms of probabilities, are interpolated, and the best class is taken after it.
    """
    logits = _logits(np.squeeze(output, 0), about)
    rows, columns = place(size, about)
    planes = [
        cv2.resize(np.ascontiguousarray(plane), size[::-1], interpolation=cv2.INTER_LINEAR)
        for plane in np.moveaxis(logits[rows, columns], -1, 0)
    ]
    return np.argmax(planes, axis=0).astype(np.uint8)


def _logits(scores: np.ndarray, about: dict) -> np.ndarray:
    """Return `(h, w, C)` float32, C at least 2."""
    if about["output"] == "labels":
        classes = max(2, len(about["model"]["class_names"]))
        chosen = np.eye(classes, dtype=np.float32)[scores.reshape(about["size"]).astype(np.uint8)]
        return np.log(np.maximum(chosen, LEAST_PROBABILITY))
    if about["layout"] == "NCHW":
        scores = np.moveaxis(scores, 0, -1)
    logits = about["output"] == "logits"
    if scores.shape[-1] == 1:
        scores = np.concatenate([np.zeros_like(scores) if logits else 1 - scores, scores], -1)
    return scores if logits else np.log(np.maximum(scores, LEAST_PROBABILITY))


def overlay(image: np.ndarray, labels: np.ndarray, palette: list[list[int]]) -> np.ndarray:
    """Mix the colours of the classes into an image half and half; class 0 stays as it is."""
    colours = np.zeros((256, 3), np.uint8)
    colours[: len(palette)] = palette
    mixed = np.rint(0.5 * image + 0.5 * colours[labels]).astype(np.uint8)
    return np.where((labels == 0)[..., None], image, mixed)


def main(open_model: Callable[[Path, dict], Callable[[np.ndarray], np.ndarray]]) -> None:
    """Be the program `segment.py MODEL IMAGE OVERLAY.png [LABELS.png]`.

    Args:
        open_model: Opens a model, given its file and its description: a function from the input
            to the first output, with a first axis of length 1.
    """
    if len(sys.argv) not in (4, 5):
        sys.exit(f"usage: {Path(sys.argv[0]).name} MODEL IMAGE OVERLAY.png [LABELS.png]")
    model, picture, *targets = map(Path, sys.argv[1:])
    about = read_description(model)
    image = read_picture(picture, about["channels"])
    try:
        run = open_model(model, about)
    except Exception as error:  # each runtime has exceptions of its own
        sys.exit(f"{model}: cannot be opened ({error})")
    start = time.perf_counter()
    output = run(to_input(image, about))
    print(f"network: {(time.perf_counter() - start) * 1e3:.1f} ms")
    labels = to_labels(output, image.shape[:2], about)
    for label, name in enumerate(about["model"]["class_names"]):
        print(f"{name:20} {(labels == label).mean():7.2%}")
    write_picture(targets[0], overlay(image, labels, about["palette"])[..., ::-1])
    if len(targets) > 1:
        write_picture(targets[1], labels)
