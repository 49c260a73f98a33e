"""What is written beside an export is read again, and what is wrong with it is told."""

import json

import pytest

from kseg.inference.engines import open_engine
from kseg.inference.sidecar import Sidecar, sidecar_path
from tests.inference.tiny_exports import INFO, describe


def test_a_sidecar_says_later_what_it_was_told(tmp_path):
    options = {"size": (32, 48), "batch_size": 4, "source": "weights/exp1/unet"}
    path = describe(tmp_path / "model.onnx", **options)
    assert sidecar_path(path).name == "model.onnx.json"
    read = Sidecar.read(path)
    assert (read.size, read.batch_size, read.source) == tuple(options.values())
    assert list(read.model.class_names) == list(INFO.class_names)
    assert read.palette[:2] == ((0, 0, 0), (128, 0, 0))
    read.write(tmp_path / "again.onnx")
    assert sidecar_path(path).read_text() == (tmp_path / "again.onnx.json").read_text()


def test_a_sidecar_of_a_later_version_is_read(tmp_path):
    path = sidecar_path(describe(tmp_path / "model.onnx"))
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "new": 1, "model": {**values["model"], "new": 2}}))
    assert Sidecar.read(tmp_path / "model.onnx").input == "image"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"model.onnx: model.onnx.json is missing beside it.*export the model again"),
        ("{", r"model.onnx.json: this is no readable JSON"),
        ("[]", r"model.onnx.json: this does not describe a model"),
        ('{"format": "onnx"}', "does not describe a model: 'model' is missing"),
        ('{"model": {"model_name": "unet"}}', "'class_names' is missing"),
    ],
)
def test_a_missing_or_damaged_sidecar_is_told(text, message, tmp_path):
    (tmp_path / "model.onnx").write_text("a model")
    if text is not None:
        (tmp_path / "model.onnx.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        open_engine(tmp_path / "model.onnx")


def test_a_sidecar_cannot_say_what_no_engine_knows():
    with pytest.raises(ValueError, match=r"layout must be one of .*NHWC.* got 'HWC'"):
        Sidecar("onnx", INFO, "image", ("scores",), layout="HWC")
    with pytest.raises(ValueError, match="at least one output"):
        Sidecar("onnx", INFO, "image", ())
