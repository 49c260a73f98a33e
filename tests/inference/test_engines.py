"""Every runtime answers as Keras does; what is missing or wrong is told in one sentence."""

import csv
import dataclasses
import re
import sys

import keras
import numpy as np
import pytest
from keras import layers

from kseg.inference import Predictor, save_model
from kseg.inference.engines import EXPORTS, FrozenEngine, KerasEngine, open_engine
from kseg.inference.engines.freeze import frozen, quickened, with_own_kernels
from kseg.inference.engines.scores import softmax, to_labels, to_probabilities
from kseg.inference.tta import VIEWS
from kseg.kernels.dilate import can_dilate, dilate
from tests.conftest import ROOT
from tests.inference.tiny_exports import (
    BIAS,
    FILES,
    IMAGES,
    INFO,
    KERNEL,
    LOGITS,
    RNG,
    describe,
    litert_file,
    onnx_file,
    pb_file,
    tiny_model,
)
from tests.test_docs import check_links


def check(engine, images=IMAGES, atol=1e-5):
    """Fail where an engine does not say what the convolution does."""
    found = engine.probabilities(images)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, softmax(LOGITS[: len(images)]), atol=atol)
    labels = engine.labels(images)
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, LOGITS[: len(images)].argmax(-1))
    assert engine.labels(images[:1]).shape == (1, 32, 48)


# --- Keras


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_keras_gives_labels_and_probabilities(dtype):
    check(KerasEngine(tiny_model(), INFO), IMAGES.astype(dtype))


def test_a_model_that_ends_in_a_softmax_is_not_given_another_one():
    check(KerasEngine(tiny_model("softmax"), INFO))
    inputs = keras.Input((None, None, 3))
    nested = keras.Model(inputs, layers.Softmax()(tiny_model()(inputs)))
    check(KerasEngine(nested, INFO))


@pytest.mark.parametrize("activation", [None, "sigmoid"])
def test_a_single_score_is_that_of_the_second_of_two_classes(activation):
    info = dataclasses.replace(INFO, class_names=("background", "part"))
    engine = KerasEngine(tiny_model(activation, scores=1), info)
    share = 1 / (1 + np.exp(-LOGITS[..., 0]))
    found = engine.probabilities(IMAGES)
    np.testing.assert_allclose(found, np.stack([1 - share, share], -1), atol=1e-5)
    np.testing.assert_array_equal(engine.labels(IMAGES), LOGITS[..., 0] > 0)


def test_a_frozen_model_answers_alike_and_keeps_its_weights():
    model = tiny_model()
    constant = frozen(model)
    before = constant.predict_on_batch(IMAGES)
    np.testing.assert_allclose(before, LOGITS, atol=1e-5)
    model.get_layer("head_conv").set_weights([0 * KERNEL, BIAS])
    np.testing.assert_array_equal(constant.predict_on_batch(IMAGES), before)
    assert constant.count_params() == 0


def test_giants_keep_their_variables_and_get_the_kernels(monkeypatch):
    used = []

    def noted(layer, inputs):
        used.append(layer.name)
        return dilate(layer, inputs)

    monkeypatch.setattr("kseg.kernels.choose._KERNELS", ((can_dilate, noted),))
    source = keras.Input((16, 16, 3))
    wide = layers.Conv2D(3, 3, padding="same", dilation_rate=12, name="wide")
    giant = keras.Model(source, wide(source))
    images = RNG.normal(size=(2, 16, 16, 3)).astype("float32")
    expected = giant(images)
    assert not used
    quick = with_own_kernels(giant)
    np.testing.assert_allclose(quick.predict_on_batch(images), expected, atol=1e-5)
    on_tensorflow = keras.backend.backend() == "tensorflow"
    assert used == (["wide"] if on_tensorflow else [])
    wide.set_weights([0 * weight for weight in wide.get_weights()])
    assert not quick.predict_on_batch(images).any()
    wanted = quick if on_tensorflow else giant
    monkeypatch.setattr("kseg.inference.engines.freeze._MOST_WEIGHTS", 80)
    monkeypatch.setattr("kseg.inference.engines.freeze.with_own_kernels", lambda model: wanted)
    assert quickened(giant) is wanted


