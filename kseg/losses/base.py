"""The two kinds of losses: a mean over pixels, and a mean over classes."""

from keras import ops

from kseg.losses.algebra import SummableLoss
from kseg.losses.options import check_class_ids, check_class_weights, check_flag, check_whole
from kseg.losses.reduce import weighted_mean
from kseg.losses.regions import read_regions
from kseg.losses.truth import read_batch, true_class


class SegmentationLoss(SummableLoss):
    """Shared options and the mean over images; a subclass gives `terms`.

    Truth is a label map `(N, H, W)` or `(N, H, W, 1)`, or one-hot `(N, H, W, C)`, which may be
    soft (shares that add up to 1, as of mixed images); the prediction is `(N, H, W, C)`. With
    `C = 1` it is a sigmoid channel for class 1 of two classes. Void pixels (label
    `ignore_class`, or an all-zero one-hot row) are in no sum and no denominator, and their
    gradient is exactly 0. A label that is neither a class nor `ignore_class` raises in eager
    calls and is void in compiled code. Without any valid pixel the loss and its gradient are
    0. Everything is computed in float32.

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
        self.from_logits = check_flag("from_logits", from_logits)
        self.ignore_class = check_whole("ignore_class", ignore_class)
        self.class_weights = check_class_weights(class_weights)
        self.per_image = check_flag("per_image", per_image)

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
        """Return the weights as a float32 tensor `(C,)`, 1 each without `class_weights`.

        Args:
            num_classes: `C` of the prediction, 2 for a sigmoid channel.

        Raises:
            ValueError: If `class_weights` has another length.
        """
        if self.class_weights is None:
            return ops.ones((num_classes,), dtype="float32")
        return self.table_of_classes("class_weights", self.class_weights, num_classes)

    def table_of_classes(self, option, values, num_classes):
        """Return an option with a value per class as a float32 tensor `(C,)`.

        Raises:
            ValueError: If it has not one value per class.
        """
        if len(values) != num_classes:
            raise ValueError(
                f"{option} has {len(values)} entries, the prediction has {num_classes} classes."
            )
        return ops.convert_to_tensor(values, dtype="float32")

    def get_config(self):
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "ignore_class": self.ignore_class,
            "class_weights": self.class_weights,
            "per_image": self.per_image,
        }


class PixelLoss(SegmentationLoss):
    """A mean over valid pixels, weighted by the weight of each pixel's true class.

    A map of weights in `sample_weight` multiplies these weights.
    """

    takes_pixel_weights = True

    def pixel_values(self, batch):
        """Return the loss of every pixel, `(N, H, W)`, finite at void pixels too."""
        raise NotImplementedError

    def terms(self, batch):
        """Return the values and weights of the pixels."""
        weights = ops.cast(batch.valid, "float32")
        if self.class_weights is not None:
            weights = true_class(batch, self.weights_of_classes(batch.scores.shape[-1]))
        if batch.pixel_weights is not None:
            weights = weights * ops.where(batch.valid, batch.pixel_weights, 0.0)
        return self.pixel_values(batch), weights, self.pixel_axes(batch)


class ClassLoss(SegmentationLoss):
    """A mean over classes, each class being one region of truth and one of prediction.

    A class counts when it has truth pixels (in the image with `per_image`, else in the
    batch), so an absent class is neither good nor bad whatever the prediction. `class_weights`
    weigh the classes. A sigmoid channel counts for the foreground alone.

    Args:
        class_ids: The classes that count, or None for all (the foreground where `C = 1`).
        **options: See `SegmentationLoss`.

    Raises:
        ValueError: If an option has a bad value.
    """

    # What `class_ids=None` means for a sigmoid channel.
    classes_of_sigmoid = (1,)

    def __init__(self, *, class_ids=None, **options):
        super().__init__(**options)
        self.class_ids = check_class_ids(class_ids)

    def class_values(self, regions):
        """Return the loss of every class, `(C,)`, or `(N, C)` with `per_image`.

        Args:
            regions: The `Regions` to compare. Values of classes without truth pixels do not
                count, but must be finite.
        """
        raise NotImplementedError

    def terms(self, batch):
        """Return the values and weights of the classes."""
        if batch.pixel_weights is not None:
            raise ValueError(
                f"{type(self).__name__} compares regions and takes no map of weights as "
                "sample_weight; add a loss over pixels to it, which does."
            )
        regions = read_regions(batch, self.pixel_axes(batch), self.from_logits)
        num_classes = regions.masks.shape[-1]
        counted = ops.cast(regions.truth > 0, "float32") * self._chosen(batch, num_classes)
        return self.class_terms(regions, counted * self.weights_of_classes(num_classes))

    def class_terms(self, regions, weights):
        """Return the values and weights of the classes; for losses that are no mean over them.

        Args:
            regions: The `Regions` to compare.
            weights: Weights of the classes, `(C,)` or `(N, C)`, 0 where one does not count.
        """
        return self.class_values(regions), weights, -1

    def _chosen(self, batch, num_classes):
        """Return 1 for the classes that count and 0 for others, float32 `(C,)`."""
        ids = self.class_ids
        if ids is None:
            ids = self.classes_of_sigmoid if batch.binary else range(num_classes)
        if max(ids) >= num_classes:
            raise ValueError(
                f"class_ids holds {max(ids)}, the prediction has {num_classes} classes."
            )
        return ops.convert_to_tensor([float(i in ids) for i in range(num_classes)], "float32")

    def get_config(self):
        return {**super().get_config(), "class_ids": self.class_ids}
