"""Segment a picture with a model that `kseg export_onnx` wrote, without kseg.

Needs `pip install onnxruntime opencv-python-headless`.
"""

import sys
from pathlib import Path

import onnxruntime

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "common"))
from segmentation import main  # noqa: E402


def open_model(file, about):
    """Return a function from the input to the first output."""
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return lambda batch: session.run(about["outputs"][:1], {about["input"]: batch})[0]


if __name__ == "__main__":
    main(open_model)
