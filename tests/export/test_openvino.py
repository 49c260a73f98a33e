"""OpenVINO's files, on OpenVINO."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="models are exported on TensorFlow")
pytest.importorskip("openvino", reason="pip install openvino")
pytest.importorskip("tf2onnx", reason="pip install tf2onnx")

import openvino

from kseg.config import OpenvinoConfig
from kseg.export.run import export_source
from kseg.export.source import as_source
from kseg.inference import ModelInfo
from kseg.inference.engines import open_engine
from kseg.models import get_model, list_models, model_spec
from tests.tiny import tiny_options

CLASSES = ("sky", "road", "car")
FOUNDING = [name for name in list_models() if model_spec(name).founding_parameters]


def source_of(name, size=(64, 64), **options):
    model = get_model(name, len(CLASSES), image_init="divide", **options)
    info = ModelInfo(name, CLASSES, None, *size, 1, "divide")
    return as_source(model, info, Path(f"{name}.keras"))


@pytest.fixture(scope="module")
def unet():
    return source_of("unet", **tiny_options("unet"))


@pytest.fixture
def config(tmp_path):
    return OpenvinoConfig(output_path=str(tmp_path / "model.xml"), repeats=0)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"layout": "NHWC"},
        {"dynamic_batch": True, "dynamic_size": True},
        {"output": "labels", "input_dtype": "uint8"},
        {"output": "logits", "batch_size": 2},
    ],
    ids=str,
)
def test_openvino_answers_as_keras_does(unet, config, changes):
    exported = export_source(unet, replace(config, **changes))
    if exported.output != "labels":
        assert exported.parity.max_difference < 1e-5
    # Labels may differ where two scores are equal but for their last bits.
    assert exported.parity.agreement > 0.9999


def test_the_graph_has_the_types_layout_and_sizes_of_the_settings(unet, config):
    changes = {"output": "labels", "input_dtype": "uint8", "dynamic_batch": True}
    path = export_source(unet, replace(config, **changes)).path
    model = openvino.Core().read_model(path)
    assert model.input("image").get_partial_shape().to_string() == "[?,3,64,64]"
    assert model.input("image").get_element_type() == openvino.Type.u8
    assert model.output("labels").get_partial_shape().to_string() == "[?,64,64]"
    assert model.output("labels").get_element_type() == openvino.Type.u8


def test_no_transpose_is_left_in_planes(unet, config):
    path = export_source(unet, config).path
    kinds = [node.get_type_name() for node in openvino.Core().read_model(path).get_ops()]
    assert "Transpose" not in kinds


def test_the_file_says_what_its_classes_mean(unet, config):
    model = openvino.Core().read_model(export_source(unet, config).path)
    about = {key: model.get_rt_info(["kseg", key]).astype(str) for key in ("class_names", "output")}
    assert json.loads(about["class_names"]) == list(CLASSES)
    assert about["output"] == "probabilities"
    assert model.get_parameters()[0].layout == openvino.Layout("NCHW")


def test_float16_halves_the_weights_and_keeps_the_labels(unet, config):
    plain = export_source(unet, config)
    size = plain.path.with_suffix(".bin").stat().st_size
    # The scores of random weights are nearly equal.
    half = export_source(unet, replace(config, precision="float16", agreement=0.99))
    assert half.path.with_suffix(".bin").stat().st_size < 0.55 * size
    assert 0 < half.parity.max_difference < 1e-2


def test_a_second_export_replaces_the_first_and_leaves_nothing_else(unet, config, tmp_path):
    export_source(unet, config)
    export_source(unet, replace(config, output="logits"))
    assert open_engine(tmp_path / "model.xml").sidecar.output == "logits"
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"model.xml", "model.bin", "model.xml.json"}


def test_8_bits_at_an_open_size_are_refused(unet, config):
    with pytest.raises(ValueError, match="leave out --dynamic_size"):
        export_source(unet, replace(config, precision="int8", dynamic_size=True))


@pytest.mark.parametrize("name", ["segnet", "pspnet"])
def test_models_with_unusual_layers_answer_alike(name, config):
    source = source_of(name, **tiny_options(name))
    assert export_source(source, config).parity.max_difference < 1e-4


@pytest.mark.full
@pytest.mark.parametrize("name", list_models())
def test_every_model_answers_alike(name, config):
    options = {} if name in FOUNDING else tiny_options(name)
    exported = export_source(source_of(name, **options), config)
    assert exported.parity.max_difference < 1e-4
    assert np.isfinite(exported.parity.mean_difference)
