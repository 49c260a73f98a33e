"""The page to try a model works in a browser, and without a network."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple
from urllib.request import ProxyHandler, build_opener

import numpy as np
import pytest
from PIL import Image

from kseg.demo.offline import without_foreign_tags
from tests.browser import CHROMIUM, Browser
from tests.conftest import ROOT
from tests.inference import demo_models
from tests.inference.demo_models import NAMES, SIZE, expected, photo

# Fixtures.
models, picture = demo_models.models, demo_models.picture

# Writes down every address that the process connects to or looks up.
WATCHED = """
import sys
record = open(sys.argv.pop(1), "a", buffering=1)
def hook(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        print(arguments[1][0], file=record)
    elif event == "socket.getaddrinfo" and arguments[0]:
        print(arguments[0], file=record)
sys.addaudithook(hook)
from kseg.cli import main
main(sys.argv[1:])
"""


class Server(NamedTuple):
    address: str
    process: subprocess.Popen
    folder: Path


@pytest.fixture(scope="module")
def server(models, tmp_path_factory):
    """A page with both models."""
    pytest.importorskip("gradio")
    folder = tmp_path_factory.mktemp("server")
    command = [folder / "contacts.txt", "demo", *models, "--port", "0", "--max_megapixels", "1"]
    with (folder / "server.txt").open("w+") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", WATCHED, *map(str, command)],
            cwd=ROOT,
            stdout=output,
            stderr=output,
            # A proxy in the environment must not matter.
            env={**os.environ, "http_proxy": "http://127.0.0.1:9", "TMPDIR": str(folder)},
        )
        try:
            yield Server(address_in(Path(output.name), process), process, folder)
        finally:
            process.terminate()
            process.wait(30)


def address_in(file, process):
    end = time.monotonic() + 400
    while not (found := re.search(r"http://127\.0\.0\.1:\d+", file.read_text("utf-8"))):
        assert process.poll() is None, file.read_text("utf-8")
        assert time.monotonic() < end, "the page did not start"
        time.sleep(0.2)
    return found[0]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with Browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def shown(server, browser, picture):
    """The browser, after the photograph was dropped on the page."""
    browser.open(server.address)
    browser.wait("document.querySelector('#image input[type=file]')", "the page")
    browser.drop("#image button", picture)
    browser.wait("document.querySelector('#legend table')", "the legend")
    return browser


def test_a_dropped_photograph_is_segmented(shown):
    labels = expected(photo())
    table = shown.text("#legend")
    for name, pixels in zip(NAMES, np.bincount(labels.ravel()), strict=False):
        assert f"{name}\t{pixels:,}\t{pixels / labels.size:.2%}" in table
    assert "Not found: no <pixel>" in table
    assert "512 x 512" in shown.text("#message")
    size = "(i => i && i.naturalWidth && [i.naturalWidth, i.naturalHeight])"
    assert shown.wait(f"{size}(document.querySelector('#overlay img'))") == [SIZE, SIZE]


def test_the_mask_is_downloaded_as_labels(shown):
    shown.click("#mask")
    path = shown.downloads / "photo_label.png"
    shown.wait(path.is_file, "the download")
    mask = Image.open(path)
    assert mask.mode == "P"
    np.testing.assert_array_equal(np.asarray(mask), expected(photo()))


def test_the_page_fits_a_phone(shown):
    shown.resize(390, 844, phone=True)
    try:
        assert shown.run("document.documentElement.scrollWidth") <= 390
    finally:
        shown.resize(1280, 900)


def test_a_bad_file_gets_a_sentence_on_the_page_and_takes_the_old_picture_away(
    server, browser, tmp_path
):
    (tmp_path / "notes.png").write_text("no image")
    browser.open(server.address)
    browser.wait("document.querySelector('#image input[type=file]')", "the page")
    browser.drop("#image button", tmp_path / "notes.png")
    browser.wait("document.querySelector('#message [role=alert]')", "the message")
    assert browser.text("#message").startswith("notes.png: this is no image file")
    assert browser.text("#legend").strip() == ""
    assert not browser.run("document.querySelector('#overlay img')?.src")


def test_nobody_else_is_asked_for_anything(server, shown):
    own = (server.address, "data:", "blob:", "about:")
    assert [one for one in shown.addresses() if not one.startswith(own)] == []
    read = build_opener(ProxyHandler({})).open
    page = read(server.address).read()
    assert b"gradio" in page
    assert without_foreign_tags(page) == page
    assert json.loads(read(f"{server.address}/config").read())["analytics_enabled"] is False
    contacts = set((server.folder / "contacts.txt").read_text().split())
    assert contacts <= {"127.0.0.1", "localhost", "::1"}


def test_what_was_dropped_is_gone_when_the_page_is_closed(server, shown):
    # The last test of the page.
    dropped = "kseg-demo-*/*/photo.png"
    assert list(server.folder.glob(dropped))
    server.process.terminate()
    server.process.wait(60)
    assert not list(server.folder.glob("kseg-demo-*"))
