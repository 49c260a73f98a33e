"""Keras metrics over one confusion matrix of the whole data set, or over one of each image."""

from numbers import Integral

import keras
from keras import ops

from kseg.metrics.confusion import counts_of
from kseg.metrics.counting import count_batch
from kseg.metrics.limbs import add_limbs, float_sum, fraction_limbs, fraction_sum, int_sum
from kseg.metrics.scores import AVERAGES, get_score, list_per_image, ratio


class ConfusionMetric(keras.metrics.Metric):
    """Count batches and turn the counts into the values of `scores`; a subclass is the `result`.

    State is one matrix of the whole data set, exact up to 2**51 pixels per cell. With
    `average="per_image"` every image has a matrix and a value per score, the mean over the
    classes with truth pixels in that image; state is the exact sum of these values, rounded
    to 2**-24, and the number of images with a valid pixel. Both are sums of integers, so the
    split into batches and their order do not matter. `count_batch` describes truth and
    prediction.

    Args:
        num_classes: Channels of the prediction; 1 is a sigmoid channel, counted as two classes.
        scores: Names out of `list_metrics()`, at least one.
        average: How classes become one number where a score leaves it open: "macro", "micro",
            "weighted" or None, see `Score.value`. "per_image" is the mean over images; the
            logs then end in `_per_image`, and scores of the whole data set are refused.
        ignore_class: The true label of void pixels, any integer, or None.
        from_logits: Whether a sigmoid channel holds logits; argmax does not care.
        name: Name of the metric.

    Raises:
        ValueError: If a score is unknown or an option has a bad value.
    """

    def __init__(
        self,
        num_classes,
        scores,
        *,
        average="macro",
        ignore_class=None,
        from_logits=True,
        name=None,
    ):
        super().__init__(name=name)
        _check_options(num_classes, scores, average, ignore_class, from_logits)
        self.num_classes = int(num_classes)
        self.scores = list(scores)
        self.average = average
        self.ignore_class = None if ignore_class is None else int(ignore_class)
        self.from_logits = bool(from_logits)
        self.per_image = average == "per_image"
        shape = (len(self.scores),) if self.per_image else (max(self.num_classes, 2),) * 2
        self.low = self.add_variable(shape, "zeros", dtype="int32", name="low")
        self.high = self.add_variable(shape, "zeros", dtype="int32", name="high")
        if self.per_image:
            self.images = self.add_variable((), "zeros", dtype="int32", name="images")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch.

        Args:
            y_true: Truth, see `count_batch`.
            y_pred: Prediction, see `count_batch`.
            sample_weight: Not supported: counts are whole pixels.

        Raises:
            ValueError: If there is a `sample_weight`, or `count_batch` raises.
        """
        if sample_weight is not None:
            raise ValueError(f"{self.name} counts pixels and takes no sample_weight.")
        counts = count_batch(
            y_true,
            y_pred,
            self.num_classes,
            ignore_class=self.ignore_class,
            from_logits=self.from_logits,
            per_image=self.per_image,
        )
        more = self._image_limbs(counts) if self.per_image else (counts,)
        low, high = add_limbs(self.low.value, self.high.value, *more)
        self.low.assign(low)
        self.high.assign(high)

    def _image_limbs(self, counts):
        """Count the images of a batch and return the limbs of their values."""
        valid = ops.any(counts > 0, axis=(1, 2))
        self.images.assign(self.images.value + ops.sum(ops.cast(valid, "int32")))
        counts = counts_of(ops.cast(counts, "float32"), ops)
        values = [get_score(name).value(counts, ops) for name in self.scores]
        return fraction_limbs(ops.stack(values, axis=-1))

    def values(self):
        """Return `{name in the logs: value}` of the scores; each is 0 before the first pixel."""
        low, high = self.low.value, self.high.value
        if self.per_image:
            images = ops.cast(self.images.value, "float32")
            means = ratio(ops, fraction_sum(low, high), images)
            return {self.log_name(name): means[i] for i, name in enumerate(self.scores)}
        counts = counts_of(float_sum(low, high), ops)
        return {name: get_score(name).value(counts, ops, self.average) for name in self.scores}

    def log_name(self, score):
        """Return the name of a score in the logs, which tells per-image means from the rest."""
        return f"{score}_per_image" if self.per_image else score

    def confusion_matrix(self):
        """Return the exact counts so far as a NumPy int64 array `(C, C)`, rows truth.

        Raises:
            ValueError: If the metric keeps values of images and no counts.
        """
        if self.per_image:
            raise ValueError(f"{self.name} is a mean over images and keeps no confusion matrix.")
        return int_sum(self.low.value, self.high.value)

    def get_config(self):
        return {
            "name": self.name,
            "num_classes": self.num_classes,
            "average": self.average,
            "ignore_class": self.ignore_class,
            "from_logits": self.from_logits,
        }


def _check_options(num_classes, scores, average, ignore_class, from_logits):
    if not isinstance(num_classes, Integral) or num_classes < 1:
        raise ValueError(f"num_classes must be a whole number from 1 on, got {num_classes!r}.")
    if ignore_class is not None and not isinstance(ignore_class, Integral):
        raise ValueError(f"ignore_class must be a whole number or None, got {ignore_class!r}.")
    if from_logits not in (True, False):
        raise ValueError(f"from_logits must be True or False, got {from_logits!r}.")
    if average not in AVERAGES:
        raise ValueError(f"average must be one of {AVERAGES}, got {average!r}.")
    if not scores:
        raise ValueError("scores needs at least one name.")
    for name in scores:
        if get_score(name).average and average == "per_image":
            raise ValueError(
                f"{name} is a score of the whole data set; with average='per_image' take one of "
                f"{', '.join(list_per_image())}."
            )
