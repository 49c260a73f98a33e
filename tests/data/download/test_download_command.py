"""The command that fetches a data set."""

import os
import re
import signal
import struct
import subprocess
import sys
import time

import numpy as np
import pytest

from kseg.cli import run
from kseg.data import open_dataset
from tests.conftest import ROOT
from tests.data.download.archives import Entry, make_zip
from tests.data.download.data_sets import folders, sizes


def tool(*arguments, cwd, stderr=subprocess.PIPE):
    environment = {**os.environ, "KSEG_TRACEBACK": "", "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, str(ROOT / "tools" / "download_data.py"), *arguments],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )


def test_the_command_fetches_and_tells_how_to_train(server, tmp_path, capsys):
    server.files["/mine.zip"] = make_zip(folders())
    arguments = ["mine", "--url", f"{server.url}/mine.zip", "--data_root", str(tmp_path)]
    run("download_data", [*arguments, "--dry_run"])
    assert "none published" in capsys.readouterr().out
    assert server.log == []
    run("download_data", arguments)
    assert "python examples/train.py --dataset_name mine" in capsys.readouterr().out
    assert sizes(open_dataset("mine", tmp_path)) == [3, 2, 2]
    with pytest.raises(SystemExit, match="2"):
        run("download_data", arguments)
    error = capsys.readouterr().err
    assert re.fullmatch(r".*error: .*mine is there already; .*\n", error)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["../mine"], "folder name without slashes"),
        ([".downloads"], "must not begin with a dot"),
        (["mine", "--max_gb", "0"], "max_gb must be more than 0"),
        ([], "dataset_name"),
    ],
)
def test_bad_flags_end_in_one_line(flags, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        run("download_data", flags)
    assert message in capsys.readouterr().err


def test_an_interrupted_command_goes_on_where_it_was(server, tmp_path):
    content = make_zip([*folders(), Entry("mine/noise.bin", np.random.default_rng(0).bytes(10**6))])
    server.files["/mine.zip"] = content
    # Slower than the test, however busy the machine is.
    server.pace = 2.0
    arguments = ["mine", "--url", f"{server.url}/mine.zip", "--data_root", str(tmp_path)]
    process = tool(*arguments, cwd=tmp_path)
    deadline = time.monotonic() + 120
    while not any(part.stat().st_size for part in tmp_path.glob(".downloads/*.part")):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "run the command again to go on" in out
    kept = next(tmp_path.glob(".downloads/*.part")).stat().st_size
    assert 0 < kept < len(content)
    server.pace = 0
    server.log.clear()
    run("download_data", arguments)
    assert server.log == [("/mine.zip", f"bytes={kept}-", 206)]
    assert (tmp_path / "mine" / "noise.bin").stat().st_size == 10**6


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
def test_a_bar_shows_the_progress_where_somebody_watches(server, tmp_path):
    import fcntl
    import pty
    import termios

    server.files["/mine.zip"] = make_zip(folders())
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    arguments = ["mine", "--url", f"{server.url}/mine.zip", "--data_root", str(tmp_path)]
    process = tool(*arguments, cwd=tmp_path, stderr=theirs)
    out, _ = process.communicate(timeout=120)
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert process.returncode == 0, shown
    assert re.search(r"mine-\w+-mine\.zip: +0%\|.*B/s", shown)
    assert "%|" not in out


def test_fetching_imports_no_keras(run_script, tmp_path):
    code = """
import sys
from kseg.cli import run
run("download_data", ["camvid", "--dry_run"])
print([name for name in ("keras", "tensorflow", "jax", "torch") if name in sys.modules])
"""
    result = run_script("-c", code, cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert result.stdout.splitlines()[-1] == "[]", result.stderr
    assert list(tmp_path.iterdir()) == []
