"""A file beside the data that remembers what each sample shows."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from kseg import __version__
from kseg.data.dataset import Dataset, SampleFiles
from kseg.data.label_counts import LabelCount
from kseg.data.reading import describe_reading
from kseg.files import replacing, user_cache

# No ".json": adapters that list a folder's annotations must not take it for one.
FILE_NAME = "label_counts.cache"
_FORMAT = 1
# A file written twice within the clock's tick has one time for two contents.
_SETTLED_SECONDS = 2.0

Stamp = list[list[int]]


class CountCache:
    """Keeps a `LabelCount` per sample, valid while names, sizes and times of its files stay.

    It lies in the data set's folder, or in the user's cache folder where that is read-only. A
    cache that cannot be read or written is no error: everything is counted anew then.

    Args:
        dataset: The data set; reading it in another way, as with another `relabel`, voids the
            cache.
        enabled: False neither reads nor writes a file.
    """

    def __init__(self, dataset: Dataset, enabled: bool = True):
        self._root = _common_folder(dataset)
        self._reading = describe_reading(dataset)
        self._changed = False
        usable = enabled and self._root is not None and self._reading is not None
        self._places = _places(self._root) if usable and self._root is not None else []
        self._records = self._read()

    def get(self, files: SampleFiles) -> LabelCount | None:
        """Return what is known of a sample, or None."""
        record = self._records.get(self._key(files)) if self._records else None
        try:
            if record is None or record["stamp"] != _stamp(files):
                return None
            values, pixels = np.array(record["labels"], np.int64).reshape(-1, 2).T
            return LabelCount(values, pixels, str(record["digest"]))
        except (OSError, KeyError, TypeError, ValueError):
            return None

    def put(self, files: SampleFiles, count: LabelCount) -> None:
        """Remember a sample, unless its files have only just been written."""
        try:
            stamp = _stamp(files)
        except OSError:
            return
        if not self._places or max(times for _, times in stamp) / 1e9 > _latest_settled():
            return
        labels = np.stack([count.values, count.pixels], 1).tolist()
        record = {"stamp": stamp, "labels": labels, "digest": count.digest}
        self._records[self._key(files)] = record
        self._changed = True

    def save(self) -> None:
        """Write what is new in one step."""
        if not self._changed:
            return
        content = {"header": self._header, "samples": self._records}
        text = json.dumps(content, separators=(",", ":"))
        any(_write(place, text) for place in self._places)
        self._changed = False

    @property
    def _header(self) -> dict[str, Any]:
        return {"format": _FORMAT, "kseg": __version__, "reading": self._reading}

    def _read(self) -> dict[str, Any]:
        for place in self._places:
            try:
                content = json.loads(place.read_text("utf-8"))
                if content["header"] == self._header and isinstance(content["samples"], dict):
                    return content["samples"]
            except (OSError, ValueError, KeyError, TypeError):
                continue
        return {}

    def _key(self, files: SampleFiles) -> str:
        parts = []
        for field in fields(files):
            value = getattr(files, field.name)
            if isinstance(value, Path) and self._root is not None:
                value = os.path.relpath(value.absolute(), self._root)
            parts.append("" if value is None else str(value))
        return "|".join(parts)


def _latest_settled() -> float:
    return time.time() - _SETTLED_SECONDS


def _stamp(files: SampleFiles) -> Stamp:
    """Return size in bytes and time of change in nanoseconds of the sample's files."""
    paths = (getattr(files, field.name) for field in fields(files))
    found = [path.stat() for path in paths if isinstance(path, Path)]
    return [[one.st_size, one.st_mtime_ns] for one in found]


def _common_folder(dataset: Dataset) -> Path | None:
    """Return the folder that holds all files, or None where there is no such place."""
    samples: Iterable[SampleFiles] = (s for part in dataset.splits.values() for s in part)
    folders = {str(p.parent.absolute()) for s in samples for p in (s.image, s.mask) if p}
    try:
        common = Path(os.path.commonpath(folders))
    except ValueError:  # no files, or files on several drives
        return None
    return None if common in (Path(common.anchor), Path.home()) else common


def _places(root: Path) -> Sequence[Path]:
    """Return where the file may be, the best place first."""
    name = hashlib.sha256(str(root).encode()).hexdigest()[:24]
    user = user_cache() / "label_counts" / f"{name}.cache"
    return [root / FILE_NAME, user] if _is_writable(root) else [user]


def _is_writable(folder: Path) -> bool:
    """Tell whether the folder may be written to; root respects a missing permission too."""
    try:
        return os.access(folder, os.W_OK) and bool(stat.S_IMODE(folder.stat().st_mode) & 0o222)
    except OSError:
        return False


def _write(place: Path, text: str) -> bool:
    try:
        with replacing(place, shared=True) as draft:
            draft.write_text(text, "utf-8")
    except OSError:
        return False
    return True
