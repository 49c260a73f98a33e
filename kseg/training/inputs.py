"""What a run reads: a data set that was looked at, and its batches."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import keras
import numpy as np

from kseg.config import TrainConfig
from kseg.data.augment import Recipe
from kseg.data.batches import Batches
from kseg.data.cache import open_cache
from kseg.data.check import ClassCounts, Survey
from kseg.data.classes import with_channels, with_classes
from kseg.data.dataset import Dataset, SampleFiles
from kseg.data.folds import with_fold
from kseg.data.registry import open_dataset
from kseg.data.windows import side_by_side
from kseg.training.depth import batch_type
from kseg.training.distribution import Job
from kseg.training.loader import Loader
from kseg.training.shards import EvenBatches


def opened_dataset(config: TrainConfig) -> Dataset:
    """List the samples of the data set, with the classes and channels of the settings.

    Raises:
        ValueError: The data set is not there.
    """
    dataset = open_dataset(config.dataset_name, config.data_root)
    dataset = with_classes(dataset, config.n_classes, config.ignore_class)
    return with_channels(dataset, config.image_channels)


def checked_dataset(config: TrainConfig) -> tuple[Dataset, ClassCounts]:
    """Look at every file; return the data set and what its training images show.

    Raises:
        ValueError: The data set is not there, or a file of it is at fault.
    """
    dataset = opened_dataset(config)
    if config.folds:
        # The same folds for every seed.
        dataset = with_fold(dataset, config.fold or 0, config.folds)
    survey = Survey(dataset, config.workers)
    counts = survey.count_classes(dataset.train)
    held_out = [*(dataset.val if config.validate else ()), *dataset.test]
    pixels = counts.pixels + survey.count_classes(held_out).pixels
    print(
        f"{dataset.name}: {len(dataset.train)} training, {len(dataset.val)} validation and "
        f"{len(dataset.test)} test images, {dataset.num_classes} classes"
    )
    for label, name in enumerate(dataset.class_names):
        if pixels[label] == 0 and label != dataset.ignore_class:
            print(f"warning: no pixel of any label map is of class {name!r}")
    _warn_of_shared_images(survey)
    return dataset, counts


def _warn_of_shared_images(survey: Survey) -> None:
    shared = survey.shared_images()
    if shared:
        (training, held_out), more = shared[0], len(shared) - 1
        others = f" (and {more} more pairs are)" if more else ""
        print(
            f"warning: {training.image} and {held_out.image} are the same image{others}: scores "
            "on images that were trained on are too high"
        )


class Inputs:
    """The batches of a run.

    Args:
        config: The settings.
        dataset: The data set.
        loss: It may need weights of pixels.
        recipe: The augmentation of the training images.
        heads: Names of the model's outputs where it has several.
        job: What this process does of the run; it gets its part of every batch.

    Raises:
        ValueError: An image is missing or damaged.
    """

    def __init__(
        self,
        config: TrainConfig,
        dataset: Dataset,
        loss: keras.losses.Loss,
        recipe: Recipe,
        heads: Sequence[str] = (),
        job: Job | None = None,
    ):
        self.dataset, self.recipe, self.job = dataset, recipe, job or Job()
        self._config, self._heads = config, heads
        self._dtype = batch_type([*dataset.train, *(dataset.val if config.validate else ())])
        # A plain Keras loss has no such attribute.
        weights = getattr(loss, "pixel_weights", None)
        self._transforms = recipe.transforms(dataset.void, config.crop, config.crop_foreground)
        self._batches = partial(
            Batches,
            dataset,
            size=(config.input_height, config.input_width),
            resize_op=config.resize_op,
            pixel_weights=weights,
            cache=open_cache(config.cache, config.cache_gb),
        )

    def training(self, batch_size: int) -> Loader:
        """Return the shuffled and augmented batches to train on.

        Raises:
            ValueError: There are fewer images than a batch has.
        """
        batches = self._batches(
            files=self.dataset.train,
            batch_size=batch_size // self.job.shard[1],
            shard=self.job.shard,
            transforms=self._transforms,
            repeats=self._config.crops_per_image,
            shuffle=True,
            seed=self._config.seed,
        )
        return Loader(batches, self._config.workers, self._heads, self._dtype)

    def validation(self) -> Loader | None:
        """Return the batches to validate on, if the settings say so."""
        if not self._config.validate:
            return None
        files = self._whole_or_windows(self.dataset.val)
        batches = self._batches(files=files, batch_size=self._config.val_batch_size)
        shared = batches
        if self.job.devices > 1:
            shared = EvenBatches(batches, self.job.shard, self.job.devices)
        return Loader(shared, self._config.workers, self._heads, self._dtype)

    def shown(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return a few images `(N, H, W, C)` and labels `(N, H, W)` as they are, for pictures."""
        images = (self.dataset.val if self._config.validate else self.dataset.train)[:count]
        parts = self._whole_or_windows(images)
        each = len(parts) // len(images)
        files = parts[each // 2 :: each]
        return self._batches(files=files, batch_size=count, pixel_weights=None).batch(0, 0)

    def _whole_or_windows(self, files: Sequence[SampleFiles]) -> Sequence[SampleFiles]:
        if not self._config.val_crops or self._config.crop is None:
            return files
        size = self._config.input_height, self._config.input_width
        return side_by_side(files, size, self._config.crop)
