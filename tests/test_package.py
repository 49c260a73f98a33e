import shutil
import tarfile
import zipfile

import pytest

from tests.conftest import ROOT


@pytest.fixture
def source(tmp_path):
    """A copy to build from, so that nothing is left in the source tree."""
    ignored = shutil.ignore_patterns(".*", "weights", "build", "*.egg-info")
    shutil.copytree(ROOT / "kseg", tmp_path / "source/kseg", ignore=ignored)
    for name in ("tests", "requirements"):
        shutil.copytree(ROOT / name, tmp_path / "source" / name, ignore=ignored)
    for file in ROOT.iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path / "source")
    return tmp_path / "source"


def test_the_wheel_holds_kseg_only(source, tmp_path, run_script):
    flags = ["--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", tmp_path]
    result = run_script("-m", "pip", "wheel", source, *flags)
    assert result.returncode == 0, result.stderr
    (wheel,) = tmp_path.glob("kseg-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"kseg"}
    assert "kseg/models/unet.py" in names
    assert "kseg/py.typed" in names
    assert "kseg/inference/evaluation/templates/report.html" in names
    metadata = next(name for name in names if name.endswith("/METADATA"))
    text = zipfile.ZipFile(wheel).read(metadata).decode()
    assert "Requires-Dist: keras" in text
    assert "Requires-Dist: tensorflow" in text
    assert "License-Expression: Apache-2.0" in text


def test_the_source_archive_holds_what_the_wheel_is_built_from(source, tmp_path, run_script):
    code = f"from setuptools.build_meta import build_sdist\nbuild_sdist({str(tmp_path)!r})"
    result = run_script("-c", code, cwd=source)
    assert result.returncode == 0, result.stderr
    (archive,) = tmp_path.glob("kseg-*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert {"kseg/py.typed", "requirements/tensorflow.txt", "LICENSE"} <= names
    assert not [name for name in names if name.startswith(("tests", "weights", "data"))]
