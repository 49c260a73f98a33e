"""Recipes as YAML files."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from kseg.data.augment.colour import Brightness, Contrast, Gamma, Hsv
from kseg.data.augment.elastic import Elastic, ElasticDense
from kseg.data.augment.fields import parameters
from kseg.data.augment.geometry import (
    Affine,
    Crop,
    HFlip,
    Perspective,
    QuarterTurn,
    Rotate,
    Shear,
    Translate,
    VFlip,
    Zoom,
)
from kseg.data.augment.mixing import CopyPaste, CutMix, Mosaic
from kseg.data.augment.mixup import MixUp
from kseg.data.augment.operation import Operation
from kseg.data.augment.recipe import Recipe
from kseg.data.augment.texture import Blur, CutOut, Jpeg, Noise
from kseg.files import replacing

_KINDS: tuple[type[Operation], ...] = (
    *(HFlip, VFlip, QuarterTurn, Rotate, Zoom, Crop, Translate, Shear, Affine, Perspective),
    *(Elastic, ElasticDense),
    *(Hsv, Brightness, Contrast, Gamma),
    *(Blur, Noise, Jpeg, CutOut),
    *(CutMix, Mosaic, CopyPaste, MixUp),
)
OPERATIONS: dict[str, type[Operation]] = {kind.name: kind for kind in _KINDS}


def read_recipe(path: Path) -> Recipe:
    """Read a recipe from a YAML file.

    The file is a list of operations, or a mapping with `operations` and `border`. An operation is
    a name of `OPERATIONS`, or a name with its parameters: `rotate: {degrees: 20, p: 0.5}`.

    Raises:
        ValueError: The file cannot be read, or something in it is unknown or out of range; one
            sentence that names the place.
    """
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: no YAML file: {' '.join(str(error).split())}") from None
    try:
        return make_recipe(content)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def write_recipe(recipe: Recipe, path: Path) -> None:
    """Write a recipe, with all its parameters, to a YAML file that `read_recipe` reads."""
    with replacing(path) as draft:
        draft.write_text(yaml.safe_dump(recipe.to_dict(), sort_keys=False), "utf-8")


def make_recipe(content: Any) -> Recipe:
    """Return the recipe of a decoded YAML file, see `read_recipe`.

    Raises:
        ValueError: Something in it is unknown or out of range.
    """
    options = {"operations": content} if isinstance(content, list) else content
    if not isinstance(options, dict) or not isinstance(options.get("operations"), list):
        raise ValueError("a list of operations is expected, or a mapping with `operations`")
    check_known(options, ("operations", "border"), "setting")
    operations = tuple(
        _make_operation(entry, f"operation {index}")
        for index, entry in enumerate(options["operations"], 1)
    )
    return Recipe(**{**options, "operations": operations})


def _make_operation(entry: Any, place: str) -> Operation:
    pair = {entry: {}} if isinstance(entry, str) else entry
    if not isinstance(pair, dict) or len(pair) != 1:
        raise ValueError(f"{place}: expected a name, or a name with parameters, got {entry!r}")
    (name, values), *_ = pair.items()
    try:
        check_known([name], OPERATIONS, "operation")
        if not isinstance(values, dict):
            raise ValueError(f"parameters must be like {{p: 0.5}}, got {values!r}")
        check_known(values, [one.name for one in parameters(OPERATIONS[name])], "parameter")
        return OPERATIONS[name](**values)
    except ValueError as error:
        raise ValueError(f"{place} ({name}): {error}") from None


def check_known(names: Iterable[Any], known: Iterable[str], what: str) -> None:
    """Raise ValueError for the first unknown name, with the nearest that is known."""
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(str(name), list(known), n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
            raise ValueError(f"unknown {what} {name!r}; {hint}")
