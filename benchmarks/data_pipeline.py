"""Images per second of the data pipeline beside albumentations with torch's DataLoader.

Both decode the same JPEG and palette PNG files, bring them to one size by the same interpolation,
change them by the operations of the "medium" augmentation and stack uint8 batches, in turn in one
run. Needs `pip install albumentations==2.0.8 torch`.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from jsonargparse import auto_cli  # noqa: E402
from PIL import Image  # noqa: E402
from result_files import write_rows  # noqa: E402

RESULT = "data_pipeline.csv"
BATCH = 8
EPOCHS = 20
SCENES = 8


def main(
    size: int = 512, images: int = 96, height: int = 768, width: int = 1024, repeats: int = 5
) -> None:
    """Time whole epochs of both in turn, and the parts of ours.

    Args:
        size: Height and width of the batches.
        images: Files of the data set, which all fit into the cache of the third pipeline.
        height: Height of the files.
        width: Width of the files.
        repeats: Epochs of each; the medians count.
    """
    from kseg.data.cache import RamCache

    with tempfile.TemporaryDirectory() as folder:
        root = make_files(Path(folder), images, (height, width))
        workers = os.cpu_count() or 1
        epochs = {
            "kseg": kseg_epochs(root, size, workers),
            "albumentations": peer_epochs(root, size, workers),
            "kseg_cached": kseg_epochs(root, size, workers, RamCache(10**10)),
        }
        seconds: dict[str, list[float]] = {name: [] for name in epochs}
        for _ in range(repeats + 1):  # the first one warms up
            for name, epoch in epochs.items():
                start = time.perf_counter()
                assert next(epoch) == images
                seconds[name].append(time.perf_counter() - start)
        shares = stage_shares(root, size)
        memory = memory_over_epochs(root, size, workers)
    rates = {name: images / statistics.median(times[1:]) for name, times in seconds.items()}
    row = {
        "files": f"{width}x{height}",
        "size": size,
        "cpus": workers,
        **{f"{name}_images_per_second": round(rate, 1) for name, rate in rates.items()},
        "ratio": round(rates["kseg"] / rates["albumentations"], 2),
        "cached_ratio": round(rates["kseg_cached"] / rates["albumentations"], 2),
        **{f"kseg_{name}_share": round(share, 3) for name, share in shares.items()},
        "mb_after_2_epochs": memory[1],
        f"mb_after_{EPOCHS}_epochs": memory[-1],
    }
    print(row)
    write_rows(RESULT, [row])


def make_files(root: Path, count: int, size: tuple[int, int]) -> Path:
    """Write drawings as JPEG with label maps as PNG; return the data root."""
    from kseg.data.io import write_mask
    from kseg.data.parts import draw_scene
    from kseg.palette import class_palette

    for part in ("train", "test"):
        for kind in ("image", "label"):
            (root / "set" / f"{part}_{kind}").mkdir(parents=True)
    scenes = [draw_scene(np.random.default_rng(index), size) for index in range(SCENES)]
    for index in range(count):
        image, mask = scenes[index % SCENES]
        for part in ("train", "test")[: 2 if index == 0 else 1]:
            folder = root / "set"
            cv2.imwrite(str(folder / f"{part}_image" / f"{index:03d}.jpg"), image[..., ::-1])
            write_mask(folder / f"{part}_label" / f"{index:03d}.png", mask, class_palette())
    return root


def kseg_batches(root: Path, size: int, cache=None):
    """Return the batches of a training run, decoded anew in each epoch without a cache."""
    from kseg.data import open_dataset
    from kseg.data.augment import augmentation
    from kseg.data.batches import Batches

    dataset = open_dataset("set", root)
    transforms = augmentation("medium", void=dataset.void)
    options = {"transforms": transforms, "shuffle": True, "cache": cache}
    return Batches(dataset, dataset.train, BATCH, (size, size), **options)


def memory_over_epochs(root: Path, size: int, workers: int) -> list[int]:
    """Return the memory of this process in MB after each of some epochs."""
    epochs = kseg_epochs(root, size, workers)
    found = []
    for _ in range(EPOCHS):
        next(epochs)
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        found.append(pages * os.sysconf("SC_PAGE_SIZE") // 10**6)
    return found


def kseg_epochs(root: Path, size: int, workers: int, cache=None) -> Iterator[int]:
    """Yield the images of one epoch after the other, as Keras' fit asks for them."""
    from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter

    from kseg.training.loader import Loader

    loader = Loader(kseg_batches(root, size, cache), workers)
    adapter = PyDatasetAdapter(loader, shuffle=False)
    while True:
        adapter.on_epoch_begin()
        yield sum(len(batch[0]) for batch in adapter.get_numpy_iterator())
        adapter.on_epoch_end()
        loader.epoch += 1


