"""The page on deployment: its commands have the flags they use, its links lead somewhere."""

import re
import shlex

import pytest

from kseg import cli, config
from kseg.config import parse_config
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


def test_the_links_lead_somewhere():
    check_links(PAGE)
