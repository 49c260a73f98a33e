"""The page on data is complete, its commands and its code run, and its tables are true."""

import os
import re
import shlex
import shutil
import sys

import pytest
import yaml

from kseg import cli
from kseg.data import list_datasets
from kseg.data.checks import KINDS
from kseg.data.class_table import parse_class_table, parse_csv
from kseg.data.class_weighting import METHODS
from kseg.data.description import KEYS, read_description
from kseg.data.io import IMAGE_SUFFIXES
from kseg.data.lists import read_list
from tests.conftest import ROOT
from tests.first_batches import SMALL, read_first_batches
from tests.layouts import write_layouts
from tests.test_docs import check_links

PAGE = ROOT / "docs" / "data.md"
TEXT = PAGE.read_text("utf-8")
LARGEST_PICTURE = 300_000


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A place with a data set in every layout of the page."""
    folder = tmp_path_factory.mktemp("page")
    write_layouts(folder / "data")
    return folder


@pytest.fixture
def in_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


def commands(block):
    return [shlex.split(line) for line in block.replace("\\\n", " ").splitlines()]


@pytest.mark.parametrize("block", blocks("sh"))
def test_the_commands_of_a_block_work(block, in_folder):
    for words in commands(block):
        run(words, read_first_batches)


@pytest.mark.full
@pytest.mark.parametrize("block", [block for block in blocks("sh") if "train.py" in block])
def test_the_trainings_of_a_block_work(block, tmp_path, monkeypatch):
    write_layouts(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    for words in commands(block):
        run(words, train)


def run(words, training):
    if words[0] == "mv":
        shutil.move(*words[1:])
        return
    assert words[0] == "python"
    script = ROOT / words[1]
    assert script.is_file()
    if script.name == "train.py":
        training(words[2:])
    elif script.name == "download_data.py" and "--dry_run" not in words:
        pytest.skip("needs the network, for many megabytes")
    else:
        cli.run(script.stem, words[2:])


def train(flags):
    if "imagenet" in flags:
        flags = [flag for flag in flags if flag not in ("--encoder_weights", "imagenet")]
    cli.run("train", [*flags, *SMALL])


@pytest.mark.parametrize("code", blocks("python"))
def test_a_python_block_runs(code, folder, run_script):
    path = os.pathsep.join([str(ROOT), *sys.path])
    result = run_script("-c", code, cwd=folder, PYTHONPATH=path)
    assert result.returncode == 0, result.stderr


def test_the_examples_of_files_are_understood(tmp_path):
    (description,) = blocks("yaml")
    (tmp_path / "dataset.yaml").write_text(description, "utf-8")
    assert set(yaml.safe_load(description)) == set(KEYS)
    assert read_description(tmp_path / "dataset.yaml")["class_names"] == ("background", "crack")
    colours, pairs = blocks("csv")
    assert parse_class_table(colours, "page", parse_csv).class_names == ("ground", "road")
    write_layouts(tmp_path / "data", "scratches")
    path = tmp_path / "data" / "scratches" / "page.csv"
    path.write_text(pairs, "utf-8")
    assert len(read_list(path, path.parent)) == 2


def test_the_readme_counts_the_faults_right():
    assert f"{len(KINDS)} kinds of faults" in (ROOT / "README.md").read_text("utf-8")


def test_every_data_set_mode_and_format_is_named():
    from kseg.layers.preprocess import IMAGE_INITS

    for name in (*list_datasets(), *METHODS, *IMAGE_INITS, *IMAGE_SUFFIXES):
        assert f"`{name}`" in TEXT


def test_links_lead_to_files_and_headings():
    check_links(PAGE)


def test_the_pictures_are_small():
    pictures = re.findall(r"!\[[^\]]+\]\((.*?)\)", TEXT)
    assert len(pictures) == 5
    assert all((PAGE.parent / name).stat().st_size < LARGEST_PICTURE for name in pictures)
