"""The TensorFlow function of a graph, which all converters start from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from kseg.export.graph import INPUT, ExportGraph


class Traced(NamedTuple):
    """A traced graph.

    Attributes:
        function: The `tf.function`, from "image" to a dict with the one output.
        spec: `tf.TensorSpec` of its input.
        concrete: Its `ConcreteFunction`.
    """

    function: Any
    spec: Any
    concrete: Any


def traced(graph: ExportGraph) -> Traced:
    """Trace a graph; weights stay variables, which converters freeze."""
    import tensorflow as tf

    (source,) = graph.model.inputs
    spec = tf.TensorSpec(source.shape, source.dtype, name=INPUT)

    def call(image):
        return {graph.target: tf.identity(graph.model(image, training=False), name=graph.target)}

    function = tf.function(call, input_signature=[spec], autograph=False)
    with _without_inner_compilation():
        return Traced(function, spec, function.get_concrete_function())


def frozen_graph(trace: Traced) -> Any:
    """Return the `ConcreteFunction` whose weights are constants."""
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    return convert_variables_to_constants_v2(trace.concrete)


@contextmanager
def _without_inner_compilation() -> Iterator[None]:
    """Trace grouped convolutions as plain operations.

    Keras compiles them with XLA because TensorFlow could not run them on a CPU once, and no
    converter reads the compiled function inside the graph.
    """
    import tensorflow as tf

    original = tf.function

    def plain(function=None, **options):
        # What is compiled is called as it is; functions made without the option stay.
        if not options.get("jit_compile"):
            return original(function, **options)
        return (lambda inner: inner) if function is None else function

    tf.function = plain
    try:
        yield
    finally:
        tf.function = original
