"""Keeping decoded samples, so that an epoch after the first does not decode again."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from kseg.data.dataset import Sample
from kseg.files import replacing, user_cache

Load = Callable[[], Sample]


def sample_bytes(sample: Sample) -> int:
    """Return the memory that a sample takes."""
    return sum(array.nbytes for array in _arrays(sample).values())


def _arrays(sample: Sample) -> dict[str, np.ndarray]:
    arrays = {name: getattr(sample, name) for name in ("image", "mask", "weights")}
    return {name: array for name, array in arrays.items() if array is not None}


class RamCache:
    """Keeps samples in memory until `limit` bytes are full; what comes later is loaded anew.

    Nothing is thrown out for newer samples: every epoch asks for every sample once, and then the
    oldest is always the next one to be asked for.

    Args:
        limit: Bytes that the samples may take together.
    """

    def __init__(self, limit: int):
        self.limit = limit
        self.used = 0
        self._samples: dict[str, Sample] = {}
        self._lock = threading.Lock()

    def get(self, key: str, load: Load) -> Sample:
        """Return the sample kept under `key`, or what `load()` gives; its arrays are read-only."""
        kept = self._samples.get(key)
        if kept is not None:
            return kept
        sample = _read_only(load())
        with self._lock:
            size = sample_bytes(sample)
            if key not in self._samples and self.used + size <= self.limit:
                self._samples[key] = sample
                self.used += size
        return sample


class DiskCache:
    """Keeps samples as uncompressed files, for data that is slow to decode and larger than memory.

    A damaged or half-written file is made again. A folder that is full or cannot be written to
    is no error: samples are loaded anew then.

    Args:
        folder: Where the files go; made on first use.
        limit: Bytes that the folder may take, files of earlier runs among them.
    """

    def __init__(self, folder: Path, limit: int):
        self.folder = folder
        self.limit = limit
        self.used = _bytes_in(folder)
        self._lock = threading.Lock()

    def get(self, key: str, load: Load) -> Sample:
        """Return the sample kept under `key`, or what `load()` gives."""
        file = self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.npz"
        kept = _read(file)
        if kept is not None:
            return kept
        sample = load()
        self._write(file, sample)
        return sample

    def _write(self, file: Path, sample: Sample) -> None:
        size = sample_bytes(sample)
        with self._lock:
            if self.used + size > self.limit:
                return
            self.used += size
        arrays: dict[str, Any] = {"name": np.array(sample.name), **_arrays(sample)}
        with suppress(OSError), replacing(file, shared=True) as draft, draft.open("wb") as stream:
            np.savez(stream, **arrays)


def open_cache(kind: str, gigabytes: float) -> RamCache | DiskCache | None:
    """Return the cache that a name stands for.

    Args:
        kind: "none", "ram" or "disk"; the latter is in the user's cache folder.
        gigabytes: Its limit in units of 1e9 bytes.
    """
    limit = int(gigabytes * 1e9)
    if kind == "ram":
        return RamCache(limit)
    return DiskCache(user_cache() / "samples", limit) if kind == "disk" else None


def _bytes_in(folder: Path) -> int:
    """Return the size of the kept files; drafts of other processes, which are hidden, are not."""
    total = 0
    for file in folder.glob("[!.]*.npz"):
        # Someone may delete the files at any time.
        with suppress(OSError):
            total += file.stat().st_size
    return total


def _read(file: Path) -> Sample | None:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            name, weights = str(arrays["name"]), arrays.get("weights")
            return Sample(arrays["image"], arrays.get("mask"), name, weights)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def _read_only(sample: Sample) -> Sample:
    """Return the sample with arrays that a careless transform cannot write to."""
    sample = replace(sample, image=np.ascontiguousarray(sample.image))
    for array in _arrays(sample).values():
        array.flags.writeable = False
    return sample
