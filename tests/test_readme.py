"""The code blocks of the README run, and its tables are true."""

import os
import re
import shlex
import subprocess
import sys

import pytest

from tests.conftest import ROOT

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
    command = "examples/train.py --epochs 1 --input_height 32 --input_width 32 --exp_name exp1"
    run(folder, [sys.executable, *shlex.split(command)])
    return folder


def run(folder, command):
    result = subprocess.run(
        command, cwd=folder, env=os.environ, capture_output=True, text=True, timeout=600
    )
    assert result.returncode == 0, f"{command}: {result.stderr}"


def shell_lines():
    text = "".join(body for language, body in BLOCKS if language == "sh")
    lines = [line.split("#")[0].strip() for line in text.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line and not line.startswith(NOT_RUN)]


@pytest.mark.parametrize("line", shell_lines())
def test_a_command_of_the_readme_works(line, folder):
    words = shlex.split(line)
    if words[1:2] == ["examples/train.py"] or words[:2] == ["kseg", "train"]:
        # Small enough for a test; the flags under test stay.
        words += ["--epochs=1", "--input_height=32", "--input_width=32", "--overwrite"]
        if "--resume" in words:
            words.remove("--overwrite")
    if "camvid" in line:
        pytest.skip("needs the CamVid images")
    start = [sys.executable] if words[0] == "python" else [sys.executable, "-m", "kseg.cli"]
    run(folder, [*start, *words[1:]])


@pytest.mark.parametrize("code", [body for language, body in BLOCKS if language == "python"])
def test_a_python_block_of_the_readme_runs(code, folder):
    run(folder, [sys.executable, "-c", code])


def test_the_generated_tables_are_up_to_date(run_script):
    result = run_script(ROOT / "docs/generate.py", "--check", "True")
    assert result.returncode == 0, result.stderr


def test_every_link_to_a_file_leads_somewhere():
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []
