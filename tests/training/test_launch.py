import os
import signal
import subprocess
import sys
import time

import pytest

from kseg import launch as module
from kseg.config import LaunchConfig, UsageError, parse_config
from kseg.launch import free_port, launch
from tests.conftest import ROOT

# What the processes do; RANK is set.
SLEEP = "import os, sys, time, signal\nrank = int(os.environ['RANK'])\n"


@pytest.fixture
def script(tmp_path):
    """A function that writes a script and returns the settings to start it twice."""

    def write(code):
        file = tmp_path / "work.py"
        file.write_text(SLEEP + code)
        return LaunchConfig([str(file), "flag"], processes=2)

    return write


@pytest.fixture(autouse=True)
def no_patience(monkeypatch):
    monkeypatch.setattr(module, "_OWN_END_SECONDS", 0.5)


def test_flags_after_two_dashes_belong_to_the_command():
    flags = ["--processes", "3", "--", "train.py", "--processes", "9", "--lr", "1", "--validate"]
    config = parse_config(LaunchConfig, flags)
    assert config.processes == 3
    assert config.command == flags[3:]
    with pytest.raises(UsageError, match="required"):
        parse_config(LaunchConfig, ["--processes", "2"])
    with pytest.raises(UsageError, match="--processes must be at least 1, got 0"):
        LaunchConfig("train.py", processes=0)


def test_scripts_beside_the_launcher_and_commands_are_found(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", [str(ROOT / "examples" / "launch.py")])
    monkeypatch.chdir(tmp_path)
    found = module.command_line(["train.py", "--epochs", "1"])
    assert found == [sys.executable, str(ROOT / "examples" / "train.py"), "--epochs", "1"]
    assert module.command_line(["train"]) == [sys.executable, "-m", "kseg.cli", "train"]
    with pytest.raises(ValueError, match="nothing: there is no such script, and no such command"):
        module.command_line(["nothing"])


def test_each_process_is_told_its_place_and_the_first_one_is_shown(script, capfd):
    names = "'RANK', 'LOCAL_RANK', 'WORLD_SIZE', 'MASTER_ADDR'"
    launch(script(f"print(*[os.environ[name] for name in ({names})], sys.argv[1])"))
    assert capfd.readouterr().out == "0 0 2 127.0.0.1 flag\n"


@pytest.mark.parametrize("victim", [0, 1])
def test_when_one_is_killed_all_end_with_a_sentence_and_its_code(victim, script, capfd):
    start = time.monotonic()
    with pytest.raises(SystemExit) as ended:
        launch(script(f"rank == {victim} and os.kill(os.getpid(), signal.SIGKILL)\ntime.sleep(90)"))
    assert ended.value.code == 128 + signal.SIGKILL
    assert time.monotonic() - start < 60
    sentence = f"launch: error: process {victim} of 2 was killed by SIGKILL; all others were ended"
    assert capfd.readouterr().err.splitlines() == [sentence]


def test_what_another_process_said_before_it_failed_is_shown(script, capfd):
    with pytest.raises(SystemExit, match="3"):
        launch(script("rank and (print('no disk'), sys.exit(3))\ntime.sleep(90)"))
    shown, sentence = capfd.readouterr().err.splitlines()
    assert shown == "process 1: no disk"
    assert sentence == "launch: error: process 1 of 2 ended with exit code 3; all others were ended"


def test_a_mistake_that_all_find_is_shown_once(script, capfd):
    with pytest.raises(SystemExit, match="2"):
        launch(script("sys.stderr.write('unknown flag\\n')\nsys.exit(2)"))
    assert capfd.readouterr().err == "unknown flag\n"


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopping_the_launcher_ends_all(stop, code, script, tmp_path):
    # Deaf to the first signal: they must end all the same.
    config = script(
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        f"open({str(tmp_path)!r} + f'/pid{{os.getpid()}}', 'w').close()\ntime.sleep(90)"
    )
    command = [sys.executable, str(ROOT / "examples" / "launch.py"), "--", config.command[0]]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as launcher:
        while len(pids := [int(file.name[3:]) for file in tmp_path.glob("pid*")]) < 2:
            assert launcher.poll() is None
            time.sleep(0.02)
        launcher.send_signal(stop)
        launcher.communicate()
    assert launcher.returncode == code
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_the_port_after_a_free_one_is_free_too():
    assert 0 < free_port() < 65535
