"""From the settings of an export to the model, in float32 and on TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import keras

from kseg.config.export import ExportConfig
from kseg.inference.bare_weights import (
    SUFFIX,
    check_flags,
    info_from_flags,
    load_bare_weights,
)
from kseg.inference.engines import KerasEngine
from kseg.inference.model_file import ModelInfo, load_model
from kseg.models import without_aux_heads
from kseg.runs import RunFolder, find_checkpoint


@dataclass(frozen=True)
class Source:
    """A model to export.

    Attributes:
        model: From images of 0..255 `(N, H, W, C)` to logits or probabilities, computing in
            float32.
        info: Classes, size and preparation of the images.
        file: Where it was read from.
    """

    model: keras.Model
    info: ModelInfo
    file: Path

    @property
    def name(self) -> str:
        """Name of its exports, which any file system and any tool takes."""
        return self.model.name

    @property
    def run(self) -> RunFolder | None:
        """The run folder that its file is in, None where it is in none."""
        run = RunFolder(self.file.parent)
        return run if run.config.is_file() else None

    @property
    def folder(self) -> Path:
        """Where its exports go by default."""
        return self.file.parent if self.run is None else self.run.exports

    @cached_property
    def engine(self) -> KerasEngine:
        """The original, to compare exports with."""
        return KerasEngine(self.model, self.info, self.file)

    @property
    def channels(self) -> int:
        """Channels of its images."""
        return self.model.inputs[0].shape[-1]


def check_backend() -> None:
    """Refuse Keras backends that the converters cannot read.

    Raises:
        ValueError: Keras does not run on TensorFlow.
    """
    backend = keras.config.backend()
    if backend != "tensorflow":
        raise ValueError(
            f"models are exported on TensorFlow, and Keras runs on {backend} here: set "
            "KERAS_BACKEND=tensorflow (.keras files of all backends can be read there)"
        )


def load_source(config: ExportConfig) -> Source:
    """Load what the settings name.

    Raises:
        ValueError: There is no such model, or flags do not fit it.
    """
    check_backend()
    if (config.weights_path or "").endswith(SUFFIX):
        info = info_from_flags(config)
        options = {"channels": config.image_channels or 3, "encoder": config.encoder}
        model = load_bare_weights(config.weights_path, info, **options, **config.model_options)
        return as_source(model, info, Path(config.weights_path))
    file = find_checkpoint(config.weights_path or config.model)
    model, info = load_model(file)
    if config.weights_path is not None:
        check_flags(config, info, ("model_name", "resize_op", "image_init"))
    elif config.classes is not None and config.classes != len(info.class_names):
        raise ValueError(
            f"--classes is {config.classes}, but {file} has {len(info.class_names)}; leave the "
            "flag out"
        )
    return as_source(model, info, file)


def as_source(model: keras.Model, info: ModelInfo, file: Path) -> Source:
    """Return a model as a source: without auxiliary heads, and computing in float32.

    Weights are float32 in any case; a model that was trained in mixed precision answers the more
    exactly for it.

    Args:
        model: From images to logits or probabilities; its layers are changed.
        info: Classes, size and preparation of the images.
        file: Where it was read from, or might have been.
    """
    model = without_aux_heads(model)
    for layer in model._flatten_layers(include_self=False):
        if layer.compute_dtype != "float32" and layer.dtype_policy.name.startswith("mixed"):
            layer.dtype_policy = "float32"
    return Source(model, info, file)
