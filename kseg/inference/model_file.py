"""Checkpoints: `.keras` files that also say how images must be prepared and what classes mean."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import keras

import kseg.losses
import kseg.metrics  # noqa: F401  (registers what compiled models need to load)
import kseg.models  # noqa: F401
from kseg import __version__
from kseg.files import replacing
from kseg.kernels import use_channelwise

_MEMBER = "kseg.json"
# Where dropout stands in its random numbers, which Keras leaves out of the file.
_SEEDS = "kseg_seeds.json"


@dataclass(frozen=True)
class ModelInfo:
    """What a model file says beyond its graph and weights.

    Attributes:
        model_name: Registered name of the architecture.
        class_names: Names of the classes, in the order of their labels.
        ignore_class: Label that counted nowhere in training, or None.
        input_height: Height in pixels that images were resized to.
        input_width: Width in pixels that images were resized to.
        resize_op: 1 stretch, 2 letterbox.
        image_init: Normalisation, which is part of the graph.
        epochs: Finished training epochs.
        best_score: Best value of `monitor` so far, or None.
        best_epoch: Number of finished epochs at which it was reached.
        monitor: Name in the logs of what decides which epoch is best.
        kseg_version: Version that wrote the file.
    """

    model_name: str
    class_names: Sequence[str]
    ignore_class: int | None
    input_height: int
    input_width: int
    resize_op: int
    image_init: str
    epochs: int = 0
    best_score: float | None = None
    best_epoch: int = 0
    monitor: str = "val_iou_score"
    kseg_version: str = __version__


def save_model(model: keras.Model, path: Path, info: ModelInfo) -> None:
    """Write model, optimizer state and `info` to a `.keras` file, replaced in one step."""
    with replacing(path) as draft:
        model.save(draft)
        with zipfile.ZipFile(draft, "a") as archive:
            archive.writestr(_MEMBER, json.dumps(asdict(info), indent=2))
            archive.writestr(_SEEDS, json.dumps(_seeds(model)))
        _flush_to_disk(draft)


def copy_model(source: Path, target: Path) -> None:
    """Copy a model file, replacing the target in one step."""
    with replacing(target) as draft:
        shutil.copyfile(source, draft)
        _flush_to_disk(draft)


def _flush_to_disk(path: Path) -> None:
    # Windows flushes only what is open for writing.
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def load_model(path: Path, *, compile: bool = False) -> tuple[keras.Model, ModelInfo]:  # noqa: A002
    """Load a model file that `save_model` wrote.

    Args:
        path: The `.keras` file.
        compile: Restore optimizer, loss and metrics too, to go on training.

    Raises:
        ValueError: The file is no such model.
    """
    info = read_info(path)
    model = keras.models.load_model(path, compile=compile)
    use_channelwise(model)
    _restore_seeds(model, path)
    return model, info


def _seed_states(model: keras.Model) -> list[keras.Variable]:
    return [one for one in model.variables if one.name == "seed_generator_state"]


def _seeds(model: keras.Model) -> list[list[int]]:
    return [keras.ops.convert_to_numpy(state).tolist() for state in _seed_states(model)]


def _restore_seeds(model: keras.Model, path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        if _SEEDS not in archive.namelist():
            return
        seeds = json.loads(archive.read(_SEEDS))
    for state, seed in zip(_seed_states(model), seeds, strict=True):
        state.assign(seed)


def read_info(path: Path) -> ModelInfo:
    """Return the information in a model file without loading the model.

    Raises:
        ValueError: The file was not written by kseg.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            values = json.loads(archive.read(_MEMBER))
    except (OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: this is no readable .keras file ({error})") from None
    except KeyError:
        raise ValueError(
            f"{path}: this .keras file was not written by kseg, so its classes and image size "
            "are unknown; use a checkpoint of a run folder, or say them by "
            "kseg.inference.save_model"
        ) from None
    known = {field.name for field in fields(ModelInfo)}
    return ModelInfo(**{key: value for key, value in values.items() if key in known})
