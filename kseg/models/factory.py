"""`get_model`: from a name to a `keras.Model`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

import keras
from keras import KerasTensor, layers

from kseg.encoders import Encoder
from kseg.layers.preprocess import image_init_layer
from kseg.models.registry import (
    ModelSpec,
    alias_options,
    list_models,
    model_builder,
    model_spec,
    option_names,
    takes_encoder,
)

SMALLEST_SIZE = 32
_ACTIVATIONS = (None, "softmax", "sigmoid")


def get_model(
    name: str,
    num_classes: int = 2,
    input_shape: tuple[int | None, int | None, int] = (None, None, 3),
    *,
    activation: str | None = None,
    encoder: str | None = None,
    encoder_weights: str | None = None,
    image_init: str | None = None,
    **options: Any,
) -> keras.Model:
    """Build a segmentation model by its registered name.

    The output is float32 `(N, H, W, num_classes)` at the size of the input `(N, H, W, C)` for any
    height and width of at least 32, also where they are not multiples of the model's stride.
    With auxiliary heads (`aux_heads`, `deep_supervision`) it is a dict of such tensors: "logits"
    is the answer, the others are there for the training loss.

    Args:
        name: A name of `list_models()` or an alias.
        num_classes: Number of output channels, at least 1 (1 is binary with a sigmoid).
        input_shape: `(height, width, channels)`; None leaves height or width open.
        activation: None for logits, "softmax" or "sigmoid" for probabilities. Heads of one channel
            beside "logits" have a sigmoid with either.
        encoder: A name of `kseg.encoders.list_encoders()` for models that take one; None for the
            alias's or the model's own.
        encoder_weights: None, "imagenet" or the path of a weights file, see `kseg.encoders`.
        image_init: None if the input is normalised by the caller. Else the normalisation of
            0..255 RGB images that becomes part of the model: "divide", "sub_mean",
            "sub_and_divide", "caffe", "tf", "torch", or "auto" for what the encoder was trained
            with ("divide" without an encoder).
        **options: The keyword options of the architecture, such as `filters=64`.

    Raises:
        ValueError: An unknown name or option, a value outside its range, or Keras set to
            "channels_first".
    """
    _check_data_format()
    _check(num_classes, input_shape, activation)
    spec = model_spec(name)
    options = {**alias_options(name), **options}
    # Out of the options whether it is used or not: what the caller names goes before the alias.
    encoder_of_alias = options.pop("encoder", None)
    backbone = _encoder(spec, encoder or encoder_of_alias, encoder_weights)
    _check_options(spec.name, options)
    if backbone is not None:
        options["encoder"] = backbone
    inputs = keras.Input(input_shape, name="image")
    x = _normalised(inputs, image_init, backbone)
    outputs = model_builder(name)(x, num_classes, **options)
    if isinstance(outputs, dict):
        outputs = {key: _activated(x, activation, f"{key}_") for key, x in outputs.items()}
    else:
        outputs = _activated(outputs, activation)
    return keras.Model(inputs, outputs, name=_slug(spec.name))


def without_aux_heads(model: keras.Model) -> keras.Model:
    """Return the part of a model that answers, without the heads that only training needs.

    The layers and weights are shared; a model without such heads is returned as it is.
    """
    if not isinstance(model.output, dict):
        return model
    return keras.Model(model.input, model.output["logits"], name=model.name)


def _encoder(spec: ModelSpec, name: str | None, weights: str | None) -> Encoder | None:
    if name is not None and not takes_encoder(spec.name):
        able = ", ".join(other for other in list_models() if takes_encoder(other))
        raise ValueError(
            f"model {spec.name!r} has an encoder of its own; encoder={name!r} works with {able}"
        )
    name = name or spec.default_encoder
    if name is None:
        if weights is not None:
            raise ValueError(f"encoder_weights={weights!r} needs an encoder, such as 'resnet50'")
        return None
    return Encoder(spec.encoder_names.get(name, name), weights)


def _normalised(inputs: KerasTensor, mode: str | None, encoder: Encoder | None) -> KerasTensor:
    if mode == "auto":
        mode = "divide" if encoder is None else encoder.spec.convention
    return inputs if mode is None else image_init_layer(mode, inputs.shape[-1])(inputs)


def _activated(x: KerasTensor, activation: str | None, prefix: str = "") -> KerasTensor:
    if activation is None:
        return x
    if x.shape[-1] == 1:
        # A head beside that of the classes, such as one for edges: softmax over it is always 1.
        activation = "sigmoid"
    return layers.Activation(activation, dtype="float32", name=f"{prefix}{activation}")(x)


def _check_data_format() -> None:
    known = keras.config.image_data_format()
    if known != "channels_last":
        raise ValueError(
            f"models take images (N, H, W, C), but Keras' image_data_format is {known!r}; call "
            "keras.config.set_image_data_format('channels_last') first"
        )


def _check(num_classes: int, input_shape: tuple, activation: str | None) -> None:
    if num_classes < 1:
        raise ValueError(f"num_classes must be at least 1, got {num_classes}")
    if activation not in _ACTIVATIONS:
        raise ValueError(f"activation must be None, 'softmax' or 'sigmoid', got {activation!r}")
    if activation == "softmax" and num_classes == 1:
        raise ValueError(
            "activation='softmax' over num_classes=1 is 1 everywhere; use 'sigmoid', or 2 classes"
        )
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


def _check_options(name: str, options: Mapping[str, Any]) -> None:
    known = [option for option in option_names(name) if option != "encoder"]
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
