"""OpenVINO and ncnn call their weights NAME.bin both: neither may take the place of the other."""

import keras
import numpy as np
import pytest

from kseg.config import ExportAllConfig, NcnnConfig, OpenvinoConfig
from kseg.export.everything import export_all, plans_of
from kseg.export.ncnn import pnnx_program
from kseg.export.placing import check_replaceable
from kseg.export.run import export_source, target_of
from kseg.inference import save_model
from kseg.inference.engines import open_engine
from tests.export.tiny_source import tiny_source

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="models are exported on TensorFlow"
)
for _package in ("tensorflow", "tf2onnx", "onnxslim", "openvino", "ncnn"):
    pytest.importorskip(_package, reason=f"pip install {_package}")
try:
    pnnx_program()
except ValueError as _error:
    pytest.skip(str(_error), allow_module_level=True)

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)


@pytest.fixture
def source(tmp_path):
    return tiny_source("unet", 64, folder=tmp_path)


def check_whole(source, paths):
    expected = source.engine.probabilities(IMAGES)
    for path in paths:
        np.testing.assert_allclose(open_engine(path).probabilities(IMAGES), expected, atol=1e-4)


def test_openvino_and_ncnn_stay_whole_beside_each_other(source):
    kinds = (OpenvinoConfig, NcnnConfig)
    check_whole(source, [export_source(source, kind(repeats=0)).path for kind in kinds])


def test_all_exports_at_once_stay_whole(source):
    save_model(source.model, source.file, source.info)
    config = ExportAllConfig(model=str(source.file), formats="openvino,ncnn", repeats=0)
    export_all(config)
    check_whole(source, [source.folder / name for name in ("unet.xml", "unet_ncnn.param")])


def test_no_two_formats_have_a_file_of_one_name(source):
    targets = [target_of(source, plan) for plan in plans_of(ExportAllConfig())]
    weights = [one.with_suffix(".bin") for one in targets if one.suffix in (".xml", ".param")]
    assert len(weights) >= 4
    assert len({*targets, *weights}) == len(targets) + len(weights)


@pytest.mark.parametrize(("there", "new"), [("net.xml", "net.param"), ("net.param", "net.xml")])
def test_weights_of_another_format_are_not_replaced(there, new, tmp_path):
    (tmp_path / there).touch()
    check_replaceable(tmp_path / there)
    with pytest.raises(ValueError, match=rf"would replace those of {there}, which are in net\.bin"):
        check_replaceable(tmp_path / new)
