import dataclasses

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kseg.config import TrainConfig, UsageError, parse_config
from kseg.config.parse import save_config


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ([], True),
        (["--validate"], True),
        (["--validate", "True"], True),
        (["--validate", "False"], False),
        (["--validate=false"], False),
        (["--validate", "--epochs", "3"], True),
    ],
)
def test_booleans_are_understood_in_every_spelling(arguments, value):
    assert parse_config(TrainConfig, arguments).validate is value


def test_the_founding_flags_are_there():
    flags = {
        "exp_name": "exp1",
        "input_height": 224,
        "input_width": 224,
        "resize_op": 1,
        "validate": True,
        "epochs": 50,
        "train_batch_size": 4,
        "val_batch_size": 4,
        "model_name": "unet",
        "train_save_path": "weights",
        "resume": "",
        "image_init": "auto",
        "multi_gpus": False,
        "loss": "ce",
    }
    config = parse_config(TrainConfig, [])
    assert {name: getattr(config, name) for name in flags} == flags
    assert {"dataset_name", "n_classes", "optimizer_name"} <= set(vars(config))


def test_flags_win_over_the_file_and_the_file_over_the_defaults(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text("epochs: 7\nloss: dice\n")
    config = parse_config(TrainConfig, ["--config", str(file), "--epochs", "9"])
    assert (config.epochs, config.loss, config.train_batch_size) == (9, "dice", 4)


def test_an_unknown_key_in_a_file_is_named(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text("epoch: 7\n")
    with pytest.raises(UsageError, match="unknown setting 'epoch', did you mean 'epochs'"):
        parse_config(TrainConfig, ["--config", str(file)])


@settings(max_examples=25, deadline=None)
@given(
    epochs=st.integers(1, 10**6),
    rate=st.none() | st.floats(0, 10, allow_subnormal=False),
    classes=st.none() | st.integers(1, 255),
    name=st.text(st.characters(codec="utf-8", exclude_characters="/\\\0"), min_size=1).filter(
        lambda text: text not in (".", "..") and not text.startswith("-")
    ),
)
def test_a_saved_config_starts_the_same_run(tmp_path_factory, epochs, rate, classes, name):
    config = TrainConfig(epochs=epochs, learning_rate=rate, n_classes=classes, exp_name=name)
    file = tmp_path_factory.mktemp("config") / "config.yaml"
    save_config(config, file)
    assert parse_config(TrainConfig, ["--config", str(file)]) == config


def test_every_setting_has_a_help_text(capsys):
    with pytest.raises(SystemExit):
        parse_config(TrainConfig, ["--help"])
    printed = " ".join(capsys.readouterr().out.split())
    for field in dataclasses.fields(TrainConfig):
        assert f"--{field.name} " in printed


def test_a_resumed_run_keeps_its_settings_but_flags_win(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.yaml").write_text(yaml.safe_dump({"epochs": 7, "loss": "dice"}))
    config = parse_config(TrainConfig, ["--resume", str(run), "--epochs", "8"])
    assert (config.epochs, config.loss, config.run_path) == (8, "dice", run)
    from_file = parse_config(TrainConfig, ["--resume", str(run / "last.keras")])
    assert (from_file.epochs, from_file.run_path) == (7, run)


@pytest.mark.parametrize(
    ("stored", "flags"),
    [
        (
            {"crop_height": 256, "crop_width": 256, "input_height": 512, "input_width": 512},
            {"crop_foreground": 0.33},
        ),
        ({"epochs": 100}, {"freeze_epochs": 60}),
        ({"folds": 5, "fold": 2}, {"fold": 3}),
    ],
)
def test_flags_have_to_fit_the_run_that_is_resumed_not_the_defaults(stored, flags, tmp_path):
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(stored))
    words = [f"--{name}={value}" for name, value in flags.items()]
    config = parse_config(TrainConfig, [f"--resume={tmp_path}", *words])
    assert config == TrainConfig(resume=str(tmp_path), **{**stored, **flags})
    with pytest.raises(UsageError, match="--crop_height 999 is larger than"):
        parse_config(TrainConfig, [f"--resume={tmp_path}", "--crop_height=999", "--crop_width=32"])


def folds_of(folder, *flags):
    words = ["--resume=last", f"--train_save_path={folder}", "--exp_name=cv", *flags]
    return parse_config(TrainConfig, words)


@pytest.mark.parametrize(
    ("begun", "flags", "expected"),
    [
        ("cv_fold0", ["--folds=3"], {"folds": 3, "seed": 7}),
        ("cv_fold1", ["--folds=3", "--epochs=8"], {"folds": 3, "seed": 7, "epochs": 8}),
        ("cv_seed1", ["--seeds=2"], {"seeds": 2, "seed": 0}),
        ("cv_fold2_seed5", ["--folds=3", "--seeds=2", "--seed=4"], {"seed": 4, "folds": 3}),
    ],
)
def test_many_runs_go_on_with_the_settings_of_the_first_that_has_begun(
    begun, flags, expected, tmp_path
):
    run = tmp_path / begun / "unet"
    run.mkdir(parents=True)
    of_one = TrainConfig(exp_name=begun, folds=3, fold=1, seed=7, epochs=6, loss="dice")
    save_config(of_one, run / "config.yaml", exclude=["resume", "train_save_path"])
    config = folds_of(tmp_path, *flags)
    assert (config.exp_name, config.fold, config.loss) == ("cv", None, "dice")
    assert {name: getattr(config, name) for name in expected} == expected
    assert config.epochs == expected.get("epochs", 6)


def test_many_runs_of_which_none_has_begun_have_the_settings_of_the_flags(tmp_path):
    assert folds_of(tmp_path, "--folds=3").epochs == 50
