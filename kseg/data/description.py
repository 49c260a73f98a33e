"""What a data set's folder says about itself: `dataset.yaml`, or else a table of classes.

`dataset.yaml` is optional, and each of its keys is:

    class_names: [background, crack]    # of labels 0, 1, ...
    ignore_class: 255                   # label that counts nowhere
    colours: [[0, 0, 0], [255, 0, 0]]   # where label maps are saved in colours
    values: {0: 0, 255: 1}              # from values in the files to labels; others are errors
    channels: 5                         # of the images
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from reprlib import repr as _short
from typing import Any

import numpy as np
import yaml

from kseg.data.class_table import MAX_CLASSES, find_class_table, parse_colour
from kseg.data.dataset import Dataset
from kseg.data.paths import read_text

FILE_NAME = "dataset.yaml"
KEYS = ("class_names", "ignore_class", "colours", "values", "channels")
_MAX_CHANNELS = 512


def described(dataset: Dataset, folder: Path) -> Dataset:
    """Return the data set as `dataset.yaml` or the table of classes in its folder describe it.

    Raises:
        ValueError: A key or value that is not understood.
    """
    path = folder / FILE_NAME
    fields = read_description(path) if path.is_file() else {}
    if type(dataset) is not Dataset:
        return _with_own_classes(dataset, fields, path)
    table = find_class_table(folder)
    if table is not None:
        ignored = dataset.ignore_class if table.void is None else table.void
        dataset = replace(
            dataset, class_names=table.class_names, ignore_class=ignored, colours=table.colours
        )
    dataset = replace(dataset, **fields)
    _check_colours(dataset, folder)
    return dataset


def _with_own_classes(dataset: Dataset, fields: dict[str, Any], path: Path) -> Dataset:
    """Return a data set whose annotations name the classes, such as COCO."""
    extra = next((key for key in fields if key != "channels"), None)
    if extra is not None:
        raise ValueError(f"{path}: leave {extra} out, the annotations name the classes already")
    return replace(dataset, **fields)


def read_description(path: Path) -> dict[str, Any]:
    """Return the fields of `Dataset` that a `dataset.yaml` sets.

    Raises:
        ValueError: No YAML, an unknown key, or a value of another kind.
    """
    try:
        raw = yaml.safe_load(read_text(path))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ValueError(f"{path}: this is no YAML ({' '.join(str(error).split())})") from None
    if not isinstance(raw, dict):
        raise ValueError(f"{path}: the file must hold keys such as class_names, not {_short(raw)}")
    unknown = next((key for key in raw if key not in KEYS), None)
    if unknown is not None:
        raise ValueError(f"{path}: unknown key {unknown!r}; the keys are {', '.join(KEYS)}")
    fields = {key: _READERS[key](value, f"{path}: {key}") for key, value in raw.items()}
    return {"relabel" if key == "values" else key: value for key, value in fields.items()}


def _check_colours(dataset: Dataset, folder: Path) -> None:
    if dataset.colours is None:
        return
    labels = {*range(dataset.num_classes), dataset.ignore_class} - {None}
    extra = [label for label in range(len(dataset.colours)) if label not in labels]
    if extra or len(dataset.colours) < dataset.num_classes:
        raise ValueError(
            f"{folder}: there are {len(dataset.colours)} colours for {dataset.num_classes} classes"
        )


def _class_names(value: Any, where: str) -> tuple[str, ...]:
    is_list = isinstance(value, list) and 1 <= len(value) <= MAX_CLASSES
    if not is_list or not all(isinstance(name, str | int) and name != "" for name in value):
        raise ValueError(f"{where}: give a list of 1 to {MAX_CLASSES} names, not {_short(value)}")
    return tuple(map(str, value))


def _colours(value: Any, where: str) -> tuple[tuple[int, int, int], ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_CLASSES + 1:
        raise ValueError(f"{where}: give a list of [r, g, b], not {_short(value)}")
    if not all(isinstance(colour, list) for colour in value):
        raise ValueError(f"{where}: give each colour as [r, g, b]")
    return tuple(parse_colour(colour, where) for colour in value)


def _whole(low: int, high: int, value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{where}: give a whole number in {low}..{high}, not {_short(value)}")
    return value


def _values(value: Any, where: str) -> partial[np.ndarray]:
    if not isinstance(value, dict) or not value:
        raise ValueError(f"{where}: give value: label pairs, not {_short(value)}")
    pairs = {
        _whole(0, 65535, one, where): _whole(0, 255, label, where) for one, label in value.items()
    }
    return partial(map_values, pairs=tuple(sorted(pairs.items())))


_READERS: Mapping[str, Callable[[Any, str], Any]] = {
    "class_names": _class_names,
    "ignore_class": partial(_whole, 0, 255),
    "colours": _colours,
    "values": _values,
    "channels": partial(_whole, 1, _MAX_CHANNELS),
}


def map_values(mask: np.ndarray, pairs: tuple[tuple[int, int], ...]) -> np.ndarray:
    """Return a label map `(H, W)` uint8 from the values of a file.

    Args:
        mask: Values of the file.
        pairs: Value and label, for each value that may occur.

    Raises:
        ValueError: Another value occurs.
    """
    table: Mapping[int, int] = dict(pairs)
    values, places = np.unique(mask, return_inverse=True)
    unknown = [int(value) for value in values if int(value) not in table]
    if unknown:
        raise ValueError(
            f"values {unknown[:8]} are not in the table of values {list(table)[:20]}; add them"
        )
    labels = np.array([table[int(value)] for value in values], np.uint8)
    return labels[places].reshape(mask.shape)
