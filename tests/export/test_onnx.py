"""ONNX exports: what they are, what they answer, and which models have one."""

import json
from dataclasses import replace
from functools import partial

import keras
import numpy as np
import pytest
from keras import layers

pytest.importorskip("tensorflow", reason="models are exported on TensorFlow")
pytest.importorskip("tf2onnx", reason="pip install tf2onnx")
pytest.importorskip("onnxslim", reason="pip install onnxslim")
pytest.importorskip("onnxruntime", reason="pip install onnxruntime")

import onnx

from kseg.config import OnnxConfig
from kseg.export.onnx_model import count
from kseg.export.run import export_source
from kseg.export.swaps import (
    NearestUpsample,
    ResizedUnpool,
    SignedMaxPool,
    SlicedAveragePool,
)
from kseg.inference import Predictor
from kseg.inference.engines import open_engine
from kseg.inference.sidecar import Sidecar
from kseg.layers.pooling import AdaptiveAveragePool
from kseg.layers.unpool import MaxPoolWithIndices, MaxUnpool
from kseg.models import list_models, model_spec
from tests.export.tiny_source import CLASSES, SIZE, tiny_source

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="models are exported on TensorFlow"
)
RNG = np.random.default_rng(0)
# Pooling with indices, pyramid pooling and three transposed convolutions.
TRANSFORMERS = ("segformer", "segnext", "transunet")
DAILY = ("segnet", "pspnet", "fcn8")


@pytest.fixture
def exported(export_to):
    """A function that exports the U-Net with options and returns what was written."""
    return partial(export_to, OnnxConfig, "model.onnx")


def images(*shape):
    return RNG.integers(0, 256, (*shape, 3), dtype=np.uint8)


def test_the_file_answers_as_the_model_and_stands_alone_with_its_description(exported, source):
    done = exported(repeats=2)
    assert sorted(path.name for path in done.path.parent.iterdir()) == [
        "model.onnx",
        "model.onnx.json",
    ]
    assert done.size == done.path.stat().st_size
    assert 0 < done.parity.max_difference < 1e-5
    assert done.parity.agreement == 1
    assert 0 < done.latency.p50 <= done.latency.p95
    batch = images(2, *SIZE)
    found = open_engine(done.path).probabilities(batch)
    np.testing.assert_allclose(found, source.engine.probabilities(batch), atol=1e-5)
    sidecar = Sidecar.read(done.path)
    assert replace(sidecar.model, class_names=tuple(sidecar.model.class_names)) == source.info
    assert sidecar.parity["max_difference"] == done.parity.max_difference
    assert sidecar.facts["opset"] == 17


def test_planes_have_no_transposes_and_pixels_one_at_each_end(exported):
    planes, pixels = (onnx.load(exported(layout=layout).path) for layout in ("NCHW", "NHWC"))
    assert count(planes, "Transpose") == 0
    assert count(pixels, "Transpose") == 2
    shapes = [
        [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
        for model in (planes, pixels)
    ]
    assert shapes == [[1, 3, *SIZE], [1, *SIZE, 3]]


def test_open_axes_have_names_and_take_any_size(exported, source):
    done = exported(dynamic_batch=True, dynamic_size=True)
    dims = onnx.load(done.path).graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_param or dim.dim_value for dim in dims] == ["batch", 3, "height", "width"]
    assert len(set(done.parity.sizes)) == 3
    engine, batch = open_engine(done.path), images(3, 41, 67)
    found = engine.probabilities(batch)
    np.testing.assert_allclose(found, source.engine.probabilities(batch), atol=1e-5)


def test_bytes_go_in_and_labels_come_out(exported, source):
    done = exported(input_dtype="uint8", output="labels")
    graph = onnx.load(done.path).graph
    types = [value.type.tensor_type.elem_type for value in (graph.input[0], graph.output[0])]
    assert types == [onnx.TensorProto.UINT8] * 2
    batch = images(1, *SIZE)
    labels = open_engine(done.path).labels(batch)
    np.testing.assert_array_equal(labels, source.engine.labels(batch))
    assert len(np.unique(labels)) > 1


