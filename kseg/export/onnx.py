"""Export to ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kseg.config import OnnxConfig
from kseg.export.about import about, tally
from kseg.export.artifact import Artifact
from kseg.export.calibration import calibration_batches
from kseg.export.graph import make_graph
from kseg.export.onnx_int8 import quantized
from kseg.export.onnx_model import all_nodes, count, onnx_model
from kseg.export.opencv import opencv_answer
from kseg.export.source import Source
from kseg.inference.sidecar import Sidecar

if TYPE_CHECKING:
    import onnx


def convert(source: Source, config: OnnxConfig, path: Path) -> Artifact:
    """Write an `.onnx` file.

    Raises:
        ValueError: The model has an operation that ONNX lacks, or there are no images to calibrate
            8 bits with.
    """
    import onnx

    graph = make_graph(source, config)
    model, (before, _) = onnx_model(
        graph, opset=config.opset, layout=config.layout, simplify=config.simplify
    )
    facts: dict[str, Any] = {}
    if config.precision == "float16":
        model = half_precision(model)
    if config.precision == "int8":
        images = list(calibration_batches(config, source))
        model = quantized(model, images)
        facts["calibrated on"] = f"{sum(map(len, images))} images"
    sidecar = graph.sidecar("onnx", layout=config.layout)
    describe(model, sidecar)
    onnx.save(model, path)
    if config.precision == "float32":
        sidecar.write(path)
        facts["OpenCV"] = opencv_answer(path, source, config)
    made = {
        "opset": config.opset,
        "operators": operators(model),
        "transposes": f"{before} -> {count(model, 'Transpose')}",
    }
    return Artifact(path, sidecar, {**made, **facts})


def half_precision(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model computing in float16, with the input and the output it had.

    Resizing stays in float32, which ONNX Runtime alone has for it on a CPU.
    """
    from onnxruntime.transformers.float16 import convert_float_to_float16

    return convert_float_to_float16(model, keep_io_types=True)


def describe(model: onnx.ModelProto, sidecar: Sidecar) -> None:
    """Write into the model itself what its classes mean and how images are prepared."""
    model.producer_name, model.producer_version = "kseg", sidecar.kseg_version
    del model.metadata_props[:]
    for key, value in about(sidecar).items():
        model.metadata_props.add(key=key, value=value)


def operators(model: onnx.ModelProto) -> str:
    """Return the kinds of operators and how many there are of each, the most frequent first."""
    return tally(node.op_type for node in all_nodes(model.graph))
