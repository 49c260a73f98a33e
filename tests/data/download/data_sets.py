"""Small data sets in archives, and fetching them."""

import hashlib
import io
from dataclasses import replace

import numpy as np
from PIL import Image

from kseg.data.download import SOURCES, Options, fetch_dataset
from kseg.data.download.checksum import Checksum
from kseg.data.download.transfer import Patience
from tests.data.download.archives import Entry

OPTIONS = Options(patience=Patience(attempts=2, wait=0.0, timeout=(5.0, 5.0)))


def png(value=1, size=(8, 6), mode="L"):
    out = io.BytesIO()
    pixels = np.full((*size, 3) if mode == "RGB" else size, value, np.uint8)
    Image.fromarray(pixels, mode).save(out, "png")
    return out.getvalue()


def pairs(images, masks, count, start=0):
    """Files `images` and `masks`, patterns with a place for a number."""
    numbers = range(start, start + count)
    return [
        Entry(pattern.format(n), png(value, mode=mode))
        for n in numbers
        for pattern, value, mode in ((images, n, "RGB"), (masks, 1, "L"))
    ]


def folders(count=3):
    return [
        *pairs("mine/train_image/{}.png", "mine/train_label/{}.png", count),
        *pairs("mine/test_image/{}.png", "mine/test_label/{}.png", 2),
    ]


def quiet(source, root, options=OPTIONS):
    said = []
    return fetch_dataset(source, root, options, said.append), said


def publish(server, name, *archives):
    """Let the server publish archives for a known data set."""
    known = SOURCES[name]
    published = []
    for number, content in enumerate(archives):
        server.files[f"/{number}"] = content
        old = known.archives[number]
        checksum = Checksum("sha256", hashlib.sha256(content).hexdigest()) if old.checksum else None
        published.append(replace(old, urls=[f"{server.url}/{number}"], checksum=checksum))
    return replace(known, archives=published)


def sizes(dataset):
    return [len(part) for part in dataset.splits.values()]


def voc_entries(year, parts):
    folder = f"VOCdevkit/VOC{year}"
    entries = []
    for part, start in parts.items():
        images, masks = f"{folder}/JPEGImages/{{}}.png", f"{folder}/SegmentationClass/{{}}.png"
        entries += pairs(images, masks, 2, start)
        ids = f"{start}\n{start + 1}\n".encode()
        entries.append(Entry(f"{folder}/ImageSets/Segmentation/{part}.txt", ids))
    return entries
