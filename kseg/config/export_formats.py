"""Settings of `kseg export_onnx`, `kseg export_pb` and so on: one class for each format."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from kseg.config.checks import require_at_least
from kseg.config.export import ExportConfig, Layout
from kseg.config.parse import UsageError

LOWEST_OPSET, HIGHEST_OPSET = 13, 18


def check_opset(opset: int) -> None:
    """Raise UsageError where the converter has no such version of the operators."""
    if not LOWEST_OPSET <= opset <= HIGHEST_OPSET:
        raise UsageError(f"--opset must be in {LOWEST_OPSET}..{HIGHEST_OPSET}, got {opset}")


@dataclass
class CalibratedConfig(ExportConfig):
    """Settings of the formats that can compute in 8 bits.

    Args:
        precision: Type of the weights, and what the graph computes in.
        calibration_data: Data set (folder, or name of a folder in `data`) or folder of images that
            show what values occur, for 8 bits; by default the data set of the run.
        calibration_images: How many of them are used.
        largest_drop: Largest loss of mean IoU on held-out images that is accepted with 8 bits.
    """

    precision: Literal["float32", "float16", "int8"] = "float32"
    calibration_data: str | None = None
    calibration_images: int = 100
    largest_drop: float = 0.01

    def __post_init__(self) -> None:
        """Check the ranges."""
        super().__post_init__()
        require_at_least(self, 1, "calibration_images")


@dataclass
class OnnxConfig(CalibratedConfig):
    """Export to ONNX, for ONNX Runtime, OpenCV, TensorRT and others.

    Args:
        layout: Order of the axes: "NCHW" needs no transposes inside.
        opset: Version of the operators, 13 to 18.
        simplify: Fold constants and remove what does nothing (onnxslim).
    """

    format: ClassVar[str] = "onnx"
    suffix: ClassVar[str] = ".onnx"

    layout: Layout = "NCHW"
    opset: int = 17
    simplify: bool = True

    def __post_init__(self) -> None:
        """Check the ranges."""
        super().__post_init__()
        check_opset(self.opset)


@dataclass
class OpenvinoConfig(CalibratedConfig):
    """Export to OpenVINO's intermediate representation, `.xml` and `.bin`.

    Args:
        layout: Order of the axes.
    """

    format: ClassVar[str] = "openvino"
    suffix: ClassVar[str] = ".xml"

    layout: Layout = "NCHW"


@dataclass
class LitertConfig(CalibratedConfig):
    """Export to LiteRT (TensorFlow Lite), `.tflite`.

    Args:
        precision: "float32", "float16" (weights of half the size), "dynamic" (8-bit weights, floats
            between layers) or "int8" (8 bits throughout, calibrated).
        quantized_output: Give scores as bytes, which the file says the scale of; for "int8" alone.
    """

    format: ClassVar[str] = "litert"
    suffix: ClassVar[str] = ".tflite"

    precision: Literal["float32", "float16", "dynamic", "int8"] = "float32"  # type: ignore[assignment]
    quantized_output: bool = False

    def __post_init__(self) -> None:
        """Check the ranges, and that flags fit together."""
        super().__post_init__()
        if self.quantized_output and (self.precision != "int8" or self.output == "labels"):
            raise UsageError("--quantized_output is for the scores of --precision int8")


@dataclass
class PbConfig(ExportConfig):
    """Export to a frozen TensorFlow graph, `.pb`, whose weights are constants."""

    format: ClassVar[str] = "pb"
    suffix: ClassVar[str] = ".pb"


@dataclass
class SavedModelConfig(ExportConfig):
    """Export to a TensorFlow SavedModel for TensorFlow Serving; it takes JPEG and PNG files too."""

    format: ClassVar[str] = "savedmodel"
    suffix: ClassVar[str] = "_savedmodel"


@dataclass
class NcnnConfig(ExportConfig):
    """Export to ncnn, `.param` and `.bin`, for phones and small boards.

    Args:
        precision: "float32", or "float16" for weights of half the size.
    """

    format: ClassVar[str] = "ncnn"
    suffix: ClassVar[str] = ".param"
    mark: ClassVar[str] = "_ncnn"
    can_be_dynamic: ClassVar[tuple[str, ...]] = ()
    fixed: ClassVar[dict[str, Any]] = {"batch_size": 1, "input_dtype": "float32"}

    precision: Literal["float32", "float16"] = "float32"

    @property
    def layout_in_file(self) -> Layout:
        """Order of the axes: ncnn has planes."""
        return "NCHW"


@dataclass
class TensorrtConfig(CalibratedConfig):
    """Export to a folder with a TensorRT engine, or with all that builds it where the GPU is.

    Args:
        opset: Version of the operators of the ONNX file that TensorRT reads, 13 to 18.
        workspace_mb: Memory in MB that TensorRT may use while it builds.
        min_shape: Smallest images of an engine of open sizes, BATCHxHEIGHTxWIDTH; by default one
            image of 32x32 (or of the size that is fixed).
        opt_shape: Those it is tuned for, by default `batch_size` images of the usual size.
        max_shape: The largest, by default 8 images and twice the usual size, each where it is open.
    """

    format: ClassVar[str] = "tensorrt"
    suffix: ClassVar[str] = "_tensorrt"

    opset: int = 17
    workspace_mb: int = 2048
    min_shape: str | None = None
    opt_shape: str | None = None
    max_shape: str | None = None

    def __post_init__(self) -> None:
        """Check the ranges, and that shapes are given to engines that have several."""
        super().__post_init__()
        require_at_least(self, 1, "workspace_mb")
        check_opset(self.opset)
        for name in ("min_shape", "opt_shape", "max_shape"):
            value = getattr(self, name)
            if value is None:
                continue
            if not re.fullmatch(r"[1-9]\d*x[1-9]\d*x[1-9]\d*", value):
                raise UsageError(f"--{name} must be BATCHxHEIGHTxWIDTH as 4x256x256, got {value!r}")
            if not (self.dynamic_batch or self.dynamic_size):
                raise UsageError(f"--{name} is for --dynamic_batch and --dynamic_size; add one")

    @property
    def layout_in_file(self) -> Layout:
        """Order of the axes: TensorRT has planes."""
        return "NCHW"


@dataclass
class ExportAllConfig(ExportConfig):
    """Export to every format that can be made here, and compare them in a table.

    Args:
        output_path: Folder to write to, by default RUN/export.
        formats: The formats, as `onnx,litert`; by default all.
        calibration_data: Data set or folder of images for 8-bit models; without it, and without
            the data set of the run, none are made.
        calibration_images: How many of them are used.
        json: File for the table as JSON, by default MODEL_NAME.json in the folder.
    """

    format: ClassVar[str] = "all"

    formats: list[str] | str | None = None
    calibration_data: str | None = None
    calibration_images: int = 100
    json: str | None = None

    @property
    def format_names(self) -> list[str] | None:
        """The formats that are asked for, None for all."""
        if isinstance(self.formats, str):
            return [name.strip() for name in self.formats.split(",") if name.strip()]
        return self.formats
