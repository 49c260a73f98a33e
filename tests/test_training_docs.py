"""The pages on training: their commands are understood, their code runs, their links are right."""

import re
import shlex

import pytest

from kseg.config import CompareConfig, TrainConfig, parse_config
from tests.conftest import ROOT
from tests.test_docs import check_links

PAGES = {
    path.name: path.read_text("utf-8") for path in sorted((ROOT / "docs").glob("training*.md"))
}
each_page = pytest.mark.parametrize("page", PAGES)


def commands(page):
    blocks = re.findall(r"```sh\n(.*?)```", PAGES[page], re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [plain(shlex.split(line, comments=True)) for line in lines if line.strip()]


def plain(words):
    """A command without variables before it; of what is launched, that alone."""
    words = words[words.index("--") :] if "--" in words else words
    return words[1:] if re.match("[A-Z_]+=", words[0]) else words


@each_page
def test_the_commands_of_a_page_are_understood(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    for words in commands(page):
        name, flags = re.search(r"(\w+)(\.py)?$", words[1])[1], words[2:]
        if "--resume" in flags or words[0] in ("tensorboard", "pip"):
            continue
        config = {"train": TrainConfig, "compare": CompareConfig}[name]
        # What `--auto` writes is not there.
        flags = [flag for flag in flags if not flag.endswith("auto.yaml")]
        parse_config(config, [flag for flag in flags if flag != "--config" or "auto" not in page])


@each_page
def test_the_code_of_a_page_runs(page, parts_root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(parts_root)
    for code in re.findall(r"```python\n(.*?)```", PAGES[page], re.DOTALL):
        exec(compile(code, page, "exec"), {})


@each_page
def test_a_link_leads_to_a_file_and_its_heading(page):
    check_links(ROOT / "docs" / page)


@each_page
def test_flags_of_tables_are_settings(page):
    flags = re.findall(r"^\| `--(\w+)", PAGES[page], re.MULTILINE)
    assert {*flags, "seed"} <= set(TrainConfig.__dataclass_fields__)
