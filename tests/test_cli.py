import pytest

from kseg.cli import COMMANDS, main, prepare_backend
from tests.conftest import ROOT

SCRIPTS = sorted([*ROOT.glob("examples/*.py"), *ROOT.glob("tools/*.py")])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_the_help_of_a_script_loads_no_backend(script, run_script):
    # Loading Keras takes seconds; the help must not.
    code = (
        "import runpy, sys\n"
        f"sys.argv = [{str(script)!r}, '--help']\n"
        "try:\n    runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "finally:\n    print([m for m in ('keras', 'cv2', 'tensorflow') if m in sys.modules])"
    )
    result = run_script("-c", code)
    assert "usage:" in result.stdout
    assert result.stdout.strip().endswith("[]")


def test_kseg_alone_lists_the_commands(capsys):
    with pytest.raises(SystemExit, match="0"):
        main([])
    printed = capsys.readouterr().out
    assert all(name in printed for name in COMMANDS)


def test_the_version_is_printed(capsys):
    from kseg import __version__

    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out.strip() == __version__


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trane"], "unknown command 'trane', did you mean 'train'?; commands are train, predict"),
        (["train", "--epoch", "3"], "unknown setting 'epoch', did you mean 'epochs'?"),
        (["train", "--loss", "ce", "--epochs", "0"], "--epochs must be at least 1, got 0"),
        (["train", "--resize_op", "3"], "--resize_op: expected one of 1, 2, got value: 3"),
        (["train", "--epochs", "many"], "--epochs: expected int, got value: many"),
        (["train", "--exp_name", "../x"], "--exp_name must be a folder name without slashes"),
        (["train", "--config", "no.yaml"], "File does not exist"),
        (["train", "--resume", "nowhere"], "there is no run in nowhere"),
        (["predict", "--blend", "2"], "--blend must be in 0..1, got 2.0"),
        (["predict", "--model", "nowhere"], "nowhere: there is no trained model here"),
        (["test", "--mIOU"], "--mIOU True needs --val_images and --val_annotations"),
        (["train", "--dataset_name", "bbufdataset"], "run on our stand-in"),
        (["train", "--optimizer_name", "adm"], "did you mean 'adam'"),
        (["train", "--model_name", "unett"], "did you mean 'unet'"),
        (["train", "--loss", "dise"], "did you mean 'dice'"),
    ],
)
def test_a_mistake_gets_one_line_and_exit_code_2(
    arguments, message, parts_root, tmp_path, monkeypatch, capsys
):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "parts").symlink_to(parts_root / "parts")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    error = capsys.readouterr().err.strip()
    assert message in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "weights").exists()


def test_the_package_is_a_program(run_script):
    from kseg import __version__

    result = run_script("-m", "kseg", "--version")
    assert (result.returncode, result.stdout.strip()) == (0, __version__)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict", "--output", "a file"], "a file: results cannot go here, {} is a file"),
        (["predict", "--output", "a file/x"], "a file/x: results cannot go here, {} is a file"),
        (["evaluate", "--output", "a file"], "a file: results cannot go here, {} is a file"),
        (["evaluate", "--predictions", "a file"], "a file: results cannot go here, {} is a file"),
        (["test", "--output_path", "a file"], "a file: results cannot go here, {} is a file"),
        (["check_data", "x", "--output", "a file"], "a file: results cannot go here, {} is a file"),
        (["parts", "--output", "a file/x"], "a file: this is a file, where a folder is needed"),
    ],
)
def test_a_file_in_place_of_the_output_folder_is_told_before_the_work(
    arguments, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "a file"
    file.touch()
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    error = capsys.readouterr().err.strip()
    assert message.format("a file" if arguments[-1] == "a file" else file) in error
    assert len(error.splitlines()) == 1
    assert list(tmp_path.iterdir()) == [file]


def test_the_traceback_can_be_asked_for(monkeypatch):
    monkeypatch.setenv("KSEG_TRACEBACK", "1")
    with pytest.raises(ValueError, match="no trained model"):
        main(["predict", "--model", "nowhere"])


def test_models_are_printed_as_table_and_json(capsys):
    import json

    main(["models", "--json"])
    assert {"unet", "enet"} <= {row["name"] for row in json.loads(capsys.readouterr().out)}
    main(["models"])
    printed = capsys.readouterr().out
    assert "8,644,738" in printed
    assert "resnet50v2" in printed


def test_parts_are_written_where_asked(tmp_path, capsys):
    folder = tmp_path / "set"
    arguments = ["--output", str(folder), "--height", "48", "--width", "64", "--train", "2"]
    main(["parts", *arguments, "--val", "1", "--test", "1", "--multiclass"])
    assert len(list((folder / "train_image").iterdir())) == 2
    assert "wrote 2 + 1 + 1 images" in capsys.readouterr().out


def test_without_tensorflow_another_installed_backend_is_chosen(monkeypatch):
    import importlib.util
    import os

    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "tensorflow" else object()
    )
    prepare_backend()
    assert os.environ["KERAS_BACKEND"] == "jax"
    monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="no backend is installed"):
        prepare_backend()


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_chosen_backend_that_is_not_installed_is_one_sentence(backend, run_script):
    code = (
        f"import sys\nsys.modules[{backend!r}] = None\nfrom kseg.cli import main\nmain(['models'])"
    )
    result = run_script("-c", code, KERAS_BACKEND=backend)
    assert result.returncode == 2
    assert result.stderr.strip() == (
        f"kseg models: error: the backend {backend}, which KERAS_BACKEND or Keras' own settings "
        f"ask for, is not installed: pip install {backend}"
    )


def test_a_misspelt_backend_is_one_sentence(run_script):
    result = run_script("-m", "kseg", "models", KERAS_BACKEND="jx")
    assert result.returncode == 2
    assert result.stderr.strip() == (
        "kseg models: error: KERAS_BACKEND or Keras' own settings ask for the backend jx, which is "
        "none; choose tensorflow, jax or torch"
    )


@pytest.mark.parametrize(
    ("module", "package"), [("cv2", "opencv-python-headless"), ("yaml", "PyYAML")]
)
def test_a_missing_package_is_one_sentence(module, package, run_script, tmp_path):
    code = f"import sys\nsys.modules[{module!r}] = None\nfrom kseg.cli import main\nmain(['parts'])"
    result = run_script("-c", code, cwd=tmp_path)
    assert result.returncode == 2
    sentence = f"kseg needs the module {module}, which is not here: pip install {package}"
    assert result.stderr.strip() == f"kseg parts: error: {sentence}"
