"""Callbacks that fill the run folder."""

from kseg.training.callbacks.checkpoints import Checkpoints, EarlyStop, StopAtNaN, ran_dry
from kseg.training.callbacks.metrics_csv import MetricsCsv, read_metrics
from kseg.training.callbacks.plain_names import PlainNames
from kseg.training.callbacks.progress import Progress
from kseg.training.callbacks.tensorboard import TensorBoardLog

__all__ = [
    "Checkpoints",
    "EarlyStop",
    "MetricsCsv",
    "PlainNames",
    "Progress",
    "StopAtNaN",
    "TensorBoardLog",
    "ran_dry",
    "read_metrics",
]
