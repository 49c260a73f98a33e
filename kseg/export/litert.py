"""Export to LiteRT (TensorFlow Lite)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kseg.config import LitertConfig
from kseg.export.about import about, tally
from kseg.export.artifact import Artifact
from kseg.export.calibration import calibration_batches
from kseg.export.graph import ExportGraph, make_graph
from kseg.export.source import Source
from kseg.export.swaps import SWAPS, Swap, plain_padding
from kseg.export.trace import frozen_graph, traced
from kseg.inference.sidecar import Sidecar
from kseg.quiet import quiet_stderr

METADATA = "kseg"


def convert(source: Source, config: LitertConfig, path: Path) -> Artifact:
    """Write a `.tflite` file.

    Raises:
        ValueError: The model has an operation that LiteRT lacks, or there are no images to
            calibrate 8 bits with.
    """
    graph = make_graph(source, config, swaps=_swaps(config))
    sidecar = graph.sidecar("litert")
    images = list(calibration_batches(config, source)) if config.precision == "int8" else []
    content = _converted(graph, config, images)
    model = described(content, sidecar)
    path.write_bytes(model)
    facts = {"operators": tally(operators(model))}
    if images:
        facts["calibrated on"] = f"{len(images) * len(images[0])} images"
    return Artifact(path, sidecar, facts)


def _swaps(config: LitertConfig) -> Sequence[Swap]:
    """Return the layers to replace: padding at run time must tell how many channels there are."""
    return [swap for swap in SWAPS if not (config.dynamic_size and swap is plain_padding)]


def _converted(graph: ExportGraph, config: LitertConfig, images: list[Any]) -> bytes:
    import tensorflow as tf

    constant = frozen_graph(traced(graph))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([constant], graph.model)
    _set_precision(converter, config, images)
    try:
        with quiet_stderr():
            return bytes(converter.convert())
    except Exception as error:  # the converter has many kinds
        reason = next(filter(None, map(str.strip, str(error).splitlines())), type(error).__name__)
        raise ValueError(
            f"{graph.source.file}: LiteRT's converter cannot translate this model ({reason[:300]})"
        ) from None


def _set_precision(converter: Any, config: LitertConfig, images: list[Any]) -> None:
    import tensorflow as tf

    if config.precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if config.precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if config.precision == "int8":
        # Operations without an 8-bit form, as for labels, stay as they are.
        operations = tf.lite.OpsSet
        converter.target_spec.supported_ops = [
            operations.TFLITE_BUILTINS_INT8,
            operations.TFLITE_BUILTINS,
        ]

        def examples() -> Iterator[list[Any]]:
            yield from ([batch] for batch in images)

        converter.representative_dataset = examples
    if config.quantized_output:
        converter.inference_output_type = tf.uint8


def described(content: bytes, sidecar: Sidecar) -> bytes:
    """Return a model that says itself what its classes mean and how images are prepared."""
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    buffer = schema.BufferT()
    buffer.data = list(json.dumps(about(sidecar)).encode())
    entry = schema.MetadataT()
    entry.name, entry.buffer = METADATA, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or []), entry]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def operators(content: bytes) -> Iterator[str]:
    """Yield the kind of each operator."""
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    names = {value: name for name, value in vars(schema.BuiltinOperator).items()}
    for graph in model.subgraphs:
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            yield names[max(code.builtinCode, code.deprecatedBuiltinCode)]
