import sys

import keras
import numpy as np
import pytest
from keras import layers, ops

from kseg.config import NcnnConfig
from kseg.config.parse import UsageError
from kseg.export.ncnn import convert, pnnx_program
from kseg.export.run import export_source
from kseg.export.source import as_source
from kseg.inference.engines import open_engine
from kseg.models import list_models, model_spec
from tests.export.tiny_source import tiny_source

for _package in ("onnx", "onnxslim", "tf2onnx", "ncnn"):
    pytest.importorskip(_package, reason=f"pip install {_package}")
try:
    pnnx_program()
except ValueError as _error:
    pytest.skip(str(_error), allow_module_level=True)

SIZE = 64
IMAGES = np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3), dtype=np.uint8)
FOUNDING = [name for name in list_models() if model_spec(name).founding_parameters]
# One for each thing that ncnn needs help with: indices, transposed convolutions, pooling, sums.
EVERY_DAY = ("segnet", "fc_densenet", "pspnet", "pidnet_s")


def exported(source, folder, **settings):
    path = folder / "model.param"
    config = NcnnConfig(output_path=str(path), repeats=0, **settings)
    return path, export_source(source, config)


@pytest.fixture(scope="module")
def unet():
    return tiny_source("unet", SIZE)


def test_a_model_answers_as_its_original(unet, tmp_path):
    path, found = exported(unet, tmp_path)
    assert found.parity.max_difference <= 1e-4
    engine = open_engine(path)
    np.testing.assert_allclose(
        engine.probabilities(IMAGES), unet.engine.probabilities(IMAGES), atol=1e-4
    )
    assert tuple(engine.info.class_names) == unet.info.class_names
    assert (engine.sidecar.input, *engine.sidecar.outputs) == ("in0", "out0")
    assert {file.name for file in tmp_path.iterdir()} == {
        "model.param",
        "model.bin",
        "model.param.json",
    }


def test_weights_of_half_precision_are_half_the_size(unet, tmp_path):
    sizes = {}
    for precision in ("float32", "float16"):
        folder = tmp_path / precision
        folder.mkdir()
        path, found = exported(unet, folder, precision=precision)
        sizes[precision] = path.with_suffix(".bin").stat().st_size
        assert found.parity.agreement >= 0.999
    assert sizes["float16"] < 0.6 * sizes["float32"]


@pytest.mark.parametrize("classes", [1, 2, 3])
def test_labels_come_from_the_graph(classes, tmp_path):
    names = ("background", "road", "car")[: max(2, classes)]
    source = tiny_source("unet", SIZE, classes=names)
    path, found = exported(source, tmp_path, output="labels")
    assert found.parity.agreement == 1
    labels = open_engine(path).labels(IMAGES)
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, source.engine.labels(IMAGES))


def check(name, folder, size=SIZE):
    source = tiny_source(name, size)
    _, found = exported(source, folder)
    assert found.parity.max_difference <= 1e-4
    assert found.parity.agreement >= 0.999


@pytest.mark.parametrize("name", EVERY_DAY)
def test_models_are_written_in_the_forms_that_ncnn_has(name, tmp_path):
    check(name, tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("name", [name for name in FOUNDING if name not in EVERY_DAY])
def test_the_founding_models_run(name, tmp_path):
    check(name, tmp_path)


def test_sizes_that_are_no_multiples_of_the_stride_run(tmp_path):
    check("unet", tmp_path, (70, 90))


def test_a_model_without_an_equivalent_is_refused_by_the_name_of_what_is_missing(unet, tmp_path):
    compared = layers.Lambda(lambda x: ops.cast(x > 0, "float32"))(unet.model.output)
    source = as_source(keras.Model(unet.model.input, compared), unet.info, unet.file)
    with pytest.raises(ValueError, match=r"unet: ncnn has no \S+.*which this model needs"):
        convert(source, NcnnConfig(output="logits"), tmp_path / "model.param")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_converter_is_told_with_how_to_install_it(unet, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pnnx", None)
    monkeypatch.setattr("kseg.export.ncnn.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install --no-deps pnnx"):
        exported(unet, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "settings", [{"batch_size": 2}, {"input_dtype": "uint8"}, {"dynamic_size": True}]
)
def test_what_ncnn_has_not_is_refused(settings):
    with pytest.raises(UsageError, match=f"--{next(iter(settings))}"):
        NcnnConfig(**settings)
