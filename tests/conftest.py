"""Settings for every test, and small data sets and runs that several tests share."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Subprocesses on JAX find what earlier ones compiled.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(tempfile.gettempdir()) / "kseg-jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
if "PYTEST_XDIST_WORKER" in os.environ:
    # Each of the processes has a core; threads beyond it would only wait for each other.
    for _name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(_name, "1")

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A shell starts jobs in the background so, and the commands under test would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

import pytest  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
REAL_DATA = Path(os.environ.get("KSEG_TEST_DATA", ROOT.parent / "shared" / "data"))


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="also run the tests marked full")


def pytest_collection_modifyitems(config, items):
    """Leave out what takes too long for every day, unless `--full` asks for it."""
    left_out = [item for item in items if item.get_closest_marker("full")]
    if config.getoption("--full"):
        for item in left_out:
            item.add_marker(pytest.mark.timeout(3600))
        return
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]


@pytest.fixture(scope="session")
def parts_root(tmp_path_factory):
    """A data root with a small `parts`: 16 + 4 + 4 images of 64x64."""
    from kseg.data.parts import write_parts

    root = tmp_path_factory.mktemp("data")
    write_parts(root / "parts", size=(64, 64), train=16, val=4, test=4)
    return root


@pytest.fixture
def real_data():
    """A function from a data set's name to its folder; skips where it is missing."""

    def find(name):
        folder = REAL_DATA / name
        if not folder.is_dir():
            pytest.skip(f"the real data set {name} is not at {folder}")
        return folder

    return find


@pytest.fixture
def run_script():
    """A function that runs Python code or a script in a new process and returns the result."""

    def run(*arguments, cwd=None, **environment):
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=cwd or ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=600,
        )

    return run
