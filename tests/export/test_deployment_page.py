"""The page on deployment: its commands have the flags they use, its links lead somewhere."""

import re
import shlex

import numpy as np
import pytest

from kseg import cli, config
from kseg.config import parse_config
from kseg.inference import Predictor
from tests.conftest import ROOT
from tests.test_docs import check_links

PAGE = ROOT / "docs" / "deployment.md"
TEXT = PAGE.read_text("utf-8")
LINES = [
    line
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    for line in block.replace("\\\n", " ").splitlines()
    if line.startswith("python ")
]


@pytest.mark.parametrize("line", LINES)
def test_a_command_has_the_flags_that_it_uses(line):
    _, script, *flags = shlex.split(line, comments=True)
    assert (ROOT / script).is_file()
    command = cli.COMMANDS.get((ROOT / script).stem)
    if command is not None:
        assert parse_config(getattr(config, command.config), flags)


def test_every_export_command_is_shown():
    for name in cli.COMMANDS:
        assert not name.startswith("export_") or f"tools/{name}.py" in TEXT


def test_a_file_of_keras_alone_becomes_one_that_commands_take(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    (code,) = (block for block in blocks if "save_model" in block)
    exec(compile(code, PAGE.name, "exec"), {})
    with pytest.raises(ValueError, match=r"not written by kseg.*kseg\.inference\.save_model"):
        Predictor.load("mine.keras")
    predictor = Predictor.load("mine_kseg.keras")
    assert [*predictor.info.class_names] == ["background", "crack"]
    (labels,) = predictor.predict([np.zeros((50, 70, 3), np.uint8)])
    assert labels.shape == (50, 70)


def test_the_links_lead_somewhere():
    check_links(PAGE)
