"""The predict command and its parts, run on a model of a pixel."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kseg.cli import main
from kseg.inference.outputs import Look, make_writers
from kseg.inference.pipeline import Pipeline
from tests.inference.bright import half_bright, save_bright

PER_IMAGE = 2


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_bright(tmp_path_factory.mktemp("run") / "best.keras")


@pytest.fixture
def at(tmp_path, monkeypatch):
    """A folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(model, *flags):
    main(["predict", "--model", str(model), "--output", "out", *map(str, flags)])


def written(folder="out"):
    return sorted(p.relative_to(folder).as_posix() for p in Path(folder).rglob("*") if p.is_file())


def labels_of(path):
    return np.asarray(Image.open(path))


def share_right(path, size):
    return np.mean(labels_of(path) == half_bright(*size, 1)[..., 0] // 255)


def pipeline_of(predictor, kinds=("label",), folder="out", **options):
    look = Look(Path(folder), predictor.class_names)
    return Pipeline(predictor, look, make_writers(kinds, look), **options)
