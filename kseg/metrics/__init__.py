"""Metrics for segmentation: every score is a ratio of one confusion matrix.

Import this package before `keras.models.load_model` loads a model that was compiled with one
of its metrics.
"""

from kseg.metrics.confusion import confusion_matrix
from kseg.metrics.metric import (
    ConfusionMetric,
    SegmentationMetrics,
    SegmentationScore,
    get_metric,
)
from kseg.metrics.report import ClassScores, SegmentationReport, segmentation_report
from kseg.metrics.scores import list_metrics

__all__ = [
    "ClassScores",
    "ConfusionMetric",
    "SegmentationMetrics",
    "SegmentationReport",
    "SegmentationScore",
    "confusion_matrix",
    "get_metric",
    "list_metrics",
    "segmentation_report",
]
