"""TensorBoard itself shows a run."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from tests.browser import CHROMIUM
from tests.training import tensorboard_runs

# Fixtures.
model, data = tensorboard_runs.model, tensorboard_runs.data
fitted = tensorboard_runs.fitted


@pytest.fixture
def server(fitted, tmp_path):
    """The address of a TensorBoard that shows a small log."""
    command = [
        "tensorboard.main",
        "--logdir",
        fitted[0],
        "--host",
        "127.0.0.1",
        "--port",
        "0",
    ]
    with (tmp_path / "server.txt").open("w+") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *map(str, command)], stdout=output, stderr=output
        )
        try:
            yield wait_for(lambda: address_in(Path(output.name), process))
        finally:
            process.terminate()
            process.wait(30)


def address_in(file, process):
    text = file.read_text("utf-8")
    assert process.poll() is None, text
    found = re.search(r"http://127\.0\.0\.1:\d+/", text)
    return found and found[0]


def wait_for(look):
    """Return what `look` finds, as soon as it finds something."""
    end = time.monotonic() + 120
    while not (found := look()):
        assert time.monotonic() < end, "TensorBoard did not get so far in two minutes"
        time.sleep(0.2)
    return found


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_the_page_of_tensorboard_lists_scalars_and_images(server, tmp_path):
    read = build_opener(ProxyHandler({})).open
    # The page shows what the server has read by then; of a run, it may have read the first tags.
    for part, last in (("scalars", b"class_iou/road"), ("images", b"image_truth_prediction")):
        wait_for(
            lambda part=part, last=last: last in read(f"{server}data/plugin/{part}/tags").read()
        )
    expected = {"loss", "learning_rate", "images_per_second", "class_iou", "/road"}
    expected |= {"confusion", "image_truth_prediction", "train", "validation"}
    # Chromium's budget of virtual time can end before a busy machine has drawn all cards.
    for attempt in range(3):
        shown = texts_of(f"{server}#timeseries", tmp_path / f"profile_{attempt}")
        if expected <= shown:
            break
    assert expected <= shown


def texts_of(address, profile):
    """The words that stand alone in an element of the page, as Chromium has built it."""
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
        "--disable-background-networking --disable-component-update --disable-dev-shm-usage "
        "--virtual-time-budget=20000 --window-size=1600,4000 --dump-dom"
    )
    profile.mkdir()
    page = subprocess.run(
        [CHROMIUM, *flags.split(), f"--user-data-dir={profile}", address],
        env={**os.environ, "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=90,
    ).stdout
    return set(re.findall(r">\s*([\w/]+)\s*<", page))
