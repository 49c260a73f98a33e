"""The two kinds of losses: a mean over pixels, and a mean over regions."""

import math
from numbers import Integral

from keras import ops

from kseg.losses.algebra import SummableLoss
from kseg.losses.reduce import sum_stepwise, weighted_mean
from kseg.losses.truth import class_masks, read_batch


class SegmentationLoss(SummableLoss):
    """Shared options and the mean over images; a subclass gives `terms`.

    Truth is a label map `(N, H, W)` or `(N, H, W, 1)`, or one-hot `(N, H, W, C)`; the
    prediction is `(N, H, W, C)`. With `C = 1` it is a sigmoid channel for class 1 of two
    classes. Void pixels (label `ignore_class`, or an all-zero one-hot row) are in no sum and
    no denominator, and their gradient is exactly 0. A label that is neither a class nor
    `ignore_class` raises in eager calls and is void in compiled code. Without any valid pixel
    the loss and its gradient are 0. Everything is computed in float32.

    Args:
        from_logits: Whether predictions are logits, not probabilities.
        ignore_class: Label of void pixels, any integer, or None.
        class_weights: A weight of at least 0 per class (two where `C = 1`), or None.
        per_image: Take the mean over the values of the images that count, instead of one
            value over all pixels of the batch.
        name: Name of the loss.

    Raises:
        ValueError: If an option has a bad value.
    """

    def __init__(
        self,
        *,
        from_logits=True,
        ignore_class=None,
        class_weights=None,
        per_image=False,
        name=None,
    ):
        super().__init__(name=name)
        self.from_logits = bool(from_logits)
        self.ignore_class = None if ignore_class is None else _whole("ignore_class", ignore_class)
        self.class_weights = _weights(class_weights)
        self.per_image = bool(per_image)

    def call(self, y_true, y_pred):
        """Return the loss of a batch, shape `(1,)`."""
        batch = read_batch(
            y_true, y_pred, ignore_class=self.ignore_class, from_logits=self.from_logits
        )
        values, weights, axis = self.terms(batch)
        images = weighted_mean(values, weights, axis)
        counted = ops.cast(ops.max(weights, axis=axis) > 0, "float32")
        return ops.reshape(weighted_mean(images, counted), (1,))

    def terms(self, batch):
        """Return values and weights of one shape, and the axes of their weighted mean.

        Args:
            batch: The `Batch` to compare.

        Returns:
            The tuple `(values, weights, axis)`; what is left after `axis` is the images, or
            nothing.
        """
        raise NotImplementedError

    def pixel_axes(self, batch):
        """Return the axes of `batch.labels` that one value is taken over."""
        return tuple(range(1 if self.per_image else 0, len(batch.labels.shape)))

    def weights_of_classes(self, num_classes):
        """Return the weights as a float32 tensor `(C,)`.

        Args:
            num_classes: `C` of the prediction, 2 for a sigmoid channel.

        Raises:
            ValueError: If `class_weights` has another length.
        """
        if self.class_weights is None:
            return ops.ones((num_classes,), dtype="float32")
        if len(self.class_weights) != num_classes:
            raise ValueError(
                f"class_weights has {len(self.class_weights)} entries, "
                f"the prediction has {num_classes} classes."
            )
        return ops.convert_to_tensor(self.class_weights, dtype="float32")

    def get_config(self):
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "ignore_class": self.ignore_class,
            "class_weights": self.class_weights,
            "per_image": self.per_image,
        }


class PixelLoss(SegmentationLoss):
    """A mean over valid pixels, weighted by the weight of each pixel's true class."""

    def pixel_values(self, batch):
        """Return the loss of every pixel, `(N, H, W)`, finite at void pixels too."""
        raise NotImplementedError

    def terms(self, batch):
        """Return the values and weights of the pixels."""
        weights = ops.cast(batch.valid, "float32")
        if self.class_weights is not None:
            table = self.weights_of_classes(batch.scores.shape[-1])
            weights = weights * ops.take(table, batch.labels, axis=0)
        return self.pixel_values(batch), weights, self.pixel_axes(batch)


class RegionLoss(SegmentationLoss):
    """A mean over classes, each class being one region of truth and one of prediction.

    A class counts when it has truth pixels (in the image with `per_image`, else in the
    batch), so an absent class is neither good nor bad whatever the prediction. `class_weights`
    weigh the classes. A sigmoid channel counts for the foreground alone.

    Args:
        class_ids: The classes that count, or None for all (the foreground where `C = 1`).
        smooth: A number of at least 0 that subclasses add to numerator and denominator.
        **options: See `SegmentationLoss`.

    Raises:
        ValueError: If an option has a bad value.
    """

    def __init__(self, *, class_ids=None, smooth=0.0, **options):
        super().__init__(**options)
        self.class_ids = None if class_ids is None else [_whole("class_ids", i) for i in class_ids]
        if self.class_ids is not None and (not self.class_ids or min(self.class_ids) < 0):
            raise ValueError(f"class_ids needs classes from 0 on, got {self.class_ids}.")
        if not (math.isfinite(smooth) and smooth >= 0):
            raise ValueError(f"smooth must be at least 0, got {smooth}.")
        self.smooth = float(smooth)

    def region_values(self, overlap, truth, predicted):
        """Return the loss of every class.

        Args:
            overlap: Probability on the truth pixels of each class, `(..., C)`.
            truth: Number of truth pixels of each class, `(..., C)`; 1 for an absent class.
            predicted: Probability on all valid pixels for each class, `(..., C)`.
        """
        raise NotImplementedError

    def terms(self, batch):
        """Return the values and weights of the classes."""
        num_classes = batch.scores.shape[-1]
        axes = self.pixel_axes(batch)
        masks = class_masks(batch, num_classes)
        chances = ops.softmax(batch.scores, axis=-1) if self.from_logits else batch.scores
        chances = ops.where(batch.valid[..., None], chances, 0.0)
        overlap = sum_stepwise(ops.where(masks, chances, 0.0), axes)
        truth = sum_stepwise(ops.cast(masks, "float32"), axes)
        predicted = sum_stepwise(chances, axes)
        counted = ops.cast(truth > 0, "float32") * self._chosen(batch, num_classes)
        values = self.region_values(overlap, ops.maximum(truth, 1.0), predicted)
        return values, counted * self.weights_of_classes(num_classes), -1

    def _chosen(self, batch, num_classes):
        """Return 1 for the classes that count and 0 for others, float32 `(C,)`."""
        ids = self.class_ids
        if ids is None:
            ids = [1] if batch.binary else range(num_classes)
        if max(ids) >= num_classes:
            raise ValueError(
                f"class_ids holds {max(ids)}, the prediction has {num_classes} classes."
            )
        return ops.convert_to_tensor([float(i in ids) for i in range(num_classes)], "float32")

    def get_config(self):
        return {**super().get_config(), "class_ids": self.class_ids, "smooth": self.smooth}


def _whole(option, value):
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise ValueError(f"{option} takes whole numbers, got {value!r}.")
    return int(value)


def _weights(values):
    if values is None:
        return None
    values = [float(value) for value in values]
    if not all(math.isfinite(value) and value >= 0 for value in values) or not any(values):
        raise ValueError(f"class_weights must be at least 0 and not all 0, got {values}.")
    return values
