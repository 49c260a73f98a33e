"""The programs of examples/deploy answer as kseg's own predictor does."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kseg.config import NcnnConfig, OnnxConfig, OpenvinoConfig
from kseg.data.io import read_image
from kseg.data.parts import iter_parts
from kseg.export.ncnn import pnnx_program
from kseg.export.run import export_source
from kseg.inference import Predictor
from tests.export.tiny_source import tiny_source

DEPLOY = Path(__file__).resolve().parents[2] / "examples/deploy"
CONFIGS = {"onnxruntime": OnnxConfig, "openvino": OpenvinoConfig, "ncnn": NcnnConfig}
# Colours of a JPEG decoder may differ by one; these are PNG files.
SIZES = {"smaller": (40, 50), "same": (64, 96), "larger": (150, 170)}
HEADERS = {
    "stb_image.h": ("/usr/include/stb/stb_image.h", "libstb-dev"),
    "nlohmann/json.hpp": ("/usr/include/nlohmann/json.hpp", "nlohmann-json3-dev"),
}


def needs_runtime(runtime):
    pytest.importorskip(runtime, reason=f"pip install {runtime}")
    if runtime == "ncnn":
        try:
            pnnx_program()
        except ValueError as error:
            pytest.skip(str(error))
    else:
        pytest.importorskip("tf2onnx", reason="pip install tf2onnx")


def balanced(source):
    """Make every class the best one somewhere, which new weights do not."""
    ((image, _),) = iter_parts("test", 1, size=(64, 96))
    head = source.model.get_layer("head_conv")
    logits = np.asarray(source.model(image[None].astype("float32")))
    head.bias.assign(head.bias - logits.mean(axis=(0, 1, 2)))
    return source


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A function from a runtime to an exported model, letterboxed to 64x96, made once."""
    folder = tmp_path_factory.mktemp("exported")
    sources = {}

    def export(runtime, **settings):
        needs_runtime(runtime)
        config = CONFIGS[runtime]
        name = "_".join([runtime, *map(str, settings.values())])
        path = folder / f"{name}{config.suffix}"
        if not path.is_file():
            if not sources:
                sources["unet"] = balanced(tiny_source("unet", (64, 96), resize_op=2))
            source = sources["unet"]
            export_source(source, config(output_path=str(path), repeats=0, **settings))
        return path

    return export


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    paths = {}
    for name, size in SIZES.items():
        ((image, _),) = iter_parts("test", 1, size=size)
        paths[name] = folder / f"{name}.png"
        Image.fromarray(image).save(paths[name])
    return paths


def share_of_equal_labels(command, model, picture, folder):
    """Run a program, and compare its label map with the predictor's; check its overlay."""
    overlay, labels = folder / "overlay.png", folder / "labels.png"
    done = subprocess.run(
        [*map(str, command), model, picture, overlay, labels], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "road" in done.stdout
    image, found = read_image(picture), np.asarray(Image.open(labels))
    (expected,) = Predictor.load(model).predict([image])
    assert np.unique(expected).size > 1
    shown = np.asarray(Image.open(overlay))
    background = found == 0
    np.testing.assert_array_equal(shown[background], image[background])
    assert (shown[~background] != image[~background]).any()
    return (found == expected).mean()


@pytest.mark.parametrize("runtime", CONFIGS)
@pytest.mark.parametrize("size", SIZES)
def test_python_programs_answer_as_the_predictor_without_kseg(
    runtime, size, exported, pictures, tmp_path
):
    script = tmp_path / "run.py"
    script.write_text(
        "import runpy, sys\n"
        "for name in ('kseg', 'keras', 'tensorflow'):\n    sys.modules[name] = None\n"
        f"sys.argv[0] = {str(DEPLOY / runtime / 'segment.py')!r}\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    command = [sys.executable, script]
    assert (
        share_of_equal_labels(
            command, exported(runtime, output="probabilities"), pictures[size], tmp_path
        )
        >= 0.9999
    )


# --- in C++


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The folder of the programs that can be compiled here."""
    if shutil.which("cmake") is None or shutil.which("c++") is None:
        pytest.skip("there is no cmake or no C++ compiler")
    for header, (path, package) in HEADERS.items():
        if not Path(path).is_file():
            pytest.skip(f"{header} is not installed: apt-get install {package}")
    build = tmp_path_factory.mktemp("build")
    options = [
        "-DCMAKE_BUILD_TYPE=Release",
        *openvino_option(),
        *onnxruntime_option(tmp_path_factory.mktemp("library")),
    ]
    for command in (["-S", DEPLOY, "-B", build, *options], ["--build", build, "-j2"]):
        done = subprocess.run(["cmake", *map(str, command)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return build


def openvino_option():
    """The Python package comes with headers and libraries."""
    spec = find_spec("openvino")
    return [f"-DOpenVINO_DIR={Path(spec.origin).parent / 'cmake'}"] if spec else []


def onnxruntime_option(folder):
    """The Python package comes with the library alone, without the name that programs look for."""
    spec = find_spec("onnxruntime")
    if spec is None:
        return []
    libraries = sorted((Path(spec.origin).parent / "capi").glob("libonnxruntime.so.*.*.*"))
    if not libraries:
        return []
    link = folder / "libonnxruntime.so.1"
    link.symlink_to(libraries[-1])
    return [f"-DONNXRUNTIME_LIBRARY={link}"]


WHERE = {
    "ncnn": "ncnn's C++ library is not installed: examples/deploy/ncnn/README.md says how",
    "openvino": "pip install openvino",
    "onnxruntime": "ONNX Runtime's headers are not installed: apt-get install libonnxruntime-dev",
}


@pytest.mark.parametrize("runtime", CONFIGS)
@pytest.mark.parametrize(
    ("size", "output"),
    [
        ("smaller", "probabilities"),
        ("same", "logits"),
        ("larger", "probabilities"),
        ("larger", "labels"),
    ],
)
def test_programs_in_cpp_answer_as_the_predictor(
    runtime, size, output, programs, exported, pictures, tmp_path
):
    program = programs / runtime / f"segment_{runtime}"
    if not program.is_file():
        pytest.skip(WHERE[runtime])
    model = exported(runtime, output=output)
    assert share_of_equal_labels([program], model, pictures[size], tmp_path) >= 0.999


def test_a_program_in_cpp_tells_what_is_wrong(programs, pictures, tmp_path):
    program = next(iter(sorted(programs.glob("*/segment_*[!.]"))))
    picture = str(pictures["same"])
    done = subprocess.run([program], capture_output=True, text=True)
    assert (done.returncode, done.stderr.split()[0]) == (2, "usage:")
    for command in ([tmp_path / "no.onnx", picture, "a.png"],):
        done = subprocess.run([program, *command], capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 1
        assert "no.onnx.json is missing" in done.stderr
    assert os.listdir(tmp_path) == []
