"""Data sets: where files are, how masks are decoded, and what happens before the device."""

from kseg.data.class_weighting import class_weights
from kseg.data.dataset import Dataset, Sample, SampleFiles
from kseg.data.edge_weighting import edge_weights
from kseg.data.registry import list_datasets, open_dataset, register_dataset

__all__ = [
    "Dataset",
    "Sample",
    "SampleFiles",
    "class_weights",
    "edge_weights",
    "list_datasets",
    "open_dataset",
    "register_dataset",
]
