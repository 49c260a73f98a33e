"""Segment a picture with a model that `kseg export_openvino` wrote, without kseg.

Needs `pip install openvino opencv-python-headless`.
"""

import sys
from pathlib import Path

import openvino

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "common"))
from segmentation import main  # noqa: E402


def open_model(file, about):
    """Return a function from the input to the first output."""
    # By itself OpenVINO computes in bfloat16 where the processor can, which moves edges.
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    model = openvino.Core().compile_model(file, "CPU", options)
    return lambda batch: model({about["input"]: batch})[about["outputs"][0]]


if __name__ == "__main__":
    main(open_model)
