"""The metrics to compile a model with: one score, or several that share the counting."""

import keras

from kseg.metrics.base import ConfusionMetric

DEFAULT_SCORES = ("iou_score", "f1_score", "pixel_accuracy")


@keras.saving.register_keras_serializable("kseg")
class SegmentationMetrics(ConfusionMetric):
    """Several scores that share the counting; the result is `{score: value}`.

    In `fit` the logs are named after the scores (`iou_score`, `val_iou_score`).

    Args:
        num_classes: Channels of the prediction; 1 is a sigmoid channel.
        scores: Names out of `list_metrics()`, at least one; by default `iou_score`,
            `f1_score` and, over the whole data set, `pixel_accuracy`.
        name: Name of the metric, not of the scores.
        **options: See `ConfusionMetric`.

    Raises:
        ValueError: If a score is unknown or an option has a bad value.
    """

    def __init__(self, num_classes, scores=None, *, name=None, **options):
        per_image = options.get("average") == "per_image"
        if scores is None:
            scores = DEFAULT_SCORES[:2] if per_image else DEFAULT_SCORES
        scores = [scores] if isinstance(scores, str) else list(scores)
        name = name or ("scores_per_image" if per_image else "scores")
        super().__init__(num_classes, scores, name=name, **options)

    def result(self):
        """Return `{name in the logs: value}`."""
        return self.values()

    def get_config(self):
        return {**super().get_config(), "scores": self.scores}


@keras.saving.register_keras_serializable("kseg")
class SegmentationScore(ConfusionMetric):
    """One score. For several, `SegmentationMetrics` counts only once.

    TensorFlow's graph optimizer and XLA merge the equal counting of several single metrics, so
    that they cost little more; PyTorch counts once for each.

    With `average=None` the result is `(C,)` with NaN for classes without truth pixels, for
    reading by hand; Keras' progress bar shows numbers only.

    Args:
        num_classes: Channels of the prediction; 1 is a sigmoid channel.
        metric: A name out of `list_metrics()`.
        name: Name of the metric in the logs, by default the score's, with `_per_image` behind
            it for that average.
        **options: See `ConfusionMetric`.

    Raises:
        ValueError: If the score is unknown or an option has a bad value.
    """

    def __init__(self, num_classes, metric, *, name=None, **options):
        super().__init__(num_classes, [metric], name=name or str(metric), **options)
        self.metric = metric
        self.name = name or self.log_name(metric)

    def result(self):
        """Return the score's value, 0 before the first pixel."""
        (value,) = self.values().values()
        return value

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
