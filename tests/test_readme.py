"""The code blocks of the README run, and its tables are true."""

import contextlib
import re
import runpy
import shlex
import sys

import pytest

from docs import generate
from docs.page_parts import replace_between
from kseg.cli import main
from tests.conftest import ROOT
from tests.first_batches import SMALL, read_first_batches

README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
# What these lines do takes minutes, serves for ever, or is tested by running this test at all.
NOT_RUN = ("make ", "pip ", "tensorboard ")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, parts_root):
    """A place like a fresh clone, with a small data set and a trained model."""
    folder = tmp_path_factory.mktemp("readme")
    for name in ("examples", "tools", "kseg"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "data").mkdir()
    for name in ("parts", "pets"):
        (folder / "data" / name).symlink_to(parts_root / "parts")
    flags = "--epochs 1 --input_height 32 --input_width 32 --exp_name exp1 --jit off"
    run(folder, ["python", "examples/train.py", *shlex.split(flags)])
    return folder


def run(folder, words):
    """Do what a shell in the folder would, in this process, which has loaded its backend."""
    with pytest.MonkeyPatch.context() as patch, contextlib.chdir(folder):
        if words[0] == "kseg":
            main(words[1:])
        else:
            patch.setattr(sys, "argv", words[1:])
            patch.setattr(sys, "path", [*sys.path])
            runpy.run_path(words[1], run_name="__main__")


def shell_lines():
    text = "".join(body for language, body in BLOCKS if language == "sh")
    lines = [line.split("#")[0].strip() for line in text.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line and not line.startswith(NOT_RUN)]


def is_training(line):
    return line.startswith("python examples/train.py ") and "--resume" not in line


TRAININGS = [line for line in shell_lines() if is_training(line) and "camvid" not in line]
each_training = pytest.mark.parametrize("line", TRAININGS)


@each_training
def test_a_training_of_the_readme_begins(line, folder, monkeypatch):
    monkeypatch.chdir(folder)
    read_first_batches(shlex.split(line)[2:])


@pytest.mark.full
@each_training
def test_a_training_of_the_readme_works(line, folder):
    run(folder, [*shlex.split(line), *SMALL])


@pytest.mark.parametrize("line", [line for line in shell_lines() if not is_training(line)])
def test_a_command_of_the_readme_works(line, folder):
    if "download_data" in line:
        pytest.skip("needs the network, for many megabytes")
    run(folder, shlex.split(line))


slow = pytest.mark.full
PYTHON = [body for language, body in BLOCKS if language == "python"]


@pytest.mark.parametrize(
    "code",
    [
        code if "Predictor" in code or len(code) < 200 else pytest.param(code, marks=slow)
        for code in PYTHON
    ],
)
def test_a_python_block_of_the_readme_runs(code, folder):
    with contextlib.chdir(folder):
        exec(compile(code, "README.md", "exec"), {})


@pytest.mark.parametrize("page", list(generate.GUIDES), ids=lambda path: path.name)
def test_the_generated_tables_are_up_to_date(page):
    text = page.read_text("utf-8")
    for name in re.findall(r"<!-- ([a-z][^/>]*) -->", text):
        # Diagrams take a whole model each.
        if not name.startswith("diagram "):
            assert replace_between(text, name, generate.content(name, page)) == text


@pytest.mark.full
def test_all_that_is_generated_is_up_to_date(run_script):
    result = run_script(ROOT / "docs/generate.py", "--check", "True")
    assert result.returncode == 0, result.stderr


def test_every_link_to_a_file_leads_somewhere():
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []
