"""Draw the pictures of docs/evaluation.md into docs/images: the report of a trained model."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from jsonargparse import auto_cli
from PIL import Image

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))

from tests.browser import Browser  # noqa: E402

# Part of the report at the top of a picture, and the height of the picture.
_VIEWS = {
    "evaluation_report.jpg": ("header", 800),
    "evaluation_worst.jpg": ("#worst-images", 740),
}
_WIDTH = 1120


def main(model: str, data_root: str = "data") -> None:
    """Evaluate a model and photograph its report.

    Args:
        model: Run folder.
        data_root: Folder of its data set.
    """
    from kseg.config import EvaluateConfig
    from kseg.inference.evaluate import evaluate

    with tempfile.TemporaryDirectory() as folder:
        evaluate(EvaluateConfig(model, data_root=data_root, output=folder, auc=True))
        photograph(Path(folder) / "report.html")


def photograph(page: Path) -> None:
    """Write the pictures of a report."""
    with tempfile.TemporaryDirectory() as folder, Browser(folder, seconds=300) as browser:
        browser.open(page.resolve().as_uri())
        browser.wait("document.readyState == 'complete' && document.images.length > 0")
        for name, (part, height) in _VIEWS.items():
            browser.resize(_WIDTH, height)
            browser.run(f"document.querySelector('{part}').scrollIntoView()")
            browser.screenshot(Path(folder) / "shot.png")
            with Image.open(Path(folder) / "shot.png") as picture:
                target = DOCS / "images" / name
                picture.convert("RGB").save(target, quality=85, optimize=True)


if __name__ == "__main__":
    auto_cli(main)