def peer_epochs(root: Path, size: int, workers: int) -> Iterator[int]:
    """Yield the images of one epoch after the other, from worker processes that stay alive."""
    from torch.utils.data import DataLoader

    loader = DataLoader(
        PeerData(root / "set", size),
        BATCH,
        shuffle=True,
        num_workers=workers,
        persistent_workers=True,
        drop_last=True,
    )
    while True:
        yield sum(len(batch[0]) for batch in loader)


class PeerData:
    """The same files and operations for torch's DataLoader."""

    def __init__(self, folder: Path, size: int):
        import albumentations as peer

        from kseg.data.resize import interpolation_for

        self.images = sorted((folder / "train_image").iterdir())
        self.labels = folder / "train_label"
        with Image.open(self.images[0]) as image:
            interpolation = interpolation_for(image.size[::-1], (size, size))
        self.change = peer.Compose(
            [
                peer.Resize(size, size, interpolation=interpolation),
                peer.HorizontalFlip(p=0.5),
                peer.Affine(scale=(0.5, 2.0), keep_ratio=False, fill=128, fill_mask=255, p=0.8),
                peer.Rotate(limit=10, fill=128, fill_mask=255, p=0.25),
                peer.HueSaturationValue(18, 70, 30, p=0.8),
                peer.RandomBrightnessContrast(0, 0.3, p=0.25),
                peer.RandomGamma((70, 140), p=0.25),
                peer.GaussianBlur(sigma_limit=(0.1, 1.2), p=0.25),
            ]
        )

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.images)

    def __getitem__(self, index: int):
        """Return one changed image and its labels."""
        cv2.setNumThreads(1)
        path = self.images[index]
        image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        # OpenCV would make colours of palette indices.
        mask = np.array(Image.open(self.labels / f"{path.stem}.png"))
        changed = self.change(image=image, mask=mask)
        return changed["image"], changed["mask"]


def stage_shares(root: Path, size: int) -> dict[str, float]:
    """Return how our time on one thread divides between decoding, changing and copying."""
    from kseg.data.augment import augment
    from kseg.data.resize import resize_sample

    cv2.setNumThreads(1)
    batches = kseg_batches(root, size)
    spent = dict.fromkeys(("decode", "resize", "augment", "copy"), 0.0)
    clock = time.thread_time
    for first in range(0, len(batches.files) - BATCH, BATCH):
        samples = []
        for index in range(first, first + BATCH):
            times = [clock()]
            sample = batches.dataset.load(batches.files[index])
            times.append(clock())
            sample = resize_sample(sample, batches.size, 1, 255)
            times.append(clock())
            sample = augment(sample, batches.transforms, np.random.default_rng(index))
            times.append(clock())
            samples.append(sample)
            for name, start, end in zip(spent, times, times[1:], strict=False):
                spent[name] += end - start
        start = clock()
        np.stack([sample.image for sample in samples])
        np.stack([sample.labels for sample in samples])
        spent["copy"] += clock() - start
    return {name: value / sum(spent.values()) for name, value in spent.items()}


if __name__ == "__main__":
    auto_cli(main)
