"""Samples that tell where their pixels came from, and checks on them."""

import numpy as np

from kseg.data.augment.read import OPERATIONS
from kseg.data.augment.recipe import Recipe
from kseg.data.dataset import Sample

KINDS = {
    "grey": (1, "uint8"),
    "rgb": (3, "uint8"),
    "six": (6, "uint8"),
    "float": (3, "float32"),
    "float_six": (6, "float32"),
}


def coded(size):
    """A sample whose image holds x and y of each pixel and whose labels number the pixels."""
    y, x = np.indices(size)
    return Sample(np.stack([x, y], axis=-1).astype("float32"), y * size[1] + x, "coded")


def random_sample(kind="rgb", size=(40, 56), seed=0, labels=(0, 1, 2, 5, 255)):
    """Smooth colours with blocks of labels."""
    channels, dtype = KINDS[kind]
    rng = np.random.default_rng(seed)
    image = rng.uniform(0, 255, (*size, channels)).astype(dtype)
    blocks = rng.choice(labels, (-(-size[0] // 8), -(-size[1] // 8))).astype("uint8")
    mask = np.kron(blocks, np.ones((8, 8), "uint8"))[: size[0], : size[1]]
    return Sample(image, mask, f"{kind}{seed}")


def drawer(kind="rgb", size=(40, 56), **options):
    """A function that draws one of five other samples."""
    return lambda rng: random_sample(kind, size, seed=int(rng.integers(1, 6)), **options)


def steps(*operations, void=255, **options):
    return Recipe(operations, **options).transforms(void)


def always(name, **parameters):
    return OPERATIONS[name](p=1.0, **parameters)
