"""A network whose answers are known, and a data set for it."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from kseg.config import EvaluateConfig
from tests.inference.bright import save_bright

# Images are of these two colours: the second one is foreground.
DARK, BRIGHT = (20, 40, 90), (250, 200, 180)
IMAGES = 6


def write_model(path):
    """Write a network that says foreground where a pixel is bright."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return save_bright(path, class_names=("background", "foreground"), input_width=32)


def write_data(folder, count=6, size=(32, 32)):
    """Write images with a bright square, and label maps whose square is larger and larger.

    The truth has a square of side 8 + index, the image always one of side 8: image 0 is all right.
    """
    for part in ("train", "test"):
        for kind in ("image", "label"):
            (folder / f"{part}_{kind}").mkdir(parents=True)
        for index in range(count):
            image, truth = np.full((*size, 3), DARK, np.uint8), np.zeros(size, np.uint8)
            image[4:12, 4:12], truth[4 : 12 + index, 4:12] = BRIGHT, 1
            Image.fromarray(image).save(folder / f"{part}_image" / f"{index:02}.png")
            Image.fromarray(truth).save(folder / f"{part}_label" / f"{index:02}.png")
    return folder


def mean_iou(index, pixels=32 * 32):
    """The mean IoU of the network on an image of `write_data`, by hand.

    64 pixels of the foreground are found and 8 * index missed; the background has no error but
    those.
    """
    missed = 8 * index
    return (64 / (64 + missed) + (pixels - 64 - missed) / (pixels - 64)) / 2


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder with a model of known answers."""
    folder = tmp_path_factory.mktemp("runs") / "exp" / "unet"
    write_model(folder / "best.keras")
    (folder / "config.yaml").write_text("model_name: unet\nloss: dice\n")
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data") / "squares", IMAGES)


def settings(run, data, output, **others):
    return EvaluateConfig(str(run), data.name, str(data.parent), output=str(output), **others)


def report_of(folder):
    return json.loads((folder / "report.json").read_text())


def rows_of(folder):
    with (folder / "per_image.csv").open() as file:
        return list(csv.DictReader(file))
