"""The export commands: what they load and write, and one sentence for each mistake."""

import json
import sys
from dataclasses import replace

import keras
import pytest
import yaml

pytest.importorskip("tensorflow", reason="models are exported on TensorFlow")
pytest.importorskip("tf2onnx", reason="pip install tf2onnx")
pytest.importorskip("onnxslim", reason="pip install onnxslim")

from kseg import cli
from kseg.config import ExportAllConfig, OnnxConfig
from kseg.export import load_source
from kseg.export.everything import name_of, plans_of
from kseg.export.formats import Format
from kseg.export.placing import draft_folder, place
from kseg.export.source import as_source
from kseg.inference import save_model
from kseg.models import get_model
from tests.conftest import ROOT
from tests.export.tiny_source import tiny_source

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="models are exported on TensorFlow"
)
SIZE = (32, 32)
FORMATS = ("onnx", "openvino", "litert", "pb", "savedmodel", "ncnn", "tensorrt", "all")


@pytest.fixture(scope="module")
def source():
    return tiny_source("unet", SIZE)


@pytest.fixture
def run(source, tmp_path):
    """A run folder."""
    folder = tmp_path / "weights" / "exp1" / "unet"
    folder.mkdir(parents=True)
    save_model(source.model, folder / "best.keras", source.info)
    (folder / "config.yaml").write_text(yaml.safe_dump({"dataset_name": "parts"}))
    return folder


def test_a_run_folder_is_exported_into_itself(run, capsys):
    cli.main(["export_onnx", str(run), "--repeats", "1"])
    assert (run / "export" / "unet.onnx").is_file()
    printed = capsys.readouterr().out
    assert "largest difference" in printed
    assert "images/s" in printed


def test_prediction_exports_too(run):
    cli.main(["predict", "--model", str(run), "--mode", "export"])
    assert (run / "export" / "unet.onnx").is_file()


def test_a_file_outside_a_run_is_exported_beside_itself(source, tmp_path):
    file = tmp_path / "net.keras"
    save_model(source.model, file, source.info)
    assert load_source(OnnxConfig(model=str(file))).folder == tmp_path


def test_bare_weights_get_their_model_from_flags(source, tmp_path):
    file = tmp_path / "unet.weights.h5"
    source.model.save_weights(file)
    options = {"filters": 4, "levels": 3}
    flags = {"model_name": "unet", "model_options": options, "classes": 3, "image_init": "divide"}
    loaded = load_source(OnnxConfig(weights_path=str(file), **flags))
    assert loaded.model.count_params() == source.model.count_params()
    assert loaded.info.image_init == "divide"


def test_every_format_has_a_script_and_a_command():
    for name in FORMATS:
        assert f'run("export_{name}")' in (ROOT / "tools" / f"export_{name}.py").read_text()
        assert f"export_{name}" in cli.COMMANDS


def test_a_model_in_mixed_precision_is_exported_in_float32(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = get_model("unet", 3, filters=4, levels=2)
    finally:
        keras.config.set_dtype_policy("float32")
    model = as_source(model, None, tmp_path / "unet.keras").model
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}


@pytest.mark.parametrize("backend", ["torch", pytest.param("jax", marks=pytest.mark.full)])
def test_a_file_written_on_another_backend_is_exported(backend, run_script, tmp_path):
    pytest.importorskip(backend, reason=f"pip install {backend}")
    file = tmp_path / "unet.keras"
    code = (
        "from pathlib import Path; from kseg.inference import ModelInfo, save_model; "
        "from kseg.models import get_model; "
        "model = get_model('unet', 2, filters=4, levels=2, image_init='divide'); "
        f"info = ModelInfo('unet', ('a', 'b'), None, 32, 32, 1, 'divide'); "
        f"save_model(model, Path({str(file)!r}), info)"
    )
    assert run_script("-c", code, KERAS_BACKEND=backend).returncode == 0
    script = ROOT / "tools" / "export_onnx.py"
    done = run_script(script, file, "--repeats", "0", KERAS_BACKEND=backend)
    assert done.returncode == 0, done.stderr
    assert file.with_name("unet.onnx").is_file()


