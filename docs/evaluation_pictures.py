"""Draw the pictures of docs/evaluation.md into docs/images: the report of a trained model."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from jsonargparse import auto_cli
from PIL import Image

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))

from tests.browser import Browser  # noqa: E402

# Part of a report at the top of a picture, and the height of the picture.
_ALONE = {"evaluation_report.jpg": ("header", 640), "evaluation_worst.jpg": ("#worst-images", 740)}
_COMPARED = {"evaluation_pairs.jpg": ("#side-by-side", 960)}
_WIDTH = 1120


def main(model: str, data_root: str = "data") -> None:
    """Evaluate a model, also at the images' own size, and photograph the reports.

    Args:
        model: Run folder.
        data_root: Folder of its data set.
    """
    from kseg.config import EvaluateConfig
    from kseg.inference.evaluate import evaluate

    with tempfile.TemporaryDirectory() as folder:
        alone, compared = Path(folder) / "alone", Path(folder) / "compared"
        options = {"data_root": data_root, "auc": True}
        evaluate(EvaluateConfig(model, output=str(alone), **options))
        options |= {"fit": "pad", "compare": str(alone)}
        evaluate(EvaluateConfig(model, output=str(compared), **options))
        photograph(alone / "report.html", _ALONE)
        photograph(compared / "report.html", _COMPARED)


def photograph(page: Path, views: Mapping[str, tuple[str, int]]) -> None:
    """Write pictures of parts of a report."""
    with tempfile.TemporaryDirectory() as folder, Browser(folder, seconds=300) as browser:
        browser.open(page.resolve().as_uri())
        browser.wait("document.readyState == 'complete' && document.images.length > 0")
        for name, (part, height) in views.items():
            browser.resize(_WIDTH, height)
            browser.run(f"document.querySelector('{part}').scrollIntoView()")
            browser.screenshot(Path(folder) / "shot.png")
            with Image.open(Path(folder) / "shot.png") as picture:
                target = DOCS / "images" / name
                picture.convert("RGB").save(target, quality=85, optimize=True)


if __name__ == "__main__":
    auto_cli(main)
