"""What reaches the model depends on no number of workers."""

import numpy as np
import pytest
from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter

from kseg.data import open_dataset
from kseg.data.augment import augmentation
from kseg.data.batches import Batches
from kseg.data.cache import RamCache
from kseg.training.loader import Loader


def epochs(batches, workers, count=2):
    """All arrays of some epochs, in the order in which Keras hands them to the model."""
    loader = Loader(batches, workers)
    adapter = PyDatasetAdapter(loader, shuffle=False)
    found = []
    for epoch in range(count):
        loader.epoch = epoch
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