@pytest.mark.parametrize(
    ("command", "flags", "sentence"),
    [
        ("onnx", ["--model", "nowhere"], "nowhere: there is no trained model here"),
        ("onnx", ["--input_height", "16"], "--input_height must be at least 32, got 16"),
        ("onnx", ["--opset", "12"], "--opset must be in 13..18, got 12"),
        ("onnx", ["--model_name", "unet"], "--model_name is for --weights_path"),
        ("onnx", ["--weights_path", "none.weights.h5"], "none.weights.h5: no such file"),
        ("onnx", ["--weights_path", "bad.weights.h5"], "do not fit 'unet' with 2 classes"),
        ("onnx", ["--model", "RUN", "--classes", "7"], "has 3; leave the flag out"),
        ("onnx", ["--model", "RUN", "--output_path", "net.pb"], "net.pb must end in .onnx"),
        ("onnx", ["--model", "RUN", "--output_path", "bad.weights.h5/a.onnx"], "bad.weights.h5"),
        ("onnx", ["--model", "RUN", "--images", "empty"], "empty"),
        ("ncnn", ["--dynamic_size"], "--dynamic_size: this format fixes it"),
        ("all", ["--model", "RUN", "--formats", "onxx"], "'onxx' is none of"),
        ("onnx", ["--agreement", "1.5"], "--agreement must be at most 1, got 1.5"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(
    command, flags, sentence, run, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.weights.h5").write_text("no weights")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit) as stop:
        cli.main([f"export_{command}", *(str(run) if flag == "RUN" else flag for flag in flags)])
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert sentence in line
    assert not (run / "export").exists() or list((run / "export").iterdir()) == []


def test_a_missing_package_is_named():
    assert Format("m", {"no_such_module": "no-such", "keras": "keras"}, {}).missing() == ["no-such"]
    assert Format("m", {}, {"no_such_module": "x"}).missing("int8") == ["x"]
    assert Format("m", {}, {"no_such_module": "x"}).missing() == []


@pytest.mark.parametrize("command", ["onnx", "openvino", "ncnn", "tensorrt"])
def test_each_way_that_leads_over_onnx_asks_for_its_converter(command, run, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(SystemExit):
        cli.main([f"export_{command}", "--model", str(run)])
    assert capsys.readouterr().err.strip().endswith("not installed: pip install tf2onnx")


def test_all_formats_are_one_table_and_one_json_file(run, capsys):
    cli.main(["export_all", str(run), "--formats", "onnx,pb,onnx_int8", "--agreement", "0.9"])
    table = json.loads((run / "export" / "unet.json").read_text())
    rows = {row["format"]: row for row in table["formats"]}
    assert set(rows) == {"onnx", "onnx_fp16", "onnx_int8", "pb"}
    assert rows["onnx"]["parity"]["agreement"] == 1
    assert rows["pb"]["latency"]["p50"] > 0
    assert (run / "export" / "unet_fp16.onnx").is_file()
    printed = capsys.readouterr().out
    assert all(name in printed for name in ("keras", *rows))


def test_settings_reach_each_format_as_far_as_it_has_them():
    config = ExportAllConfig(output="labels", dynamic_size=True, calibration_images=7)
    plans = {name_of(plan): plan for plan in plans_of(config)}
    assert {"litert_dynamic", "openvino_fp16", "ncnn", "tensorrt", "savedmodel"} <= set(plans)
    assert {plan.output for plan in plans.values()} == {"labels"}
    assert plans["onnx_int8"].calibration_images == 7
    assert plans["onnx"].dynamic_size
    assert not plans["ncnn"].dynamic_size
    assert [*plans_of(replace(config, formats="pb"))][0].format == "pb"


def test_files_come_into_place_together_and_replace_older_ones(tmp_path):
    target = tmp_path / "net.xml"
    for text in ("old", "new"):
        with draft_folder(target) as draft:
            (draft / "net.xml").write_text(text)
            (draft / "net.bin").write_text(text)
            place(draft, draft / "net.xml", target)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "net.xml": "new",
        "net.bin": "new",
    }


def test_a_folder_replaces_an_older_one(tmp_path):
    target = tmp_path / "net_savedmodel"
    for name in ("old", "new"):
        with draft_folder(target) as draft:
            (draft / target.name).mkdir()
            (draft / target.name / name).touch()
            place(draft, draft / target.name, target)
    assert [path.name for path in tmp_path.rglob("*")] == ["net_savedmodel", "new"]
