"""Export to OpenVINO's intermediate representation: the graph as `.xml`, its weights as `.bin`."""

from __future__ import annotations

import io
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np

from kseg.config import OpenvinoConfig
from kseg.export.about import about
from kseg.export.artifact import Artifact
from kseg.export.calibration import calibration_batches
from kseg.export.graph import ExportGraph, make_graph
from kseg.export.onnx_model import onnx_model
from kseg.export.source import Source
from kseg.inference.sidecar import Sidecar

# All that the models need, in the form that OpenVINO reads best.
_OPSET = 17


def convert(source: Source, config: OpenvinoConfig, path: Path) -> Artifact:
    """Write an `.xml` file and its `.bin` file.

    The way leads over ONNX, which leaves fewer transposes than OpenVINO's own reader of TensorFlow
    graphs, and has planes (NCHW) from the input on.

    Raises:
        ValueError: The model has an operation that ONNX lacks, 8 bits are asked for at an open
            size, or there are no images to calibrate them with.
    """
    import openvino

    if config.precision == "int8" and config.dynamic_size:
        # What NNCF makes of such a graph gives other classes to a tenth of the pixels.
        raise ValueError("OpenVINO in 8 bits needs a fixed size; leave out --dynamic_size")
    graph = make_graph(source, config)
    model, transposes = openvino_model(graph, config.layout)
    facts: dict[str, Any] = {"transposes": f"{transposes[0]} -> {transposes[1]}"}
    if config.precision == "int8":
        images = list(calibration_batches(config, source))
        model = quantized(model, images)
        facts["calibrated on"] = f"{sum(map(len, images))} images"
    sidecar = graph.sidecar("openvino", layout=config.layout)
    describe(model, sidecar)
    openvino.save_model(model, path, compress_to_fp16=config.precision == "float16")
    return Artifact(path, sidecar, facts)


def openvino_model(graph: ExportGraph, layout: str) -> tuple[Any, tuple[int, int]]:
    """Convert a graph.

    Returns:
        The `openvino.Model`, and the transposes before and after all optimisation.

    Raises:
        ValueError: The model has an operation that ONNX lacks.
    """
    import openvino

    converted = onnx_model(graph, opset=_OPSET, layout=layout)
    model = openvino.Core().read_model(io.BytesIO(converted.model.SerializeToString()))
    left = sum(node.get_type_name() == "Transpose" for node in model.get_ops())
    return model, (converted.transposes[0], left)


def describe(model: Any, sidecar: Sidecar) -> None:
    """Write into an `openvino.Model` what its classes mean, and the order of its axes."""
    import openvino

    for key, value in about(sidecar).items():
        model.set_rt_info(value, ["kseg", key])
    model.get_parameters()[0].set_layout(openvino.Layout(sidecar.layout))


def quantized(model: Any, images: list[np.ndarray]) -> Any:
    """Return an `openvino.Model` that computes in 8 bits.

    Args:
        model: The model in float32.
        images: Batches that show what values occur, as the model takes them.
    """
    # Else NNCF would send over the network what it is used for.
    os.environ.setdefault("NNCF_CI", "1")
    import nncf

    nncf.set_log_level(logging.WARNING)
    return nncf.quantize(
        model,
        nncf.Dataset(images),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(images),
    )
