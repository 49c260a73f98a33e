"""Work on Ray: nothing is lost or doubled when a process is killed in the middle of it."""

import importlib.util
import json
import os
import re
import shlex
import sys
from functools import partial

import keras
import numpy as np
import pytest
from PIL import Image

from kseg.config import EvaluateConfig, PredictConfig, UsageError, parse_config
from kseg.inference import ModelInfo, ray_pool, save_model
from kseg.inference.evaluate import evaluate
from kseg.inference.predict import predict
from kseg.inference.ray_cluster import largest_share
from kseg.inference.ray_engine import run_files
from tests.conftest import ROOT
from tests.ray_worker import SegmentAndScore
from tests.test_docs import check_links

INFO = ModelInfo("unet", ("background", "bright"), None, 32, 32, 1, "divide")
PAGE = ROOT / "docs" / "many_files.md"
on_ray = pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="Ray is not installed")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A network of one 1x1 convolution that says class 1 where an image is bright."""
    inputs = keras.Input((None, None, 3))
    layer = keras.layers.Conv2D(2, 1)
    model = keras.Model(inputs, layer(inputs))
    layer.set_weights([np.array([[[[-1, 1]] * 3]], "float32"), np.array([381, -381], "float32")])
    path = tmp_path_factory.mktemp("run") / "best.keras"
    save_model(model, path, INFO)
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """24 images of noise with label maps that agree with the network at most pixels."""
    folder = tmp_path_factory.mktemp("data") / "noise"
    rng = np.random.default_rng(0)
    for part in ("train_image", "train_label", "test_image", "test_label"):
        (folder / part).mkdir(parents=True)
    for number in range(24):
        image = rng.integers(0, 256, (32, 32, 3)).astype("uint8")
        truth = (image.mean(-1) > 127) ^ (rng.random((32, 32)) > 0.75)
        for part in ("train", "test"):
            Image.fromarray(image).save(folder / f"{part}_image/{number:02}.png")
            Image.fromarray(truth.astype("uint8")).save(folder / f"{part}_label/{number:02}.png")
    return folder


def masks_of(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*.png")}


@on_ray
@pytest.mark.full
def test_a_killed_worker_loses_and_doubles_nothing(checkpoint, data, tmp_path, monkeypatch):
    monkeypatch.setattr(ray_pool, "TASKS_PER_WORKER", 2)  # three batches each
    files = sorted((data / "test_image").iterdir())
    rows = {}
    for engine, victim in (("local", None), ("ray", "14.png")):
        (tmp_path / engine).mkdir()
        make_worker = partial(SegmentAndScore, checkpoint, tmp_path / engine, victim)
        rows[engine] = list(run_files(files, make_worker, engine=engine, batch_size=2))
    assert [row["file"] for row in rows["local"]] == files
    assert sorted(row["file"] for row in rows["ray"]) == files
    assert not any(row["error"] for row in rows["ray"])
    # The first batch of the task in which the process died was done twice, and counted once.
    assert (tmp_path / "ray" / "log").read_text().split().count("12.png") == 2
    killed = int((tmp_path / "ray" / "killed").read_text())
    done_by = {row["file"].name: row["process"] for row in rows["ray"]}
    assert os.getpid() not in done_by.values()
    assert killed not in (done_by["12.png"], done_by["14.png"])
    total = {engine: sum(np.array(row["confusion"]) for row in rows[engine]) for engine in rows}
    np.testing.assert_array_equal(total["ray"], total["local"])
    assert total["ray"].sum() == 24 * 32 * 32
    assert masks_of(tmp_path / "ray") == masks_of(tmp_path / "local")
    assert len(masks_of(tmp_path / "ray")) == 24


@on_ray
@pytest.mark.full
def test_predictions_of_both_engines_are_the_same_files(checkpoint, data, tmp_path):
    (data / "test_image" / "broken.png").write_text("no image")
    for engine in ("local", "ray"):
        config = PredictConfig(
            str(checkpoint), str(data / "test_image"), str(tmp_path / engine), engine=engine
        )
        with pytest.raises(ValueError, match=r"1 of 25 files could not be read.*broken\.png"):
            predict(config)
    (data / "test_image" / "broken.png").unlink()
    assert masks_of(tmp_path / "ray") == masks_of(tmp_path / "local")
    assert len(masks_of(tmp_path / "ray")) == 24


@on_ray
@pytest.mark.full
def test_scores_of_both_engines_are_the_same(checkpoint, data, tmp_path):
    reports = {}
    for engine in ("local", "ray"):
        output = tmp_path / engine
        flags = {"dataset_name": data.name, "data_root": str(data.parent), "output": str(output)}
        evaluate(EvaluateConfig(str(checkpoint), **flags, engine=engine))
        reports[engine] = json.loads((output / "report.json").read_text())
    for part in ("confusion", "classes", "means"):
        assert reports["ray"][part] == reports["local"][part]


POISON = """
import os, signal, sys
from kseg.inference.ray_engine import run_files

