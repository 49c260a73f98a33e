"""A network whose answers are known, and a data set for it."""

import numpy as np
from PIL import Image

from tests.inference.bright import save_bright

# Images are of these two colours: the second one is foreground.
DARK, BRIGHT = (20, 40, 90), (250, 200, 180)


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
