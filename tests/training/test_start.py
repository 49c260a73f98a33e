"""`kseg train` may also help to choose the settings, and `kseg compare` reads the runs."""

import csv

import pytest
import yaml

from kseg.cli import main
from kseg.config import CompareConfig, TrainConfig, parse_config
from kseg.training.start import try_learning_rates
from tests.training.cases import settings


def test_the_learning_rate_has_a_short_name():
    for flags in (["--lr", "0.5"], ["--lr=0.5"], ["--learning_rate", "0.5"]):
        assert parse_config(TrainConfig, flags).learning_rate == 0.5
    assert parse_config(TrainConfig, ["--lr", "auto"]).learning_rate == "auto"
    with pytest.raises(ValueError, match="--learning_rate: expected float or 'auto', got fast"):
        parse_config(TrainConfig, ["--lr", "fast"])


def test_several_runs_are_given_without_a_flag():
    config = parse_config(CompareConfig, ["a/unet", "b/unet", "--output", "c"])
    assert (config.runs, config.output) == (["a/unet", "b/unet"], "c")


def test_auto_writes_settings_that_training_takes(parts_root, tmp_path, capsys):
    flags = [f"--data_root={parts_root}", f"--train_save_path={tmp_path}"]
    main(["train", "--auto", "--auto_memory_gb=8", "--epochs=3", *flags])
    file = tmp_path / "auto" / "auto.yaml"
    assert yaml.safe_load(file.read_text())["epochs"] == 3
    assert parse_config(TrainConfig, ["--config", str(file)]).epochs == 3
    assert "auto.yaml" in capsys.readouterr().out.replace("\n", "")
    with pytest.raises(SystemExit, match="2"):
        main(["train", "--auto", *flags])
    assert "--overwrite" in capsys.readouterr().err


def test_learning_rates_are_tried_without_making_a_run(parts_root, tmp_path, capsys):
    config = settings(parts_root, tmp_path, lr_find=True)
    try_learning_rates(config)
    with (config.run_path / "lr_find.csv").open(newline="") as file:
        rates = [float(row["learning_rate"]) for row in csv.DictReader(file)]
    assert rates == sorted(rates)
    assert (config.run_path / "lr_find.png").stat().st_size > 0
    assert "--learning_rate" in capsys.readouterr().out
    assert sorted(path.name for path in config.run_path.iterdir()) == ["lr_find.csv", "lr_find.png"]
