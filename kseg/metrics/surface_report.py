"""All surface scores of a label map, one class at a time."""

from dataclasses import asdict, dataclass

import numpy as np

from kseg.metrics.arrays import same_shape
from kseg.metrics.boundary import boundary_iou
from kseg.metrics.confusion import check_labels
from kseg.metrics.surface import per_axis, surface_distances


@dataclass(frozen=True)
class SurfaceScores:
    """Surface scores of one class; `kseg.metrics.surface` says what empty masks give.

    Attributes:
        hausdorff: Largest distance between the boundaries, in the unit of the spacing.
        hausdorff_95: The same at the 95th percentile.
        average_distance: Average symmetric surface distance.
        surface_dice: Share of the boundaries within the tolerance.
        boundary_iou: IoU of the bands along the boundaries.
        support: Number of true pixels.
        predicted: Number of predicted pixels.
    """

    hausdorff: float
    hausdorff_95: float
    average_distance: float
    surface_dice: float
    boundary_iou: float
    support: int
    predicted: int


@dataclass(frozen=True)
class SurfaceReport:
    """Surface scores of one image.

    Attributes:
        classes: `{class: SurfaceScores}` of every class but `ignore_class`.
        tolerance: Distance that counts as right in `surface_dice`.
        spacing: Size of a pixel along each axis.
    """

    classes: dict[int, SurfaceScores]
    tolerance: float
    spacing: tuple[float, ...]

    def to_dict(self):
        """Return plain Python values; a distance may be infinite, which JSON does not know."""
        return asdict(self)


def surface_report(
    truth,
    prediction,
    num_classes,
    *,
    tolerance,
    spacing=1.0,
    dilation_ratio=0.02,
    ignore_class=None,
):
    """Measure every surface score of every class.

    Void pixels are taken out of both masks of each class, so a boundary that ends inside a void
    area moves to its rim, and errors inside it cost nothing.

    Args:
        truth: Integer labels of one image or volume, `(H, W)` or n-D. A batch would be taken
            for a volume.
        prediction: Integer labels of the same shape; what it says at void pixels is free.
        num_classes: Number of classes, at least 1.
        tolerance: Largest distance that `surface_dice` takes as right, from 0 on.
        spacing: Size of a pixel, one number or one per axis, above 0.
        dilation_ratio: Width of the band of `boundary_iou` as a share of the image diagonal.
        ignore_class: The true label of void pixels, any integer, or None.

    Returns:
        A `SurfaceReport`.

    Raises:
        ValueError: If the shapes differ, a label is no class, or an option has a bad value.
    """
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    same_shape(truth, prediction)
    check_labels("truth", truth, num_classes, ignore_class)
    valid = np.ones(truth.shape, bool) if ignore_class is None else truth != ignore_class
    check_labels("prediction", prediction[valid], num_classes)
    options = {"tolerance": tolerance, "spacing": spacing, "dilation_ratio": dilation_ratio}
    classes = {
        label: _scores((truth == label) & valid, (prediction == label) & valid, **options)
        for label in range(num_classes)
        if label != ignore_class
    }
    return SurfaceReport(classes, float(tolerance), tuple(per_axis(spacing, truth.ndim).tolist()))


def _scores(truth, prediction, *, tolerance, spacing, dilation_ratio):
    distances = surface_distances(truth, prediction, spacing=spacing)
    return SurfaceScores(
        hausdorff=distances.hausdorff(),
        hausdorff_95=distances.hausdorff(95),
        average_distance=distances.average(),
        surface_dice=distances.dice(tolerance),
        boundary_iou=boundary_iou(truth, prediction, dilation_ratio=dilation_ratio),
        support=int(np.count_nonzero(truth)),
        predicted=int(np.count_nonzero(prediction)),
    )
