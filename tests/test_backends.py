"""The same training command on every backend, and without TensorFlow."""

import csv
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from kseg.runs import RunFolder
from tests.conftest import ROOT

BACKENDS = ("tensorflow", "jax", "torch")
OURS = os.environ.get("KERAS_BACKEND", "tensorflow")


def needs(backend):
    missing = importlib.util.find_spec(backend) is None
    marks = [pytest.mark.skipif(missing, reason=f"needs {backend}")]
    if backend == OURS:
        # Other tests train and load on the backend that they run on.
        marks.append(pytest.mark.full)
    return pytest.param(backend, marks=marks)


each_backend = pytest.mark.parametrize("backend", [needs(backend) for backend in BACKENDS])

FLAGS = {
    "input_height": 32,
    "input_width": 32,
    "train_batch_size": 4,
    "learning_rate": 3e-3,
    "model_options": '{"filters": 4, "levels": 3}',
}


def flags(parts_root, weights, **changes):
    values = {"data_root": parts_root, "train_save_path": weights, **FLAGS, **changes}
    return [f"--{name}={value}" for name, value in values.items()]


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@each_backend
def test_twenty_steps_lower_the_loss(backend, parts_root, tmp_path, run_script):
    arguments = flags(parts_root, tmp_path, epochs=5)
    result = run_script(ROOT / "examples/train.py", *arguments, KERAS_BACKEND=backend)
    assert result.returncode == 0, result.stderr
    assert "oneDNN" not in result.stderr
    run = RunFolder(tmp_path / "exp1" / "unet")
    losses = [float(row["loss"]) for row in rows_of(run.metrics)]
    assert len(losses) == 5
    assert losses[-1] < 0.9 * losses[0]
    assert json.loads(run.environment.read_text())["backend"] == backend
    assert "foreground_iou" in result.stdout.replace("\n", "")


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="needs jax")
def test_training_and_prediction_work_without_tensorflow(parts_root, tmp_path, run_script):
    code = (
        "import sys\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'tensorflow':\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Block())\n"
        "from kseg.cli import main\n"
        f"main({['train', *flags(parts_root, tmp_path, epochs=1)]!r})\n"
        f"main(['predict', '--model', {str(tmp_path / 'exp1' / 'unet')!r}, '--input', "
        f"{str(parts_root / 'parts' / 'test_image')!r}, '--output', {str(tmp_path / 'out')!r}])\n"
    )
    result = run_script("-c", code, KERAS_BACKEND="jax")
    assert result.returncode == 0, result.stderr
    assert len(list((tmp_path / "out").glob("*_label.png"))) == 4


@each_backend
def test_a_checkpoint_of_one_backend_works_on_another(backend, parts_root, tmp_path, run_script):
    import keras

    from kseg.inference import ModelInfo, save_model
    from kseg.models import get_model

    model = get_model("unet", 2, image_init="divide", filters=4, levels=3)
    info = ModelInfo("unet", ("background", "part"), None, 32, 32, 1, "divide")
    save_model(model, tmp_path / "best.keras", info)
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("uint8")
    np.save(tmp_path / "images.npy", images)
    code = (
        "import numpy as np, keras, pathlib\n"
        "from kseg.inference import load_model\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        "model, _ = load_model(folder / 'best.keras')\n"
        "logits = model(np.load(folder / 'images.npy'), training=False)\n"
        "np.save(folder / 'logits.npy', keras.ops.convert_to_numpy(logits))\n"
    )
    result = run_script("-c", code, KERAS_BACKEND=backend)
    assert result.returncode == 0, result.stderr
    expected = keras.ops.convert_to_numpy(model(images, training=False))
    np.testing.assert_allclose(np.load(tmp_path / "logits.npy"), expected, atol=1e-4)


HARD = {
    "epochs": 8,
    "augment": "flips",
    "ema": 0.9,
    "model_options": '{"filters": 4, "levels": 3, "dropout": 0.3}',
}
# Sums of several threads are rounded in the order in which these happen to end.
ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_DETERMINISTIC_OPS": "1", "OMP_NUM_THREADS": "1"}


@pytest.mark.parametrize("moment", [0.31, pytest.param(0.0, marks=pytest.mark.full)])
def test_a_run_killed_at_any_moment_ends_with_the_same_weights(
    moment, parts_root, tmp_path, run_script
):
    arguments = flags(parts_root, tmp_path / "whole", **HARD)
    assert run_script(ROOT / "examples/train.py", *arguments, **ONE_THREAD).returncode == 0
    killed = tmp_path / "killed"
    kill_after_an_epoch(flags(parts_root, killed, **HARD), killed / "exp1" / "unet", moment)
    again = [f"--train_save_path={killed}", "--resume=last"]
    result = run_script(ROOT / "examples/train.py", *again, **ONE_THREAD)
    assert result.returncode == 0, result.stderr
    whole, resumed = (RunFolder(path / "exp1" / "unet") for path in (tmp_path / "whole", killed))
    for name in ("epoch", "loss", "val_loss", "val_iou_score"):
        first, second = ([row[name] for row in rows_of(run.metrics)] for run in (whole, resumed))
        assert first == second
    assert_same_variables(whole.last, resumed.last)


def assert_same_variables(first, second):
    from kseg.inference import load_model

    models = [load_model(path, compile=True)[0] for path in (first, second)]
    kept = [[*model.variables, *model.optimizer.variables] for model in models]
    assert len(kept[0]) == len(kept[1])
    for one, other in zip(*kept, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other), err_msg=one.path)


def kill_after_an_epoch(arguments, run_path, moment):
    """Start training, wait for a checkpoint and `moment` seconds, and kill the process."""
    run = RunFolder(run_path)
    command = [sys.executable, str(ROOT / "examples/train.py"), *arguments]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env={**os.environ, **ONE_THREAD}, **silent) as process:
        deadline = time.monotonic() + 300
        while not run.last.is_file() and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert len(rows_of(run.metrics)) < HARD["epochs"] if run.metrics.is_file() else True
