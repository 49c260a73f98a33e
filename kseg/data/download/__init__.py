"""Fetching data sets: addresses, downloads that go on where they stopped, and safe unpacking."""

from kseg.data.download.dataset import Options, fetch_dataset, next_steps, plan, source_of
from kseg.data.download.errors import DownloadError
from kseg.data.download.members import Limits
from kseg.data.download.sources import SOURCES, Archive, Source

__all__ = [
    "SOURCES",
    "Archive",
    "DownloadError",
    "Limits",
    "Options",
    "Source",
    "fetch_dataset",
    "next_steps",
    "plan",
    "source_of",
]
