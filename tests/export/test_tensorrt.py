import json
import shlex
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from kseg.config import TensorrtConfig
from kseg.config.parse import UsageError
from kseg.export import tensorrt_build
from kseg.export.run import export_source
from kseg.export.tensorrt import what_is_missing
from kseg.inference.engines import open_engine
from tests.export.tiny_source import tiny_source

for _package in ("onnx", "onnxruntime", "tf2onnx", "onnxslim"):
    pytest.importorskip(_package, reason=f"pip install {_package}")

SIZE = 64
IMAGES = np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def source():
    return tiny_source("unet", SIZE)


@pytest.fixture(scope="module")
def no_gpu():
    if not what_is_missing():
        pytest.skip("there are a GPU and TensorRT here")


def made(source, folder, **settings):
    """Export, and return the folder and what it reported."""
    target = folder / "unet_tensorrt"
    config = TensorrtConfig(output_path=str(target), repeats=0, **settings)
    return target, export_source(source, config)


def test_without_a_gpu_the_onnx_file_is_ready_and_what_is_missing_is_said(source, no_gpu, tmp_path):
    folder, exported = made(source, tmp_path)
    assert "NVIDIA GPU" in exported.facts["engine"]
    assert "build_engine.sh" in exported.facts["engine"]
    assert exported.parity.max_difference < 1e-4
    found = open_engine(folder / "unet.onnx").probabilities(IMAGES)
    np.testing.assert_allclose(found, source.engine.probabilities(IMAGES), atol=1e-5)
    names = {path.name for path in folder.iterdir()}
    assert {"build_engine.sh", "build_engine.py", "build_engine.json", "unet.engine.json"} < names


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, ["--noTF32", "--memPoolSize=workspace:2048"]),
        ({"precision": "float16", "workspace_mb": 512}, ["--fp16", "--memPoolSize=workspace:512"]),
        (
            {"dynamic_batch": True, "dynamic_size": True},
            [
                "--minShapes=image:1x3x32x32",
                f"--optShapes=image:1x3x{SIZE}x{SIZE}",
                f"--maxShapes=image:8x3x{2 * SIZE}x{2 * SIZE}",
            ],
        ),
        (
            {"dynamic_batch": True, "opt_shape": "4x64x64", "max_shape": "16x64x64"},
            ["--minShapes=image:1x3x64x64", "--optShapes=image:4x3x64x64"]
            + ["--maxShapes=image:16x3x64x64"],
        ),
    ],
)
def test_the_script_calls_trtexec_with_the_settings(settings, words, source, no_gpu, tmp_path):
    folder, exported = made(source, tmp_path, **settings)
    line = (folder / "build_engine.sh").read_text().splitlines()[-1]
    assert line == exported.facts["trtexec"]
    assert set(words) < set(shlex.split(line))
    # The shell finds nothing wrong but that there is no trtexec.
    done = subprocess.run(
        [folder / "build_engine.sh"], capture_output=True, text=True, env={"PATH": "/bin:/usr/bin"}
    )
    assert done.returncode == 127
    assert "trtexec" in done.stderr


def test_eight_bits_are_symmetric_and_lose_little(source, no_gpu, tmp_path):
    import onnx
    from PIL import Image

    images = tmp_path / "images"
    images.mkdir()
    for index, image in enumerate(IMAGES):
        Image.fromarray(image).save(images / f"{index}.png")
    # Noise on random weights is the hardest case there is.
    folder, exported = made(
        source, tmp_path, precision="int8", calibration_data=str(images), agreement=0.5
    )
    assert "--int8" in exported.facts["trtexec"]
    model = onnx.load(folder / "unet_int8.onnx")
    constants = {one.name: onnx.numpy_helper.to_array(one) for one in model.graph.initializer}
    rounding = [node for node in model.graph.node if node.op_type == "QuantizeLinear"]
    zero_points = [constants[node.input[2]] for node in rounding]
    assert len(rounding) > 10
    assert all(point.dtype == np.int8 and not point.any() for point in zero_points)
    assert not any(value.dtype == np.int32 and value.ndim for value in constants.values())


