"""Draw the picture of docs/demo.md: the page with an image on it, in headless Chromium."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from jsonargparse import auto_cli
from PIL import Image

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path.insert(0, str(ROOT))

from tests.browser import Browser  # noqa: E402

SIZE = 1180, 640


def main(run: str, image: str, output: str = str(DOCS / "images" / "demo.jpg")) -> None:
    """Open the page of a model, drop an image on it and write what is shown.

    Args:
        run: Run folder or model file.
        image: Image to drop.
        output: The picture.
    """
    command = [sys.executable, "-m", "kseg.cli", "demo", run, "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        address = next(line for line in process.stdout or () if line.startswith("http")).split()[0]
        with tempfile.TemporaryDirectory() as folder:
            screenshot = Path(folder) / "page.png"
            show(address, Path(image), screenshot)
            Image.open(screenshot).convert("RGB").save(output, quality=88)
    finally:
        process.terminate()
        process.wait()


def show(address: str, image: Path, screenshot: Path) -> None:
    """Drop an image on the page and write a picture of it as soon as the answer is there."""
    with Browser(screenshot.parent / "browser", size=SIZE) as browser:
        browser.open(address)
        browser.wait("document.querySelector('#image input[type=file]')", "the page")
        browser.drop("#image button", image)
        browser.wait("document.querySelector('#overlay img')?.naturalWidth", "the picture")
        browser.wait("!document.querySelector('.generating')", "the answer")
        browser.screenshot(screenshot)


if __name__ == "__main__":
    auto_cli(main)
