"""JSON from strangers: nothing ambiguous, nothing without bounds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

# An image of 100 megapixels embedded as PNG fits; a file beyond this is no annotation.
MAX_JSON_BYTES = 512 * 2**20


def read_bytes(path: Path) -> bytes:
    """Read a JSON file.

    Raises:
        ValueError: The file is missing, cannot be read or is larger than `MAX_JSON_BYTES`.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_JSON_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from None
    if len(data) > MAX_JSON_BYTES:
        raise ValueError(f"{path}: the file is larger than {MAX_JSON_BYTES // 2**20} MiB")
    return data


def parse_json(data: bytes, path: Path) -> Any:
    """Decode UTF-8 JSON, with or without byte order mark.

    Args:
        data: Content of the file.
        path: Name of the file for messages.

    Raises:
        ValueError: No UTF-8, no JSON, a key that appears twice in one object, NaN or Infinity,
            nesting without end.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: this is no UTF-8 text (byte {error.start}); save the file as UTF-8"
        ) from None
    try:
        return json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError(f"{path}: the JSON is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"{path}: this JSON cannot be read: {error}") from None


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in keys if names.count(name) > 1)
        raise ValueError(f"the key {quote(twice)} appears twice in one object")
    return keys


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def quote(value: object) -> str:
    """Return a value as it may stand in a message: escaped, and short."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:56]}..."
