"""The names that `get_model` knows and what is known about each of them."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from keras import KerasTensor

Builder = Callable[..., KerasTensor | dict[str, KerasTensor]]


@dataclass(frozen=True)
class ModelSpec:
    """What is known about a registered model.

    Attributes:
        name: Registered name.
        title: Name as its authors write it.
        paper: Title of the paper.
        year: Year of its first version.
        arxiv: arXiv identifier.
        parameters: Weights at 224x224x3 and 2 classes, moving statistics included.
        macs: Multiply-adds of its convolutions for one such image.
        stride: Coarsest stride of the features; other sizes are mirrored to it inside the model.
        family: Name of the documentation page that describes it.
        departures: Where the default graph differs from the paper, and why.
        aliases: Other names for it, each with the options that it stands for.
        default_encoder: Encoder of a model that cannot be built without one, else None.
        encoder_names: Encoders that go by another name in this model's paper.
        founding_parameters: What the table of the founding project, Keras-Semantic-Segmentation,
            says; None for models that it does not have.
        founding_reason: Why our number differs from it, empty where it does not.
    """

    name: str
    title: str
    paper: str
    year: int
    arxiv: str
    parameters: int
    macs: int
    stride: int
    family: str
    departures: Sequence[str] = ()
    aliases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    default_encoder: str | None = None
    encoder_names: Mapping[str, str] = field(default_factory=dict)
    founding_parameters: int | None = None
    founding_reason: str = ""


_BUILDERS: dict[str, tuple[ModelSpec, Builder]] = {}
_ALIASES: dict[str, str] = {}


def register_model(spec: ModelSpec) -> Callable[[Builder], Builder]:
    """Register a builder `(inputs, num_classes, *, options) -> logits` under `spec.name`.

    Raises:
        ValueError: The name or one of the aliases is taken.
    """

    def decorate(builder: Builder) -> Builder:
        for name in (spec.name, *spec.aliases):
            if name in _BUILDERS or name in _ALIASES:
                raise ValueError(f"the model name {name!r} is registered already")
        _BUILDERS[spec.name] = spec, builder
        _ALIASES.update(dict.fromkeys(spec.aliases, spec.name))
        return builder

    return decorate


def list_models() -> list[str]:
    """Return the registered names in alphabetical order, without aliases."""
    return sorted(_BUILDERS)


def model_spec(name: str) -> ModelSpec:
    """Return what is known about the model `name` (an alias will do).

    Raises:
        ValueError: No such model; the message names the closest one.
    """
    return _entry(name)[0]


def model_builder(name: str) -> Builder:
    """Return the function that builds the graph of `name`.

    Raises:
        ValueError: No such model; the message names the closest one.
    """
    return _entry(name)[1]


def alias_options(name: str) -> dict[str, Any]:
    """Return the options that an alias stands for; none for a model's own name."""
    return dict(model_spec(name).aliases.get(name, {}))


def option_names(name: str) -> list[str]:
    """Return the keyword options of the model `name`."""
    parameters = inspect.signature(model_builder(name)).parameters.values()
    return [option.name for option in parameters if option.kind is option.KEYWORD_ONLY]


def takes_encoder(name: str) -> bool:
    """Tell whether the model `name` can be built on an encoder of `kseg.encoders`."""
    return "encoder" in option_names(name)


def _entry(name: str) -> tuple[ModelSpec, Builder]:
    key = _ALIASES.get(name, name)
    if key in _BUILDERS:
        return _BUILDERS[key]
    close = difflib.get_close_matches(str(name), [*_BUILDERS, *_ALIASES], n=1, cutoff=0.4)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise ValueError(f"unknown model {name!r}: {hint}known are {', '.join(list_models())}")
