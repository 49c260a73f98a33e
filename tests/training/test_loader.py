"""What reaches the model depends on no number of workers."""

import cv2
import numpy as np
import pytest
from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter

from kseg.data import open_dataset
from kseg.data.augment import augmentation, find_recipe
from kseg.data.batches import Batches
from kseg.data.cache import RamCache
from kseg.data.dataset import Dataset, SampleFiles
from kseg.losses import get_loss
from kseg.training import train
from kseg.training.depth import batch_type
from kseg.training.inputs import Inputs
from kseg.training.loader import Loader
from tests.training.cases import settings


def epochs(batches, workers, count=2):
    """All arrays of some epochs, in the order in which Keras hands them to the model."""
    loader = Loader(batches, workers)
    adapter = PyDatasetAdapter(loader, shuffle=False)
    found = []
    for epoch in range(count):
        loader.epoch = epoch
        adapter.on_epoch_begin()
        found += [np.array(array) for batch in adapter.get_numpy_iterator() for array in batch]
        adapter.on_epoch_end()
    return found


@pytest.mark.parametrize("name", ["none", "strong", "medical", "mixup"])
@pytest.mark.parametrize("cached", [False, True])
def test_four_workers_make_the_batches_of_none(name, cached, parts_root, tmp_path):
    dataset = open_dataset("parts", parts_root)
    if name == "mixup":
        (tmp_path / "mixup.yaml").write_text("[hflip, {cutmix: {p: 0.5}}, {mixup: {p: 0.5}}]")
        name = str(tmp_path / "mixup.yaml")
    options = {"transforms": augmentation(name, void=dataset.void), "shuffle": True, "seed": 5}
    cache = RamCache(10**8) if cached else None
    batches = Batches(dataset, dataset.train, 4, (48, 64), cache=cache, **options)
    alone, together = epochs(batches, 0), epochs(batches, 4)
    assert len(alone) == len(together) == 2 * 4 * 2
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(alone[0], alone[8])


class Recorder:
    """Stands in for `Batches`: gives its own index and notes what it was asked for."""

    def __init__(self):
        self.asked = []

    def __len__(self):
        return 12

    def batch(self, epoch, index, read):
        self.asked.append((epoch, index))
        return np.full(1, index), np.full(1, epoch)


def test_batches_are_read_ahead_within_an_epoch_and_never_for_a_peek():
    batches = Recorder()
    loader = Loader(batches, 2)
    loader[0]
    assert batches.asked == [(0, 0)]
    for epoch in (0, 1):
        loader.epoch = epoch
        batches.asked.clear()
        loader.on_epoch_begin()
        found = [
            (int(truth[0]), int(image[0])) for image, truth in map(loader.__getitem__, range(12))
        ]
        loader.on_epoch_end()
        assert found == [(epoch, index) for index in range(12)]
        assert sorted(batches.asked) == found


def test_an_epoch_that_is_broken_off_leaves_nothing_for_the_next():
    batches = Recorder()
    loader = Loader(batches, 2)
    loader.on_epoch_begin()
    loader[0]
    loader.on_epoch_end()
    loader.epoch = 1
    loader.on_epoch_begin()
    assert [int(loader[index][1][0]) for index in range(12)] == [1] * 12


@pytest.mark.parametrize("error", [ValueError("a.png: damaged"), OSError(5, "no disk", "a.png")])
def test_what_a_batch_raises_ends_the_run_as_it_is(error, parts_root, tmp_path, monkeypatch):
    read = Batches.batch

    def broken(self, epoch, index, reader=map):
        if index == 3:  # Keras reads the first two in advance.
            raise error
        return read(self, epoch, index, reader)

    monkeypatch.setattr(Batches, "batch", broken)
    with pytest.raises(type(error)) as caught:
        train(settings(parts_root, tmp_path, epochs=1))
    assert caught.value is error


def write(path, dtype):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.full((32, 32), np.iinfo(dtype).max, dtype)
    if path.suffix == ".npy":
        np.save(path, image)
    else:
        cv2.imwrite(str(path), image)
    return SampleFiles(path)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".npy"])
def test_one_deep_image_makes_all_batches_deep(suffix, tmp_path):
    flat = [write(tmp_path / f"{index}{suffix}", "uint8") for index in range(3)]
    flat.append(write(tmp_path / "3.jpg", "uint8"))
    deep = write(tmp_path / f"4{suffix}", "uint16")
    assert batch_type(flat) is np.uint8
    assert batch_type([*flat, deep]) is np.float32


def test_images_of_8_and_16_bits_are_fed_as_one_type(tmp_path):
    files = [
        SampleFiles(
            write(tmp_path / "images" / f"{index}.png", "uint16" if index == 5 else "uint8").image,
            write(tmp_path / "labels" / f"{index}.png", "uint8").image,
        )
        for index in range(6)
    ]
    dataset = Dataset("own", files, (), (), ("ground", "part"))
    config = settings(tmp_path, tmp_path, validate=False, cache="none")
    inputs = Inputs(config, dataset, get_loss("ce"), find_recipe("none"))
    loader = inputs.training(1)
    batches = [loader[index][0] for index in range(len(loader))]
    assert len(batches) > 1
    assert {batch.dtype.name for batch in batches} == {"float32"}
    assert {float(batch.max()) for batch in batches} == {255.0}
    one = Loader(loader.batches, dtype=np.uint8)
    with pytest.raises(ValueError, match="own: most images have 8 bits per channel, but one"):
        [one[index] for index in range(len(one))]


def test_keras_starts_no_threads_of_its_own():
    adapter = PyDatasetAdapter(Loader(Recorder(), 2), shuffle=False)
    assert adapter.enqueuer is None