def test_auxiliary_heads_are_left_out():
    model = tiny_model()
    heads = keras.Model(model.input, {"logits": model.output, "aux": model.input})
    check(KerasEngine(heads, INFO))


def test_a_model_with_another_number_of_classes_is_refused():
    with pytest.raises(ValueError, match=r"m.keras: the model gives 2 scores .* 3 classes .*car"):
        KerasEngine(tiny_model(scores=2), INFO, "m.keras")


def test_images_that_a_model_does_not_take_are_refused():
    engine = KerasEngine(tiny_model(size=(32, 48)), INFO, "m.keras")
    assert engine.size == (32, 48)
    check(engine)
    with pytest.raises(ValueError, match=r"m.keras: .* fixed to images of 48x32 pixels .* 40x40"):
        engine.labels(np.zeros((1, 40, 40, 3), "uint8"))
    with pytest.raises(ValueError, match=r"takes images \(N, height, width, 3\), got .*\(32, 48\)"):
        engine.labels(np.zeros((32, 48), "uint8"))


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_say_the_same(backend, tmp_path, run_script):
    pytest.importorskip(backend, reason=f"needs {backend}")
    save_model(tiny_model(), tmp_path / "best.keras", INFO)
    np.save(tmp_path / "images.npy", IMAGES)
    code = (
        "import numpy as np, pathlib\n"
        "from kseg.inference.engines import open_engine\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        "engine, images = open_engine(folder), np.load(folder / 'images.npy')\n"
        "found = engine.probabilities(images), engine.labels(images)\n"
        "np.savez(folder / 'found.npz', *found)\n"
    )
    result = run_script("-W", "error::UserWarning", "-c", code, KERAS_BACKEND=backend)
    assert result.returncode == 0, result.stderr
    with np.load(tmp_path / "found.npz") as found:
        np.testing.assert_allclose(found["arr_0"], softmax(LOGITS), atol=1e-5)
        np.testing.assert_array_equal(found["arr_1"], LOGITS.argmax(-1))
        assert found["arr_1"].dtype == np.uint8


# --- exports


@pytest.mark.parametrize("options", [{}, {"uint8": True}, {"planes": True, "size": (32, 48)}])
def test_onnx_runtime(options, tmp_path):
    check(open_engine(onnx_file(tmp_path / "model.onnx", **options)))


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_a_graph_of_a_fixed_batch_takes_any_number_of_images(batch, tmp_path):
    engine = open_engine(onnx_file(tmp_path / "model.onnx", batch=batch))
    assert engine.batch_size == batch
    check(engine)
    (labels,) = Predictor(engine).predict([IMAGES[0]])
    np.testing.assert_array_equal(labels, LOGITS[0].argmax(-1))


@pytest.mark.parametrize("name", list(FILES)[1:])
def test_other_runtimes(name, tmp_path):
    engine = open_engine(FILES[name](tmp_path / name))
    check(engine)
    if engine.size is None:
        assert engine.labels(np.zeros((2, 40, 33, 3), "uint8")).shape == (2, 40, 33)


def test_frozen_graphs_run_on_opencv_too(tmp_path):
    check(FrozenEngine(pb_file(tmp_path / "model.pb"), program="OpenCV"))


def test_litert_with_integer_input_and_output(tmp_path):
    engine = open_engine(litert_file(tmp_path / "model.tflite", int8=True))
    np.testing.assert_allclose(engine.probabilities(IMAGES), softmax(LOGITS), atol=0.05)
    assert np.mean(engine.labels(IMAGES) == LOGITS.argmax(-1)) > 0.95


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_told_in_one_sentence(name, tmp_path):
    path = FILES[name](tmp_path / name)
    path.write_bytes(b"no model at all\n" * 20)
    with pytest.raises(ValueError, match=rf"{name}: .* cannot (run|use) ") as told:
        open_engine(path)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", ["model.xml", "model.param"])
