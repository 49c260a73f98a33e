"""From JPEG and PNG files to labels, in TensorFlow alone."""

from __future__ import annotations

from typing import Any

from kseg.data.resize import BORDER_GREY, STRETCH
from kseg.export.graph import ExportGraph, export_size
from kseg.inference.engines.keras import Labels

INPUT = "encoded"
# What TensorFlow decodes to.
DECODED_CHANNELS = (1, 3, 4)


def takes_files(graph: ExportGraph) -> bool:
    """Tell whether the images of a model can be in JPEG or PNG files."""
    return graph.source.channels in DECODED_CHANNELS


def encoded_function(graph: ExportGraph, scores: Any, config: Any) -> Any:
    """Return a `ConcreteFunction` from the bytes of files to labels.

    It decodes images, fits them into the network's input as in training and runs the network. The
    results are "labels", uint8 `(N, h, w)` at the network's size, "placement", int32 `(N, 4)`: top,
    left, height and width of where each image lies in it, and the "scores" of the graph.

    Args:
        graph: What is exported.
        scores: Its `ConcreteFunction`.
        config: Says the size where the graph takes any.
    """
    import tensorflow as tf

    size = graph.size or export_size(graph.source, config)
    fit = Fit(size, graph.source.channels, graph.source.info.resize_op)
    kind = graph.model.inputs[0].dtype
    answer = Labels(from_logits=graph.output == "logits", dtype="float32")
    specs = (
        tf.TensorSpec((*size, graph.source.channels), tf.float32),
        tf.TensorSpec((4,), tf.int32),
    )

    def call(encoded):
        images, placement = tf.map_fn(fit, encoded, fn_output_signature=specs)
        results = scores(tf.cast(images, kind))
        if graph.output != "labels":
            results = {**results, "labels": answer(results[graph.target])}
        return {**results, "placement": placement}

    spec = tf.TensorSpec(graph.shape[:1], tf.string, name=INPUT)
    return tf.function(call, autograph=False).get_concrete_function(spec)


class Fit:
    """Decodes a file and fits the image as `kseg.data.resize.resize_image` does.

    Args:
        size: Height and width to fit into.
        channels: Channels of the images.
        resize_op: 1 stretch, 2 letterbox.
    """

    def __init__(self, size: tuple[int, int], channels: int, resize_op: int):
        self.size, self.channels, self.resize_op = size, channels, resize_op

    def __call__(self, encoded: Any) -> tuple[Any, Any]:
        """Return whole numbers in float32 `(h, w, C)`, and the placement, int32 `(4,)`."""
        import tensorflow as tf

        # The kernel reads PNG too.
        image = tf.io.decode_jpeg(encoded, self.channels, dct_method="INTEGER_ACCURATE")
        old = tf.shape(image)[:2]
        placement = self._placement(old)
        top, left, height, width = tf.unstack(placement)
        resized = _resized(image, old, placement[2:])
        borders = [
            (top, self.size[0] - top - height),
            (left, self.size[1] - left - width),
            (0, 0),
        ]
        fitted = tf.pad(resized, borders, constant_values=BORDER_GREY)
        return tf.ensure_shape(fitted, (*self.size, self.channels)), placement

    def _placement(self, old: Any) -> Any:
        import tensorflow as tf

        target = tf.constant(self.size)
        if self.resize_op == STRETCH:
            return tf.concat([[0, 0], target], axis=0)
        lengths = tf.cast(old, tf.float64)
        scale = tf.reduce_min(tf.cast(target, tf.float64) / lengths)
        new = tf.clip_by_value(tf.cast(tf.round(lengths * scale), tf.int32), 1, target)
        return tf.concat([(target - new) // 2, new], axis=0)


def _resized(image: Any, old: Any, new: Any) -> Any:
    """Return the image in another size, float32, rounded to whole numbers."""
    import tensorflow as tf

    skips = tf.reduce_any((2 * old > 3 * new) & (old != 2 * new))
    shrunk = tf.cond(
        skips,
        lambda: tf.round(tf.image.resize(image, tf.minimum(old, new), "area")),
        lambda: tf.cast(image, tf.float32),
    )
    return tf.round(tf.image.resize(shrunk, new, "bilinear"))