def test_logits_are_those_of_the_model(exported, source):
    batch = images(1, *SIZE)
    engine = open_engine(exported(output="logits").path)
    found = engine.run(batch.transpose(0, 3, 1, 2).astype("float32")).transpose(0, 2, 3, 1)
    expected = source.model.predict_on_batch(batch.astype("float32"))
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("opset", [13, 18])
def test_the_opset_is_the_one_asked_for(exported, opset):
    model = onnx.load(exported(opset=opset).path)
    (version,) = (entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    assert version == opset


def test_half_precision_halves_the_weights_and_keeps_input_and_output(exported):
    single = exported().size
    done = exported(precision="float16", agreement=0.98)
    model = onnx.load(done.path)
    types = {
        value.type.tensor_type.elem_type for value in (*model.graph.input, *model.graph.output)
    }
    assert types == {onnx.TensorProto.FLOAT}
    halves = [value for value in model.graph.initializer if value.data_type == 10]
    assert len(halves) > 10
    assert done.size < 0.7 * single
    assert done.parity.max_difference > 1e-7


def test_the_file_itself_names_classes_colours_and_preparation(exported):
    model = onnx.load(exported().path)
    about = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(about["class_names"]) == list(CLASSES)
    assert json.loads(about["palette"])[1] == [128, 0, 0]
    assert about["image_init"] == "divide"
    assert model.producer_name == "kseg"


def test_opencv_answers_too(exported):
    assert "largest difference" in exported().facts["OpenCV"]


def test_what_differs_more_than_accepted_is_refused_and_leaves_nothing(exported, tmp_path):
    with pytest.raises(ValueError, match="more than --tolerance 1e-12"):
        exported(tolerance=1e-12)
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_export_stays_where_a_new_one_is_refused(exported):
    path = exported().path
    before = path.read_bytes()
    with pytest.raises(ValueError, match="nothing was written"):
        exported(tolerance=0, layout="NHWC")
    assert path.read_bytes() == before


@pytest.mark.parametrize("bins", [1, 2, 3, 6])
@pytest.mark.parametrize("size", [(12, 18), (7, 5), (4, 9)])
def test_pooling_by_slices_is_adaptive_pooling(bins, size):
    x = RNG.normal(size=(2, *size, 3)).astype("float32")
    expected = AdaptiveAveragePool(bins)(x)
    np.testing.assert_allclose(SlicedAveragePool(bins)(x), expected, atol=1e-6)


@pytest.mark.parametrize("size", [(4, 6), (None, None)])
def test_arithmetic_puts_maxima_where_they_were(size):
    x = layers.Input((*size, 3))
    pairs = (MaxPoolWithIndices, MaxUnpool), (SignedMaxPool, ResizedUnpool)
    model = keras.Model(x, [unpool()(pool()(x)) for pool, unpool in pairs])
    expected, found = model.predict(RNG.normal(size=(2, 4, 6, 3)), verbose=0)
    np.testing.assert_array_equal(found, expected)


def test_one_nearest_resize_is_upsampling():
    x = RNG.normal(size=(2, 5, 7, 3)).astype("float32")
    expected = layers.UpSampling2D((2, 4))(x)
    np.testing.assert_array_equal(NearestUpsample((2, 4))(x), expected)


def passes(name, tmp_path, size):
    path = tmp_path / "model.onnx"
    source = tiny_source(name, size)
    done = export_source(source, OnnxConfig(output_path=str(path), repeats=0))
    assert done.parity.max_difference < 1e-4
    # Attention multiplies matrices, for which transformers need some.
    assert done.facts["transposes"].endswith("-> 0") or name in TRANSFORMERS
    labels = Predictor.load(path).predict([images(*SIZE)])[0]
    assert labels.shape == SIZE


@pytest.mark.parametrize("name", DAILY)
def test_a_model_passes(name, tmp_path):
    passes(name, tmp_path, 64)


@pytest.mark.full
@pytest.mark.parametrize("name", [name for name in list_models() if name not in DAILY])
def test_every_model_passes(name, tmp_path):
    passes(name, tmp_path, 64)


@pytest.mark.full
@pytest.mark.parametrize(
    "name", [name for name in list_models() if model_spec(name).founding_parameters]
)
def test_the_founding_models_pass_at_any_size(name, tmp_path):
    path = str(tmp_path / "model.onnx")
    options = {"output_path": path, "repeats": 0, "dynamic_batch": True, "dynamic_size": True}
    done = export_source(tiny_source(name, 64), OnnxConfig(**options))
    assert done.parity.max_difference < 1e-4