def test_the_python_script_asks_tensorrt_for_what_the_settings_say(source, no_gpu, tmp_path):
    """TensorRT is too large to install for tests; what it is told is recorded in its place."""
    folder, _ = made(source, tmp_path, precision="float16", dynamic_batch=True)
    script = tmp_path / "run.py"
    script.write_text(
        f"import runpy, sys\nsys.path.insert(0, {str(tmp_path)!r})\n"
        f"runpy.run_path({str(folder / 'build_engine.py')!r}, run_name='__main__')\n"
    )
    (tmp_path / "tensorrt.py").write_text(_RECORDER)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(folder / "unet_fp16.engine")]
    told = json.loads((folder / "unet_fp16.engine").read_text())
    assert told["workspace"] == 2048 << 20
    assert told["flags"] == ["FP16"]
    assert told["shapes"] == ["image", [1, 3, 64, 64], [1, 3, 64, 64], [8, 3, 64, 64]]
    assert told["bytes"] == (folder / "unet_fp16.onnx").stat().st_size


_RECORDER = """
import json
told = {"flags": []}
MemoryPoolType = type("M", (), {"WORKSPACE": 0})
BuilderFlag = type("F", (), {"FP16": "FP16", "INT8": "INT8", "TF32": "TF32"})
NetworkDefinitionCreationFlag = type("N", (), {"EXPLICIT_BATCH": 0})
class Logger:
    WARNING = 1
    def __init__(self, level): pass
class Config:
    def set_memory_pool_limit(self, kind, size): told["workspace"] = size
    def set_flag(self, flag): told["flags"].append(flag)
    def add_optimization_profile(self, profile): told["shapes"] = profile.shapes
class Profile:
    def set_shape(self, *shapes): self.shapes = shapes
class Builder:
    def __init__(self, logger): pass
    def create_network(self, flag): return "network"
    def create_builder_config(self): return Config()
    def create_optimization_profile(self): return Profile()
    def build_serialized_network(self, network, config): return json.dumps(told).encode()
class OnnxParser:
    def __init__(self, network, logger): pass
    def parse(self, data): told["bytes"] = len(data); return True
"""


def test_a_file_that_tensorrt_cannot_read_is_told(tmp_path, monkeypatch):
    parser = SimpleNamespace(
        parse=lambda data: False, num_errors=1, get_error=lambda index: "no Foo"
    )
    flags = SimpleNamespace(EXPLICIT_BATCH=0)
    trt = SimpleNamespace(NetworkDefinitionCreationFlag=flags, OnnxParser=lambda *_: parser)
    builder = SimpleNamespace(create_network=lambda flag: None)
    (tmp_path / "a.onnx").write_bytes(b"")
    with pytest.raises(ValueError, match=r"cannot read a\.onnx: no Foo"):
        tensorrt_build._network(trt, builder, None, tmp_path / "a.onnx")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_shape": "8x64x64"}, "--max_shape is for --dynamic_batch"),
        ({"dynamic_batch": True, "max_shape": "64x64"}, "must be BATCHxHEIGHTxWIDTH"),
        ({"workspace_mb": 0}, "--workspace_mb must be at least 1"),
        ({"opset": 12}, r"--opset must be in 13\.\.18"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        TensorrtConfig(**settings)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({"min_shape": "4x64x64"}, "must not shrink"),
        ({"max_shape": "8x128x64"}, "must have 64 where the graph is fixed"),
    ],
)
def test_shapes_that_do_not_fit_the_graph_are_refused(shapes, message, source, tmp_path):
    with pytest.raises(ValueError, match=message):
        made(source, tmp_path, dynamic_batch=True, **shapes)
    assert list(tmp_path.iterdir()) == []


def test_an_engine_without_tensorrt_says_what_to_install(source, no_gpu, tmp_path):
    folder, _ = made(source, tmp_path)
    (folder / "unet.engine").write_bytes(b"an engine")
    with pytest.raises(ValueError, match=r"unet\.engine: .*tensorrt"):
        open_engine(folder / "unet.engine")
