"""The Python programs of examples/deploy tell in one sentence what is wrong."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("onnxruntime", reason="pip install onnxruntime")
onnx = pytest.importorskip("onnx", reason="pip install onnx")

SCRIPT = Path(__file__).resolve().parents[2] / "examples/deploy/onnxruntime/segment.py"
ABOUT = {
    "size": [8, 8],
    "channels": 3,
    "layout": "NHWC",
    "input": "image",
    "outputs": ["scores"],
    "input_dtype": "float32",
    "output": "logits",
    "model": {"class_names": ["red", "green", "blue"], "resize_op": 1},
    "palette": [[0, 0, 0], [0, 255, 0], [0, 0, 255]],
}


@pytest.fixture
def folder(tmp_path):
    """A model whose three logits are the channels of its image, and a picture in red."""
    value = onnx.helper.make_tensor_value_info
    kind, shape = onnx.TensorProto.FLOAT, (1, 8, 8, 3)
    node = onnx.helper.make_node("Identity", ["image"], ["scores"])
    graph = onnx.helper.make_graph(
        [node], "g", [value("image", kind, shape)], [value("scores", kind, shape)]
    )
    opset = onnx.helper.make_opsetid("", 13)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8)
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    describe(tmp_path / "m.onnx")
    Image.new("RGB", (16, 16), (200, 10, 20)).save(tmp_path / "red.jpg")
    return tmp_path


def describe(model, **changes):
    Path(f"{model}.json").write_text(json.dumps({**ABOUT, **changes}))


def run(folder, *arguments):
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments], cwd=folder, capture_output=True, text=True
    )


def test_a_picture_is_segmented(folder):
    done = run(folder, "m.onnx", "red.jpg", "overlay.png", "labels.png")
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(Image.open(folder / "labels.png"), np.zeros((16, 16)))


def make_bad_files(folder):
    whole = (folder / "red.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) * 3 // 4])
    (folder / "empty.jpg").touch()
    # A header alone, of a picture larger than OpenCV decodes.
    header = bytearray(whole)
    start = whole.index(b"\xff\xc0")
    header[start + 5 : start + 9] = b"\xff\xdc\xff\xdc"
    (folder / "huge.jpg").write_bytes(header)
    (folder / "bad.onnx").write_text("no graph")
    describe(folder / "bad.onnx")
    describe(folder / "bands.onnx", channels=4)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["no.onnx", "red.jpg", "o.png"], "no.onnx.json is missing"),
        (["bad.onnx", "red.jpg", "o.png"], "bad.onnx: cannot be opened"),
        (["bands.onnx", "red.jpg", "o.png"], "pictures of 1 or 3 channels, the model takes 4"),
        (["m.onnx", "no.jpg", "o.png"], "no.jpg: no readable picture"),
        (["m.onnx", "empty.jpg", "o.png"], "empty.jpg: no readable picture"),
        (["m.onnx", "huge.jpg", "o.png"], "huge.jpg: no readable picture"),
        (["m.onnx", "cut.jpg", "o.png"], "cut.jpg: the picture is cut off"),
        (["m.onnx", "red.jpg", "no/o.png"], "no/o.png: cannot be written"),
        (["m.onnx", "red.jpg", "o.xyz"], "o.xyz: cannot be written"),
        (["m.onnx", "red.jpg", "o.png", "no/l.png"], "no/l.png: cannot be written"),
    ],
)
def test_what_is_wrong_is_one_sentence(arguments, sentence, folder):
    make_bad_files(folder)
    done = run(folder, *arguments)
    assert done.returncode == 1
    assert sentence in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr
