import zipfile

from tests.conftest import ROOT


def test_the_wheel_holds_kseg_only(tmp_path, run_script):
    import shutil

    # Built from a copy, so that nothing is left in the source tree.
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns(".*", "data", "weights", "build", "*.egg-info")
    shutil.copytree(ROOT, source, ignore=ignored)
    flags = ["--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", tmp_path]
    result = run_script("-m", "pip", "wheel", source, *flags)
    assert result.returncode == 0, result.stderr
    (wheel,) = tmp_path.glob("kseg-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"kseg"}
    assert "kseg/models/unet.py" in names
    metadata = next(name for name in names if name.endswith("/METADATA"))
    text = zipfile.ZipFile(wheel).read(metadata).decode()
    assert "Requires-Dist: keras" in text
    assert "Requires-Dist: tensorflow" in text
    assert "License-Expression: Apache-2.0" in text
