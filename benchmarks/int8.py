"""What 8 bits cost and gain: mean IoU, agreement and size of a trained model's exports."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from jsonargparse import auto_cli  # noqa: E402
from machine import describe, device_name  # noqa: E402
from result_files import merge_rows  # noqa: E402

RESULT = "int8.csv"
KEY = ("model", "size", "format")
_PACKAGES = ("keras", "tensorflow", "onnxruntime", "openvino", "nncf", "ai-edge-litert")


def main(
    run: str,
    formats: tuple[str, ...] = ("onnx", "openvino", "litert"),
    calibration_images: int = 100,
) -> None:
    """Export a run in float32 and in 8 bits, and score both on held-out images.

    Args:
        run: Run folder of a trained model.
        formats: Formats that have 8 bits.
        calibration_images: Training images that show what values occur.
    """
    from kseg.config import LitertConfig, OnnxConfig, OpenvinoConfig
    from kseg.export.source import load_source

    kinds = {"onnx": OnnxConfig, "openvino": OpenvinoConfig, "litert": LitertConfig}
    for name in formats:
        # What is measured here is measured whatever it is.
        config = kinds[name](
            run,
            precision="int8",
            calibration_images=calibration_images,
            agreement=0.0,
            largest_drop=1.0,
            repeats=0,
        )
        source = load_source(config)
        row = {
            "model": source.info.model_name,
            "parameters": source.model.count_params(),
            "size": f"{source.info.input_height}x{source.info.input_width}",
            "format": name,
            **measured(source, config),
            **describe("tensorflow", device_name("tensorflow"), _PACKAGES),
        }
        print(row, flush=True)
        merge_rows(RESULT, KEY, [row])


def measured(source: Any, config: Any) -> dict[str, Any]:
    """Return sizes, mean IoU and agreement of one format."""
    from kseg.export.run import export_source

    with tempfile.TemporaryDirectory() as folder:

        def made(precision: str) -> Any:
            path = Path(folder, f"{precision}{config.suffix}")
            return export_source(
                source, replace(config, precision=precision, output_path=str(path))
            )

        plain, small = made("float32"), made("int8")
    return {
        "float32_bytes": plain.size,
        "int8_bytes": small.size,
        "size_share": round(small.size / plain.size, 3),
        "miou_float32": small.facts["mIoU of Keras"],
        "miou_int8": small.facts["mIoU of this file"],
        "miou_drop": small.facts["mIoU drop"],
        "scored": small.facts["mIoU on"],
        "agreement": round(small.parity.agreement, 5),
        "calibration_images": config.calibration_images,
    }


if __name__ == "__main__":
    auto_cli(main)
