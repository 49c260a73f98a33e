"""ONNX that ONNX Runtime computes in 8 bits: quantised after training, calibrated on images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from kseg.export.graph import INPUT

if TYPE_CHECKING:
    import onnx


def quantized(
    model: onnx.ModelProto, images: list[np.ndarray], *, symmetric: bool = False
) -> onnx.ModelProto:
    """Return the model with pairs of nodes that round to 8 bits and back (QDQ).

    Weights have a scale for each output channel.

    Args:
        model: The model in float32.
        images: Batches that show what values occur, as the model takes them.
        symmetric: Zero stays zero, and biases stay floats, which is all that TensorRT reads. It is
            less exact, since values that are never negative use half of the 8 bits.
    """
    import onnx
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    types = quantization.QuantType
    with TemporaryDirectory(prefix="kseg-") as folder:
        source, prepared, result = (
            Path(folder, f"{name}.onnx") for name in ("float32", "prepared", "int8")
        )
        # Given a model instead of a file, it loses constants.
        onnx.save(model, source)
        # Normalisations become part of convolutions, and shapes known.
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        quantization.quantize_static(
            prepared,
            result,
            _Reader(images),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            activation_type=types.QInt8 if symmetric else types.QUInt8,
            weight_type=types.QInt8,
            extra_options={"ActivationSymmetric": symmetric, "QuantizeBias": not symmetric},
        )
        return onnx.load(result)


class _Reader:
    """Batches, one after the other, as ONNX Runtime asks for them."""

    def __init__(self, images: list[np.ndarray]):
        self._images: Iterator[np.ndarray] = iter(images)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the next batch, None after the last."""
        batch = next(self._images, None)
        return None if batch is None else {INPUT: batch}
