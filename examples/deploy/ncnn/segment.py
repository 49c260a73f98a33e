"""Segment a picture with a model that `kseg export_ncnn` wrote, without kseg.

Needs `pip install ncnn opencv-python-headless`.
"""

import sys
from pathlib import Path

import numpy as np
from ncnn import ncnn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "common"))
from segmentation import main  # noqa: E402


def open_model(file, about):
    """Return a function from the input to the first output."""
    net = ncnn.Net()
    net.opt.use_vulkan_compute = False
    # Half precision is faster on ARM, and moves some edges.
    for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic"):
        setattr(net.opt, option, False)
    if net.load_param(str(file)) or net.load_model(str(file.with_suffix(".bin"))):
        sys.exit(f"{file}: ncnn cannot read it")

    def run(batch):
        planes = batch[0]
        extractor = net.create_extractor()
        # Copied, for ncnn reads memory that is aligned.
        extractor.input(about["input"], ncnn.Mat(planes).clone())
        status, scores = extractor.extract(about["outputs"][0])
        if status:
            sys.exit(f"{file}: ncnn failed with {status}")
        return np.array(scores)[None]

    return run


if __name__ == "__main__":
    main(open_model)
