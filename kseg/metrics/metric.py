"""Keras metrics over one confusion matrix of the whole data set."""

from numbers import Integral

import keras
from keras import ops

from kseg.metrics.counting import add_counts, count_batch, float_counts, int_counts
from kseg.metrics.scores import AVERAGES, counts_of, get_score

DEFAULT_SCORES = ("iou_score", "f1_score", "pixel_accuracy")


class ConfusionMetric(keras.metrics.Metric):
    """Count batches into one matrix; a subclass turns the counts into `result`.

    The matrix is exact up to 2**51 pixels per cell, so the result is that of the whole data set
    whatever the split into batches. `count_batch` describes truth and prediction.

    Args:
        num_classes: Channels of the prediction; 1 is a sigmoid channel, counted as two classes.
        average: How classes become one number where a score leaves it open: "macro",
            "micro", "weighted" or None, see `Score.value`.
        ignore_class: The true label of void pixels, any integer, or None.
        from_logits: Whether a sigmoid channel holds logits; argmax does not care.
        name: Name of the metric.

    Raises:
        ValueError: If an option has a bad value.
    """

    def __init__(
        self, num_classes, *, average="macro", ignore_class=None, from_logits=True, name=None
    ):
        super().__init__(name=name)
        if not isinstance(num_classes, Integral) or num_classes < 1:
            raise ValueError(f"num_classes must be a whole number from 1 on, got {num_classes!r}.")
        if ignore_class is not None and not isinstance(ignore_class, Integral):
            raise ValueError(f"ignore_class must be a whole number or None, got {ignore_class!r}.")
        if average not in AVERAGES:
            raise ValueError(f"average must be one of {AVERAGES}, got {average!r}.")
        self.num_classes = int(num_classes)
        self.average = average
        self.ignore_class = None if ignore_class is None else int(ignore_class)
        self.from_logits = bool(from_logits)
        shape = (max(self.num_classes, 2),) * 2
        self.low = self.add_variable(shape, "zeros", dtype="int32", name="low")
        self.high = self.add_variable(shape, "zeros", dtype="int32", name="high")

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
        )
        low, high = add_counts(self.low.value, self.high.value, counts)
        self.low.assign(low)
        self.high.assign(high)

    def score(self, name):
        """Return the value of one score from the counts so far."""
        counts = counts_of(float_counts(self.low.value, self.high.value), ops)
        return get_score(name).value(counts, ops, self.average)

    def confusion_matrix(self):
        """Return the exact counts so far as a NumPy int64 array `(C, C)`, rows truth."""
        return int_counts(self.low.value, self.high.value)

    def get_config(self):
        return {
            "name": self.name,
            "num_classes": self.num_classes,
            "average": self.average,
            "ignore_class": self.ignore_class,
            "from_logits": self.from_logits,
        }


@keras.saving.register_keras_serializable("kseg")
class SegmentationMetrics(ConfusionMetric):
    """Several scores that share one confusion matrix; the result is `{score: value}`.

    In `fit` the logs are named after the scores (`iou_score`, `val_iou_score`). Before the
    first pixel every score is 0.

    Args:
        num_classes: Channels of the prediction; 1 is a sigmoid channel.
        scores: Names out of `list_metrics()`, at least one.
        name: Name of the metric, not of the scores.
        **options: See `ConfusionMetric`.

    Raises:
        ValueError: If a score is unknown or an option has a bad value.
    """

    def __init__(self, num_classes, scores=DEFAULT_SCORES, *, name="scores", **options):
        super().__init__(num_classes, name=name, **options)
        self.scores = [scores] if isinstance(scores, str) else list(scores)
        if not self.scores:
            raise ValueError("scores needs at least one name.")
        for score in self.scores:
            get_score(score)

    def result(self):
        """Return `{score name: value}`."""
        return {score: self.score(score) for score in self.scores}

    def get_config(self):
        return {**super().get_config(), "scores": self.scores}


@keras.saving.register_keras_serializable("kseg")
class SegmentationScore(ConfusionMetric):
    """One score. For several, `SegmentationMetrics` counts only once.

    With `average=None` the result is `(C,)` with NaN for classes without truth pixels, for
    reading by hand; Keras' progress bar shows numbers only.

    Args:
        num_classes: Channels of the prediction; 1 is a sigmoid channel.
        metric: A name out of `list_metrics()`.
        name: Name of the metric in the logs, the score's by default.
        **options: See `ConfusionMetric`.

    Raises:
        ValueError: If the score is unknown or an option has a bad value.
    """

    def __init__(self, num_classes, metric, *, name=None, **options):
        get_score(metric)
        super().__init__(num_classes, name=name or metric, **options)
        self.metric = metric

    def result(self):
        """Return the score's value, 0 before the first pixel."""
        return self.score(self.metric)

    def get_config(self):
        return {**super().get_config(), "metric": self.metric}


def get_metric(name, num_classes, **options):
    """Build the metric called `name`.

    Args:
        name: One of `list_metrics()`.
        num_classes: Channels of the prediction; 1 is a sigmoid channel.
        **options: See `ConfusionMetric`.

    Returns:
        A `keras.metrics.Metric`.

    Raises:
        ValueError: If the name is unknown or an option has a bad value.
    """
    return SegmentationScore(num_classes, name, **options)