def test_weights_that_are_missing_or_damaged_are_told(name, tmp_path):
    path = FILES[name](tmp_path / name)
    weights = path.with_suffix(".bin")
    weights.write_bytes(weights.read_bytes()[:6])
    with pytest.raises(ValueError, match=rf"{name}: .* cannot (run|use) "):
        open_engine(path).labels(IMAGES)
    weights.unlink()
    with pytest.raises(ValueError, match=r"the weights model.bin are missing beside it"):
        open_engine(path)


@pytest.mark.parametrize(
    ("name", "module", "package"),
    [
        ("model.onnx", "onnxruntime", "onnxruntime"),
        ("model.xml", "openvino", "openvino"),
        ("model.param", "ncnn", "ncnn"),
    ],
)
def test_a_missing_runtime_is_named_with_what_to_install(
    name, module, package, tmp_path, monkeypatch
):
    path = tmp_path / name
    path.write_text("a model")
    path.with_suffix(".bin").write_text("weights")
    describe(path)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ValueError, match=rf"{name}: .* needed .*; pip install {package}$"):
        open_engine(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": dataclasses.replace(INFO, class_names=("a", "b"))}, "3 scores .* 2 classes"),
        ({"outputs": ("logits",)}, "ONNX Runtime cannot run this file .*logits"),
        ({"layout": "NCHW"}, "cannot run this file"),
        ({"output": "labels"}, r"gives labels of the shape \(3, 32, 48, 3\)"),
    ],
)
def test_a_description_of_another_model_is_told(changes, message, tmp_path):
    path = onnx_file(tmp_path / "model.onnx")
    describe(path, **changes)
    with pytest.raises(ValueError, match=rf"model.onnx: .*{message}"):
        open_engine(path).labels(IMAGES)


def test_labels_inside_the_graph_count_as_certain():
    labels = RNG.integers(0, 3, (1, 1, 4, 5)).astype("int64")
    np.testing.assert_array_equal(to_labels(labels, "labels", 1), labels[:, 0])
    found = to_probabilities(labels, "labels", 1, 3)
    assert found.shape == (1, 4, 5, 3)
    np.testing.assert_array_equal(found.argmax(-1), labels[:, 0])
    np.testing.assert_array_equal(found.sum(-1), 1)


# --- which engine, and what is known about a file


def test_a_path_that_is_no_model_is_refused(tmp_path):
    with pytest.raises(ValueError, match="there is no trained model here"):
        open_engine(tmp_path)
    with pytest.raises(ValueError, match="model.onnx: no such file"):
        open_engine(tmp_path / "model.onnx")
    (tmp_path / "weights.h5").write_text("")
    with pytest.raises(ValueError, match=r"run folders or files that end in .keras, .onnx, .xml"):
        open_engine(tmp_path / "weights.h5")


# --- the page


PAGE = ROOT / "docs" / "inference_engines.md"


def test_the_code_of_the_page_runs(tmp_path, parts_root, monkeypatch):
    for name in ("exp1", "exp2"):
        save_model(tiny_model(), tmp_path / "weights" / name / "unet" / "best.keras", INFO)
    (tmp_path / "data").symlink_to(parts_root)
    monkeypatch.chdir(tmp_path)
    for code in re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        exec(compile(code, PAGE.name, "exec"), {})


def test_the_page_names_all_kinds_of_files_and_views():
    text = PAGE.read_text("utf-8")
    check_links(PAGE)
    for name in (*EXPORTS, *VIEWS, ".keras"):
        assert f"`{name}`" in text or f'`"{name}"`' in text, name


def test_the_figures_of_the_page_are_those_of_the_benchmark():
    with (ROOT / "benchmarks" / "results" / "engine_speed.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["size"] == "256"]
    for row in rows:
        figures = f"| {row['cpu_milliseconds']} ms | {row['times_as_little_cpu']} times as much |"
        assert figures in PAGE.read_text("utf-8")
