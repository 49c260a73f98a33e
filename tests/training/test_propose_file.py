"""`kseg train --auto`: the file of settings and the table."""

import io
from dataclasses import replace

import pytest
import yaml
from rich.console import Console

from kseg.config import TrainConfig, parse_config
from kseg.training import train
from kseg.training.propose import (
    Classes,
    auto,
    explain,
    propose,
    write_proposal,
)
from tests.training.propose_cases import CELLS, CPU, LINES, facts_of


@pytest.mark.parametrize("changes", [{}, LINES, CELLS, {"train": 20, "channels": 4}])
def test_the_file_gives_exactly_the_proposed_settings(changes, tmp_path):
    found = propose(facts_of(**changes), CPU, {"data_root": "a: folder, #1 [x] 'q'", "seed": 5})
    path = write_proposal(found, tmp_path / "new" / "auto.yaml")
    assert parse_config(TrainConfig, ["--config", str(path)]) == found.config()
    assert yaml.safe_load(path.read_text("utf-8")) == found.values


def test_every_setting_has_its_reason_above(tmp_path):
    path = write_proposal(propose(facts_of(), CPU), tmp_path / "auto.yaml")
    lines = path.read_text().splitlines()
    keys = [i for i, line in enumerate(lines) if line and not line.startswith("#")]
    assert len(keys) == len(propose(facts_of(), CPU).decisions)
    assert all(lines[i - 1].startswith("# ") for i in keys)
    assert max(map(len, lines)) <= 100


def test_names_with_line_breaks_stay_in_their_comments(tmp_path):
    classes = Classes(("ground", "a\nloss: [mcc]\x07 \u2028#"), (99_000, 1000), (10**5, 10**5))
    found = propose(facts_of(classes=classes), CPU)
    path = write_proposal(found, tmp_path / "auto.yaml")
    assert parse_config(TrainConfig, ["--config", str(path)]) == found.config()
    console = Console(file=io.StringIO(), width=200)
    explain(found, path, console)
    assert "[mcc]" in console.file.getvalue()


def test_a_file_that_is_there_is_replaced_only_on_demand(tmp_path):
    path = tmp_path / "auto.yaml"
    path.write_text("mine")
    found = propose(facts_of(), CPU)
    with pytest.raises(ValueError, match=r"auto\.yaml: there is a file already.*--overwrite"):
        write_proposal(found, path)
    assert path.read_text() == "mine"
    write_proposal(found, path, overwrite=True)
    assert "loss: ce_dice" in path.read_text().splitlines()


def test_the_table_shows_settings_reasons_and_the_command(tmp_path):
    console = Console(file=io.StringIO(), width=160)
    explain(propose(facts_of(**LINES), CPU), tmp_path / "my runs" / "auto.yaml", console)
    text = console.file.getvalue()
    for part in (
        "cl_dice",
        "{class_ids: [1], iterations: 5}",
        "5 pixels wide",
        "of memory on a",
    ):
        assert part in text
    assert f"kseg train --config '{tmp_path}/my runs/auto.yaml'" in text


def small_run(parts_root, folder):
    return TrainConfig(
        data_root=str(parts_root),
        train_save_path=str(folder),
        model_options={"filters": 2, "levels": 2},
        input_height=32,
        input_width=32,
        epochs=1,
        jit="off",
    )


def test_the_speed_is_measured_where_time_is_short(parts_root, tmp_path):
    console = Console(file=io.StringIO(), width=160)
    config = small_run(parts_root, tmp_path)
    path = auto(config, replace(CPU, minutes=30), console=console)
    assert path == tmp_path / "auto" / "auto.yaml"
    assert "at measured" in console.file.getvalue()
    written = parse_config(TrainConfig, ["--config", str(path)])
    assert (written.loss, written.epochs, written.cache) == ("ce_dice", 1, "ram")
    with pytest.raises(ValueError, match="there is a file already"):
        auto(config, CPU)


@pytest.mark.full
def test_the_written_file_trains_as_it_is(parts_root, tmp_path):
    path = auto(small_run(parts_root, tmp_path), CPU, console=Console(file=io.StringIO()))
    assert train(parse_config(TrainConfig, ["--config", str(path)])).best.is_file()
