"""Models whose file holds weights alone: flags say what they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from kseg.data.folders import default_class_names
from kseg.inference.model_file import ModelInfo
from kseg.models import get_model

SUFFIX = ".weights.h5"
DEFAULT_SIZE = 224
_CHECKED = ("model_name", "input_height", "input_width", "resize_op", "image_init")


def info_from_flags(config: Any, ignore_class: int | None = None) -> ModelInfo:
    """Return what the flags of a command say about its weights.

    Args:
        config: Has `model_name`, `classes`, `input_height`, `input_width`, `resize_op` and
            `image_init`, each None for the usual value.
        ignore_class: Label that counts nowhere.
    """
    return ModelInfo(
        model_name=config.model_name or "unet",
        class_names=default_class_names(config.classes or 2),
        ignore_class=ignore_class,
        input_height=config.input_height or DEFAULT_SIZE,
        input_width=config.input_width or DEFAULT_SIZE,
        resize_op=config.resize_op or 1,
        image_init=config.image_init or "auto",
    )


def load_bare_weights(
    path: str | Path, info: ModelInfo, *, channels: int = 3, **options: Any
) -> keras.Model:
    """Build the model that `info` describes and fill it from a `.weights.h5` file.

    Args:
        path: The file.
        info: Name, classes and normalisation of the model.
        channels: Channels of the images.
        **options: Encoder and options of the model, as `get_model` takes them.

    Raises:
        ValueError: There is no such file or model, or they do not fit together.
    """
    if not Path(path).is_file():
        raise ValueError(f"{path}: no such file")
    classes = len(info.class_names)
    shape = (None, None, channels)
    model = get_model(info.model_name, classes, shape, image_init=info.image_init, **options)
    try:
        model.load_weights(path)
    except (ValueError, OSError) as error:
        raise ValueError(
            f"{path}: these weights do not fit {info.model_name!r} with {classes} classes "
            f"({str(error).splitlines()[0]})"
        ) from None
    return model


def check_flags(config: Any, info: ModelInfo, names: tuple[str, ...] = _CHECKED) -> None:
    """Refuse flags that disagree with what a model file says of itself.

    Args:
        config: Has `weights_path`, `classes` and the fields `names`, None where not given.
        info: What the file says.
        names: The other fields to compare.

    Raises:
        ValueError: One of them differs.
    """
    stored: Mapping[str, Any] = {
        **{name: getattr(info, name) for name in names},
        "classes": len(info.class_names),
    }
    for name, value in stored.items():
        given = getattr(config, name)
        if given is not None and given != value:
            raise ValueError(
                f"--{name} is {given}, but {config.weights_path} was trained with {value}; "
                "leave the flag out"
            )
