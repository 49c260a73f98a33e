"""`get_model`: from a name to a `keras.Model`."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Mapping
from typing import Any

import keras
from keras import layers

from kseg.layers.preprocess import image_init_layer
from kseg.models.registry import Builder, model_builder, model_spec

SMALLEST_SIZE = 32
_ACTIVATIONS = (None, "softmax", "sigmoid")


def get_model(
    name: str,
    num_classes: int = 2,
    input_shape: tuple[int | None, int | None, int] = (None, None, 3),
    *,
    activation: str | None = None,
    image_init: str | None = None,
    **options: Any,
) -> keras.Model:
    """Build a segmentation model by its registered name.

    The output is float32 `(N, H, W, num_classes)` at the size of the input `(N, H, W, C)` for any
    height and width of at least 32, also where they are not multiples of the model's stride.

    Args:
        name: A name of `list_models()` or an alias.
        num_classes: Number of output channels, at least 1 (1 is binary with a sigmoid).
        input_shape: `(height, width, channels)`; None leaves height or width open.
        activation: None for logits, "softmax" or "sigmoid" for probabilities.
        image_init: None if the input is normalised by the caller. "divide", "sub_mean" or
            "sub_and_divide" put that normalisation of 0..255 RGB images into the model.
        **options: The keyword options of the architecture, such as `filters=64`.

    Raises:
        ValueError: An unknown name or option, or a value outside its range.
    """
    _check(num_classes, input_shape, activation)
    spec, builder = model_spec(name), model_builder(name)
    _check_options(name, builder, options)
    inputs = keras.Input(input_shape, name="image")
    x = inputs if image_init is None else image_init_layer(image_init, input_shape[-1])(inputs)
    outputs = builder(x, num_classes, **options)
    if activation is not None:
        outputs = layers.Activation(activation, dtype="float32", name=activation)(outputs)
    return keras.Model(inputs, outputs, name=_slug(spec.name))


def _check(num_classes: int, input_shape: tuple, activation: str | None) -> None:
    if num_classes < 1:
        raise ValueError(f"num_classes must be at least 1, got {num_classes}")
    if activation not in _ACTIVATIONS:
        raise ValueError(f"activation must be None, 'softmax' or 'sigmoid', got {activation!r}")
    if len(input_shape) != 3 or input_shape[-1] is None:
        raise ValueError(
            f"input_shape must be (height, width, channels) with a number of channels, "
            f"got {input_shape!r}"
        )
    for length in input_shape[:2]:
        if length is not None and length < SMALLEST_SIZE:
            raise ValueError(
                f"height and width must be at least {SMALLEST_SIZE}, got {input_shape[:2]}"
            )


def _check_options(name: str, builder: Builder, options: Mapping[str, Any]) -> None:
    known = [
        parameter.name
        for parameter in inspect.signature(builder).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    ]
    for option in options:
        if option not in known:
            close = difflib.get_close_matches(option, known, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise ValueError(
                f"model {name!r} has no option {option!r}: {hint}its options are "
                f"{', '.join(known) or 'none'}"
            )


def _slug(name: str) -> str:
    """Return a name that TensorFlow takes as a scope: "unet++" becomes "unet_plus_plus"."""
    return re.sub(r"[^A-Za-z0-9_.]+", "_", name.replace("+", "_plus")).strip("_")
