"""Metrics for segmentation: scores of a confusion matrix, and functions of whole masks.

The scores are Keras metrics: import this package before `keras.models.load_model` loads a model
that was compiled with one of them. Distances of boundaries, scores for membranes and vessels and
the calibration error are computed on NumPy arrays.
"""

from kseg.metrics.base import ConfusionMetric
from kseg.metrics.boundary import boundary_iou
from kseg.metrics.calibration import (
    CalibrationBin,
    CalibrationBins,
    expected_calibration_error,
)
from kseg.metrics.confusion import confusion_matrix
from kseg.metrics.instances import membrane_instances, thin_borders
from kseg.metrics.membrane import SplitMergeScore, best_over_thresholds, v_info, v_rand
from kseg.metrics.metric import SegmentationMetrics, SegmentationScore, get_metric
from kseg.metrics.report import ClassScores, SegmentationReport, segmentation_report
from kseg.metrics.scores import list_metrics
from kseg.metrics.surface import (
    SurfaceDistances,
    average_symmetric_surface_distance,
    hausdorff_distance,
    surface_dice,
    surface_distances,
)
from kseg.metrics.surface_report import SurfaceReport, SurfaceScores, surface_report
from kseg.metrics.vessels import auc_in_mask, average_precision_in_mask, f1_in_mask

__all__ = [
    "CalibrationBin",
    "CalibrationBins",
    "ClassScores",
    "ConfusionMetric",
    "SegmentationMetrics",
    "SegmentationReport",
    "SegmentationScore",
    "SplitMergeScore",
    "SurfaceDistances",
    "SurfaceReport",
    "SurfaceScores",
    "auc_in_mask",
    "average_precision_in_mask",
    "average_symmetric_surface_distance",
    "best_over_thresholds",
    "boundary_iou",
    "confusion_matrix",
    "expected_calibration_error",
    "f1_in_mask",
    "get_metric",
    "hausdorff_distance",
    "list_metrics",
    "membrane_instances",
    "segmentation_report",
    "surface_dice",
    "surface_distances",
    "surface_report",
    "thin_borders",
    "v_info",
    "v_rand",
]
