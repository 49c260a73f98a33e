"""Images for the tests of strips, written in many formats, and networks for them."""

import cv2
import numpy as np
import tifffile
from PIL import Image

from kseg.inference.tiles import tiled_probabilities

OPTIONS = {"tile": 32, "overlap": 0.25, "num_classes": 3}


def random_image(height=77, width=110, channels=3, dtype="uint8"):
    rng = np.random.default_rng(0)
    return rng.integers(0, np.iinfo(dtype).max, (height, width, channels), dtype, endpoint=True)


def network(batch):
    """Probabilities of three classes that depend on the pixel and on its place in the tile."""
    size = batch.shape[1]
    ramp = np.linspace(0.5, 1, size * size, dtype=np.float32).reshape(1, size, size, 1)
    scores = batch[..., :3] * ramp + 1
    return scores / scores.sum(-1, keepdims=True)


def labels_of(image):
    return tiled_probabilities(image, network, **OPTIONS).argmax(-1)


def threshold(batch):
    bright = (batch[..., :1] > 127).astype(np.float32)
    return np.concatenate([1 - bright, bright], axis=-1)


WRITERS = {
    "rgb.npy": lambda path: np.save(path, random_image()),
    "grey.npy": lambda path: np.save(path, random_image()[..., 0]),
    "columns.npy": lambda path: np.save(path, np.asfortranarray(random_image())),
    "deep.npy": lambda path: np.save(path, random_image(dtype="uint16").astype(">u2")),
    "float.npy": lambda path: np.save(path, random_image().astype("float64")),
    "plain.tif": lambda path: tifffile.imwrite(path, random_image()),
    "big_endian.tif": lambda path: tifffile.imwrite(
        path, random_image(dtype="uint16"), byteorder=">", photometric="rgb"
    ),
    "planes.tif": lambda path: tifffile.imwrite(
        path, np.moveaxis(random_image(), -1, 0).copy(), photometric="rgb", planarconfig="separate"
    ),
    "strips.tif": lambda path: tifffile.imwrite(
        path, random_image(), compression="zlib", predictor=False, rowsperstrip=7
    ),
    "tiles.tif": lambda path: tifffile.imwrite(
        path, random_image(), compression="zlib", tile=(16, 48), bigtiff=True
    ),
    "tiled_planes.tif": lambda path: tifffile.imwrite(
        path,
        np.moveaxis(random_image(), -1, 0).copy(),
        compression="zlib",
        tile=(32, 16),
        photometric="rgb",
        planarconfig="separate",
    ),
    "raw_tiles.tif": lambda path: tifffile.imwrite(path, random_image(), tile=(16, 48)),
    "pages.tif": lambda path: tifffile.imwrite(
        path, np.moveaxis(random_image(), -1, 0).copy(), photometric="minisblack"
    ),
    "grey.png": lambda path: Image.fromarray(random_image()[..., 0]).save(path),
    "rgb.png": lambda path: Image.fromarray(random_image()).save(path),
    "rgba.png": lambda path: Image.fromarray(random_image(channels=4)).save(path),
    "palette.png": lambda path: Image.fromarray(random_image()).quantize(40).save(path),
    "bits.png": lambda path: Image.fromarray(random_image()[..., 0] > 99).save(path),
    "deep.png": lambda path: cv2.imwrite(str(path), random_image(dtype="uint16")),
    "name[1].png": lambda path: Image.fromarray(random_image()).save(path),
    "lzw.tif": lambda path: Image.fromarray(random_image()).save(path, compression="tiff_lzw"),
    "turned.png": lambda path: Image.fromarray(random_image()).save(path, exif=turned()),
}


def turned():
    exif = Image.Exif()
    exif[274] = 6
    return exif
