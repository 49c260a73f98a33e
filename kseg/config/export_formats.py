"""Settings of `kseg export_onnx`, `kseg export_pb` and so on: one class for each format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from kseg.config.checks import require_at_least
from kseg.config.export import ExportConfig, Layout
from kseg.config.parse import UsageError

LOWEST_OPSET, HIGHEST_OPSET = 13, 18


@dataclass
class CalibratedConfig(ExportConfig):
    """Settings of the formats that can compute in 8 bits.

    Args:
        precision: Type of the weights, and what the graph computes in.
        calibration_data: Data set (folder, or name of a folder in `data`) or folder of images that
            show what values occur, for 8 bits; by default the data set of the run.
        calibration_images: How many of them are used.
    """

    precision: Literal["float32", "float16", "int8"] = "float32"
    calibration_data: str | None = None
    calibration_images: int = 100

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
        if not LOWEST_OPSET <= self.opset <= HIGHEST_OPSET:
            raise UsageError(
                f"--opset must be in {LOWEST_OPSET}..{HIGHEST_OPSET}, got {self.opset}"
            )


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
    """

    format: ClassVar[str] = "litert"
    suffix: ClassVar[str] = ".tflite"

    precision: Literal["float32", "float16", "dynamic", "int8"] = "float32"  # type: ignore[assignment]


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
    can_be_dynamic: ClassVar[tuple[str, ...]] = ()

    precision: Literal["float32", "float16"] = "float32"

    @property
    def layout_in_file(self) -> Layout:
        """Order of the axes: ncnn has planes."""
        return "NCHW"


@dataclass
class TensorrtConfig(ExportConfig):
    """Export to a TensorRT engine, or prepare all that builds it where the GPU is.

    Args:
        precision: What the engine computes in.
        opset: Version of the operators of the ONNX file that TensorRT reads, 13 to 18.
        workspace_mb: Memory in MB that TensorRT may use while it builds.
    """

    format: ClassVar[str] = "tensorrt"
    suffix: ClassVar[str] = ".engine"

    precision: Literal["float32", "float16"] = "float32"
    opset: int = 17
    workspace_mb: int = 2048

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