class Worker:
    def __call__(self, files):
        if "poison" in files:
            os.kill(os.getpid(), signal.SIGKILL)
        return [{"value": len(file)} for file in files]

for row in run_files(["a", "bb", "poison", "cccc"], Worker, engine="ray", batch_size=2):
    print(row)
"""


@on_ray
@pytest.mark.full
def test_a_file_that_kills_every_process_is_left_out(run_script):
    result = run_script("-c", POISON, KERAS_BACKEND="numpy")
    expected = [
        {"file": "a", "error": None, "value": 1},
        {"file": "bb", "error": None, "value": 2},
        {"file": "cccc", "error": None, "value": 4},
        {"file": "poison", "error": "poison: every process that worked on it died"},
    ]
    # Ray reports the deaths between the rows.
    rows = [line for line in result.stdout.splitlines() if line.startswith("{")]
    assert sorted(rows) == sorted(map(str, expected)), result.stderr


def test_rows_of_the_local_engine_come_in_order_with_their_files():
    def make_worker():
        return lambda files: [{"size": len(files)} for _ in files]

    rows = list(run_files(["a", "b", "c"], make_worker, batch_size=2))
    assert rows == [
        {"file": file, "error": None, "size": size}
        for file, size in zip("abc", (2, 2, 1), strict=True)
    ]


def test_a_worker_that_leaves_out_a_file_is_an_error():
    with pytest.raises(ValueError, match="shorter"):
        list(run_files(["a", "b"], lambda: lambda files: [{}], batch_size=2))


def test_missing_ray_is_said_at_once(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ValueError, match=r'needs Ray Data: pip install "kseg\[ray\]"'):
        run_files(["a"], list, engine="ray")


@pytest.mark.parametrize(
    ("cpus", "workers", "share"), [([16], 2, 8), ([4, 4], 3, 2), ([3, 3], 2, 3), ([7, 1], 2, 3)]
)
def test_workers_share_the_cpus_of_all_machines(cpus, workers, share):
    assert largest_share(cpus, workers) == share


def test_a_cluster_that_is_too_small_is_refused():
    with pytest.raises(ValueError, match="3 workers need as many CPUs, but Ray has 2"):
        largest_share([1, 1], 3)


@pytest.mark.parametrize("config", [PredictConfig, EvaluateConfig])
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--workers=0"], "--workers must be at least 1"),
        (["--ray_address=auto"], "--ray_address is for --engine ray"),
        (["--engine=dask"], "--engine: expected one of 'local', 'ray'"),
    ],
)
def test_flags_of_the_engine_are_checked(config, flags, message):
    with pytest.raises(UsageError, match=message):
        parse_config(config, flags)


def test_the_commands_of_the_page_are_understood():
    configs = {"predict": PredictConfig, "evaluate": EvaluateConfig}
    blocks = "".join(re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))
    for line in blocks.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words and words[0] == "python":
            parse_config(configs[re.search(r"(\w+)\.py$", words[1])[1]], words[2:])


def test_the_code_of_the_page_runs():
    for code in re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        exec(compile(code, PAGE.name, "exec"), {})


def test_the_links_of_the_page_lead_somewhere():
    check_links(PAGE)
