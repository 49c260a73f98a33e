"""What the results of a whole run need to know of every image, kept on the disk until its end."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any


class Records(AbstractContextManager):
    """Records of images in a temporary file: the names alone are in memory.

    Args:
        kinds: Kinds of results whose records are kept.
    """

    def __init__(self, kinds: Iterable[str]):
        self._places: dict[str, list[tuple[Any, int]]] = {kind: [] for kind in kinds}
        self._file = tempfile.TemporaryFile(prefix="kseg-")  # noqa: SIM115  (`__exit__` closes it)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Delete the file."""
        self._file.close()

    def put(self, name: Any, records: Mapping[str, Any]) -> None:
        """Keep what there is to know of an image.

        Args:
            name: What the images are sorted by, of one type.
            records: A record for each kind, made of lists, dicts, text and numbers.
        """
        for kind in records.keys() & self._places.keys():
            self._places[kind].append((name, self._file.seek(0, 2)))
            self._file.write(json.dumps(records[kind]).encode() + b"\n")

    def of(self, kind: str) -> Iterator[Any]:
        """Yield the records of a kind in the order of their names; none of a kind not kept."""
        for _, place in sorted(self._places.get(kind, [])):
            self._file.seek(place)
            yield json.loads(self._file.readline())
