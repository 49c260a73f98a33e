"""The page on evaluation: its commands are understood, its links and pictures are right."""

import re
import shlex

import pytest

from kseg.config import EvaluateConfig, FolderTestConfig, parse_config
from tests.conftest import ROOT
from tests.test_docs import check_links

PAGE = ROOT / "docs" / "evaluation.md"
TEXT = PAGE.read_text("utf-8")
CONFIGS = {"examples/evaluate.py": EvaluateConfig, "examples/test.py": FolderTestConfig}
BLOCKS = "".join(re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL))
LARGEST_PICTURE = 300_000


@pytest.mark.parametrize("line", BLOCKS.replace("\\\n", " ").splitlines())
def test_a_command_is_understood(line):
    _, script, *flags = shlex.split(line)
    assert (ROOT / script).is_file()
    parse_config(CONFIGS[script], flags)


def test_flags_that_are_named_are_settings():
    for flag in re.findall(r"`--(\w+)", TEXT):
        assert flag in EvaluateConfig.__dataclass_fields__


def test_links_lead_somewhere_and_pictures_are_small():
    check_links(PAGE)
    pictures = re.findall(r"!\[[^\]]+\]\((.*?)\)", TEXT)
    assert len(pictures) == 3
    assert all((PAGE.parent / name).stat().st_size < LARGEST_PICTURE for name in pictures)
