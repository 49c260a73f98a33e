"""The names of the encoders, and what is known about each of them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass

import keras

StockBuilder = Callable[..., keras.Model]


@dataclass(frozen=True)
class EncoderSpec:
    """What is known about an encoder.

    Attributes:
        name: Registered name; underscores, dashes and capitals do not matter when it is given.
        build: Function `(input_shape, weights) -> keras.Model` of the backbone without its top,
            as it was made for classification; weights are None, "imagenet" or a path.
        convention: Normalisation of images that it was trained with, a mode of `image_init_layer`.
        taps: Pattern of the names of layers whose outputs may be taken; the last one at each
            stride is. Where none matches it is the input of the first layer that halves the size.
        last: Pattern of the deepest layer that is used; None for the end of the backbone.
        first: Name of the first layer that is used, where preprocessing layers come before it.
        imagenet: Whether Keras offers weights for `weights="imagenet"`.
    """

    name: str
    build: StockBuilder
    convention: str
    taps: str | None = None
    last: str | None = None
    first: str | None = None
    imagenet: bool = True


_SPECS: dict[str, EncoderSpec] = {}


def register_encoder(spec: EncoderSpec) -> None:
    """Make an encoder known under `spec.name`.

    Raises:
        ValueError: The name is taken.
    """
    key = _key(spec.name)
    if key in _SPECS:
        raise ValueError(f"the encoder name {spec.name!r} is registered already")
    _SPECS[key] = spec


def list_encoders() -> list[str]:
    """Return the registered names in alphabetical order."""
    return sorted(spec.name for spec in _SPECS.values())


def encoder_spec(name: str) -> EncoderSpec:
    """Return what is known about the encoder `name`.

    Raises:
        ValueError: No such encoder; the message names the closest one.
    """
    key = _key(name)
    if key in _SPECS:
        return _SPECS[key]
    close = difflib.get_close_matches(key, _SPECS, n=1, cutoff=0.4)
    hint = f"did you mean {_SPECS[close[0]].name!r}? " if close else ""
    raise ValueError(f"unknown encoder {name!r}: {hint}known are {', '.join(list_encoders())}")


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", str(name).lower())
