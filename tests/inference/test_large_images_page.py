"""The page on large images: its commands and code run, its figures are those of the benchmark."""

import re
import shlex

import keras
import numpy as np
import tifffile
from result_files import read_rows

from kseg.config import PredictConfig, parse_config
from kseg.data.io import read_mask
from kseg.inference import ModelInfo, save_model
from kseg.runs import RunFolder
from tests.conftest import ROOT
from tests.test_docs import check_links

PAGE = ROOT / "docs" / "large_images.md"
TEXT = PAGE.read_text("utf-8")


def test_the_command_is_understood():
    (command,) = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    words = shlex.split(command)
    assert (ROOT / words[1]).is_file()
    assert parse_config(PredictConfig, words[2:]).tile == 512


def test_the_code_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, keras.layers.Conv2D(2, 1)(inputs))
    info = ModelInfo("unet", ("background", "object"), None, 32, 32, 1, "divide")
    save_model(model, RunFolder(tmp_path / "weights/exp1/unet").best, info)
    tifffile.imwrite("survey.tif", np.zeros((600, 700, 3), "uint8"))
    for code in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        exec(compile(code, PAGE.name, "exec"), {})
    assert read_mask(tmp_path / "survey_labels.tif").shape == (600, 700)


def test_the_table_is_that_of_the_benchmark():
    for row in read_rows("huge_image.csv"):
        what = f"`{row['file']}`, {int(row['file_mb']):,} MB, {row['network']}"
        figures = f"{row['added_mb']} MB | {row['peak_mb']} MB"
        assert f"| {what} | {figures} |" in TEXT


def test_links_lead_to_files_and_headings():
    check_links(PAGE)
