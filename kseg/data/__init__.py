"""Data sets: where files are, how masks are decoded, and what happens before the device."""

from kseg.data.dataset import Dataset, Sample, SampleFiles
from kseg.data.registry import list_datasets, open_dataset, register_dataset

__all__ = [
    "Dataset",
    "Sample",
    "SampleFiles",
    "list_datasets",
    "open_dataset",
    "register_dataset",
]
