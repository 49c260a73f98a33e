"""What an evaluation scores: a part of a data set, or folders."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

from kseg.config import EvaluateConfig, TrainConfig, parse_config
from kseg.data.check import WRITE_ONE, is_white_ignored
from kseg.data.classes import with_channels, with_classes
from kseg.data.dataset import VOID, Dataset, SampleFiles
from kseg.data.description import described
from kseg.data.folders import default_class_names
from kseg.data.folds import with_fold
from kseg.data.pairing import list_images, pair_folders
from kseg.data.registry import open_dataset
from kseg.inference.file_errors import PER_FILE
from kseg.inference.model_file import ModelInfo, read_info
from kseg.inference.sidecar import Sidecar, sidecar_path
from kseg.runs import CHECKPOINT_SUFFIX, RunFolder, find_checkpoint

# Label maps that are looked at for 255 where none shows a class but 0.
_LOOKED_AT = 100


class Truth(NamedTuple):
    """What is scored.

    Attributes:
        dataset: Reads the samples and names the classes.
        files: The samples.
        split: Name of the part of the data set, None for folders.
    """

    dataset: Dataset
    files: Sequence[SampleFiles]
    split: str | None


def run_of(model: str) -> RunFolder:
    """Return the run folder that a model is or may be in, of an export that of its source."""
    path = Path(model)
    if is_export(path):
        # The source may be given from another working directory.
        source = Path(Sidecar.read(path).source).parent
        runs = [RunFolder(path.parent.parent), RunFolder(source), RunFolder(path.parent)]
        nearest = runs if path.parent == runs[0].exports else runs[1:]
        return next((run for run in nearest if run.config.is_file()), runs[-1])
    return RunFolder(path if path.is_dir() or not path.suffix else path.parent)


def results_of(model: str) -> Path:
    """Return the folder that the scores of a model go to by default."""
    path = Path(model)
    run = RunFolder(path.parent) if is_export(path) else run_of(model)
    return run.evaluation


def is_export(path: Path) -> bool:
    """Tell whether a model is a file or folder of another runtime, with its sidecar."""
    return path.suffix != CHECKPOINT_SUFFIX and sidecar_path(path).is_file()


def info_of(model: str) -> ModelInfo:
    """Return what a model says of itself without loading it.

    Raises:
        ValueError: There is no model.
    """
    path = Path(model)
    if is_export(path):
        return Sidecar.read(path).model
    return read_info(find_checkpoint(path))


def run_settings(run: RunFolder) -> dict[str, Any] | None:
    """Return the settings of a run, None where there are none."""
    if not run.config.is_file():
        return None
    settings = yaml.safe_load(run.config.read_text("utf-8"))
    return settings if isinstance(settings, dict) else None


def truth_of(config: EvaluateConfig, info: ModelInfo | None, channels: int | None) -> Truth:
    """Open what the settings say is to be scored.

    Args:
        config: The settings.
        info: The model's classes, None where masks of no known model are scored.
        channels: Channels of the images, None to leave that to the data set.

    Raises:
        ValueError: A data set or folder is missing, or files have no partner.
    """
    if config.images or config.labels:
        dataset, split = _folders(config, info), None
    else:
        dataset, split = _dataset(config), config.split
    dataset = with_channels(dataset, channels)
    if info is not None:
        dataset = with_classes(dataset, len(info.class_names), info.ignore_class)
        dataset = replace(dataset, class_names=tuple(info.class_names))
    else:
        dataset = with_classes(dataset, config.n_classes, None)
    dataset = with_classes(dataset, None, config.ignore_class)
    return Truth(dataset, dataset.splits[split or "test"], split)


def warn_of_white(truth: Truth, confusion: np.ndarray) -> None:
    """Tell that 0/255 masks are scored with 255 ignored, so that all but class 0 is left out.

    Args:
        truth: What was scored.
        confusion: Its counts, rows truth.
    """
    if confusion[1:].any() or not is_white_ignored(truth.dataset):
        return
    for files in truth.files[:_LOOKED_AT]:
        with suppress(*PER_FILE):
            if VOID in truth.dataset.load_mask(files):
                print(
                    f"warning: no label map shows a class but 0, and 255 is ignored; if "
                    f"{files.mask} is a 0/255 mask: {WRITE_ONE}"
                )
                return


def _dataset(config: EvaluateConfig) -> Dataset:
    run, trained = run_of(config.models[0]), TrainConfig()
    if run.config.is_file():
        trained = parse_config(TrainConfig, ["--config", str(run.config)])
    elif config.dataset_name is None:
        raise ValueError(
            f"{config.models[0]}: no run folder is known that tells the data set to score; give "
            "--dataset_name and --data_root, or --images and --labels"
        )
    name, root = config.dataset_name, config.data_root
    dataset = open_dataset(name or trained.dataset_name, root or trained.data_root)
    own = name in (None, trained.dataset_name) and root in (None, trained.data_root)
    if trained.folds and own:
        # The data set's own parts are not what this model did not learn from.
        return with_fold(dataset, trained.fold or 0, trained.folds)
    return dataset


def _folders(config: EvaluateConfig, info: ModelInfo | None) -> Dataset:
    files = _files(config.images, config.labels)
    if config.dataset_name is not None:
        return replace(_dataset(config), test=files)
    names = info.class_names if info else default_class_names(config.n_classes or 2)
    folder = Path(config.labels or config.images or "")
    dataset = Dataset(folder.name, (), (), files, names)
    # A table of classes beside the masks may name them and their colours.
    return described(dataset, folder)


def _files(images: str | None, labels: str | None) -> list[SampleFiles]:
    if images and labels:
        return pair_folders(Path(images), Path(labels))
    # Without images the label maps stand for them.
    files = list_images(Path(labels or images or ""))
    return [SampleFiles(path, path if labels else None) for path in files]
