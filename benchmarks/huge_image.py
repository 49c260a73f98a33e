"""Peak memory of segmenting an image of 20000x20000 pixels, by kind of file.

Needs Linux, 5 GB on the disk and `pip install 'pyvips[binary]'`.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np  # noqa: E402
from jsonargparse import auto_cli  # noqa: E402
from result_files import write_rows  # noqa: E402

RESULT = "huge_image.csv"
FILES = ("plain.tif", "tiles.tif", "image.png", "image.jpg", "image.npy")
CASES = (*((name, "identity") for name in FILES), ("plain.tif", "convolution"))


def main(size: int = 20_000, tile: int = 512, overlap: float = 0.25, batch_size: int = 4) -> None:
    """Segment the same image from several kinds of file, each in a process of its own.

    Args:
        size: Height and width of the image.
        tile: Height and width of the tiles.
        overlap: Least share of a tile that the next one covers too.
        batch_size: Tiles per run.
    """
    options = {"tile": tile, "overlap": overlap, "batch_size": batch_size, "num_classes": 2}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder), size)
        for name, network in CASES:
            path, target = Path(folder) / name, Path(folder) / "labels.tif"
            measured = in_new_process(path, target, network, options)
            row = {
                "file": name,
                "file_mb": round(path.stat().st_size / 1e6),
                "network": network,
                "size": size,
                **options,
                **measured,
                "labels_exact": is_exact(path, target) if network == "identity" else "",
            }
            print(row, flush=True)
            rows.append(row)
    write_rows(RESULT, rows)


def write_files(folder: Path, size: int) -> None:
    """Write one image in all formats: drawings side by side, each row of them shifted."""
    import pyvips

    from kseg.data.parts import draw_scene

    scenes = [draw_scene(np.random.default_rng(seed), (500, 500))[0] for seed in range(8)]
    across = -(-size // 4000) + 1
    band = np.tile(np.concatenate(scenes, axis=1), (1, across, 1))
    image = np.lib.format.open_memmap(folder / "image.npy", "w+", np.uint8, (size, size, 3))
    for index, top in enumerate(range(0, size, 500)):
        shift = index * 137 % 4000
        image[top : top + 500] = band[: size - top, shift : shift + size]
    image.flush()
    del image
    stored = np.load(folder / "image.npy", mmap_mode="r")
    whole = pyvips.Image.rawload(folder / "image.npy", size, size, 3, offset=stored.offset)
    whole = whole.copy(interpretation="srgb")
    whole.tiffsave(folder / "plain.tif", bigtiff=True)
    deflate = {"tile": True, "tile_width": 512, "tile_height": 512, "compression": "deflate"}
    whole.tiffsave(folder / "tiles.tif", bigtiff=True, **deflate)
    whole.pngsave(folder / "image.png", compression=1)
    whole.jpegsave(folder / "image.jpg", Q=90)


def in_new_process(path: Path, target: Path, network: str, options: dict[str, Any]) -> dict:
    """Return what `measure` returns in a new process."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(measure, (path, target, network, options))


def measure(path: Path, target: Path, network: str, options: dict[str, Any]) -> dict[str, Any]:
    """Segment a file; return the memory of the process in MB.

    `added_mb` is the peak above what the process held after it had loaded the network and run it
    once, `stated_mb` the most that it may be, without the source's own.
    """
    from kseg.inference.huge import open_source, peak_bytes, segment_file

    tile, classes, batch_size = (options[key] for key in ("tile", "num_classes", "batch_size"))
    run = NETWORKS[network]()
    run(np.zeros((batch_size, tile, tile, 3), np.uint8))
    width = open_source(path).shape[1]
    stated = peak_bytes(width, 3, tile=tile, num_classes=classes, batch_size=batch_size)
    # Forgets the peak of what came before.
    Path("/proc/self/clear_refs").write_text("5")
    before = memory_mb("VmRSS")
    segment_file(path, target, run, **options)
    peak = memory_mb("VmHWM")
    return {
        "before_mb": before,
        "peak_mb": peak,
        "added_mb": peak - before,
        "stated_mb": round(stated / 1e6),
    }


def memory_mb(name: str) -> int:
    """Return a figure on the memory of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f"{name}:"))
    return round(int(line.split()[1]) * 1024 / 1e6)


def identity() -> Callable:
    """Return a network whose probabilities are the red channel and its opposite."""

    def run(batch: np.ndarray) -> np.ndarray:
        red = batch[..., :1] / np.float32(255)
        return np.concatenate([1 - red, red], axis=-1)

    return run


def convolution() -> Callable:
    """Return a Keras model of one convolution."""
    import keras

    layer = keras.layers.Conv2D(2, 3, padding="same", activation="softmax")
    return keras.Sequential([keras.Input((None, None, 3)), layer]).predict_on_batch


NETWORKS = {"identity": identity, "convolution": convolution}


def is_exact(path: Path, target: Path) -> bool:
    """Tell whether each label says whether red is above its middle."""
    import tifffile

    from kseg.inference.huge import open_source

    source, labels = open_source(path), tifffile.imread(target)
    tops = range(0, len(labels), 100)
    return all(
        np.array_equal(source.rows(top, min(top + 100, len(labels)))[..., 0] > 127, found)
        for top, found in ((top, labels[top : top + 100]) for top in tops)
    )


if __name__ == "__main__":
    auto_cli(main)
