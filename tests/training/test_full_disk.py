"""A disk without room ends a run with one sentence, and harms no file."""

import os
import subprocess
import sys

import pytest

from kseg.inference.model_file import copy_model, read_info
from kseg.training import train
from tests.conftest import ROOT
from tests.training.cases import settings

# A limit on the size of files stands for the disk: writing fails in the middle.
LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
from kseg.cli import main
main(sys.argv[2:])
"""


def test_checkpoints_are_flushed_through_a_file_that_is_open_for_writing(tmp_path, monkeypatch):
    # As on Windows, where flushing another one is an error.
    flushed = []

    def flush(descriptor):
        os.write(descriptor, b"")
        flushed.append(descriptor)

    monkeypatch.setattr(os, "fsync", flush)
    (tmp_path / "a.keras").write_bytes(b"model")
    copy_model(tmp_path / "a.keras", tmp_path / "b.keras")
    assert (tmp_path / "b.keras").read_bytes() == b"model"
    assert len(flushed) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
def test_the_last_good_checkpoint_outlives_a_full_disk(parts_root, tmp_path):
    run = train(settings(parts_root, tmp_path, epochs=1))
    before = run.last.read_bytes(), run.best.read_bytes()
    limit = str(run.last.stat().st_size - 2000)
    flags = ["train", f"--resume={run.path}", "--epochs=2", "--jit=off"]
    command = [sys.executable, "-c", LIMITED, limit, *flags]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert result.returncode == 2
    message = result.stderr.strip().splitlines()[-1]
    assert message.startswith("kseg train: error: ")
    assert "File too large" in message
    assert "last.keras" in message or "best.keras" in message
    assert (run.last.read_bytes(), run.best.read_bytes()) == before
    assert read_info(run.last).epochs == 1
    assert not [path for path in run.path.rglob("*") if "partial" in path.name]
