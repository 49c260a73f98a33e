"""A file that no longer fits on the disk is an error, never a part of a file.

A limit for the size of files stands for the disk: the system writes what fits, then refuses.
"""

import errno
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from kseg.cli import main
from kseg.data.io import read_image, write_image
from kseg.export.placing import draft_folder
from kseg.inference.video import film_writer
from tests.inference.bright import half_bright, save_bright, save_picture

LIMIT = 16384

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")


@pytest.fixture
def small_disk():
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def noise(*size):
    return np.random.default_rng(0).integers(0, 256, (*size, 3), "uint8")


def write_film(path, size):
    with film_writer(path, 10, size) as writer:
        for _ in range(100):
            writer.write(noise(*size))


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_an_image_that_does_not_fit_leaves_the_old_one(suffix, tmp_path, small_disk):
    path = tmp_path / f"image{suffix}"
    write_image(path, noise(30, 40))
    with pytest.raises(OSError, match=path.name):
        write_image(path, noise(300, 400))
    assert read_image(path, 3).shape == (30, 40, 3)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("size", [(64, 64), (65, 65)])
def test_a_film_that_does_not_fit_is_not_there(size, tmp_path, small_disk):
    path = tmp_path / ("film.avi" if size[0] % 2 else "film.mp4")
    with pytest.raises(ValueError, match="not written to its end; is the disk full"):
        write_film(path, size)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the quota of the disk is used up"),
        (errno.EROFS, "this disk can only be read"),
    ],
)
def test_predict_stops_where_no_other_file_would_fit_either(
    number, said, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    model = save_bright(tmp_path / "best.keras")
    for index in range(3):
        save_picture(tmp_path / f"in/{index}.png", half_bright(32, 32))

    def refuse(*_):
        raise OSError(number, "refused", "out/x.png")

    monkeypatch.setattr("kseg.inference.outputs.pictures.write_mask", refuse)
    with pytest.raises(SystemExit, match="2"):
        main(["predict", "--model", str(model), "--input", "in", "--output", "out"])
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"kseg predict: error: out/x.png: {said}"


@pytest.mark.parametrize(("free", "kind"), [(0, OSError), (2**30, RuntimeError)])
def test_what_a_library_says_of_a_full_disk_is_told_in_words(free, kind, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    with pytest.raises(kind) as raised, draft_folder(tmp_path / "out" / "model.xml"):
        raise RuntimeError("basic_ios::clear: iostream error")
    if kind is OSError:
        assert raised.value.errno == errno.ENOSPC
        assert raised.value.filename == str(tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())
