"""Keep the figures of a finished run: results/runs/NAME.json and NAME.csv."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import yaml
from jsonargparse import auto_cli

RESULTS = Path(__file__).parent / "results" / "runs"
_KEPT = ("dataset_name", "model_name", "model_options", "input_height", "input_width", "epochs")
_MACHINE = ("backend", "devices", "packages", "git_revision")


def main(run: str, name: str, picture: str | None = None) -> None:
    """Copy scores, settings and the numbers of each epoch from a run folder.

    Args:
        run: Run folder.
        name: Name of the result.
        picture: Where to put the contact sheet as JPEG, if anywhere.
    """
    folder = Path(run)
    report = json.loads((folder / "evaluation" / "report.json").read_text())
    config = yaml.safe_load((folder / "config.yaml").read_text())
    environment = json.loads((folder / "environment.json").read_text())
    record = {
        "means": report["means"],
        "iou": {row["name"]: row["iou"] for row in report["classes"]},
        "settings": {key: config[key] for key in _KEPT},
        "environment": {key: environment[key] for key in _MACHINE},
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=2) + "\n")
    shutil.copyfile(folder / "metrics.csv", RESULTS / f"{name}.csv")
    if picture:
        from PIL import Image

        Path(picture).parent.mkdir(parents=True, exist_ok=True)
        sheet = Image.open(folder / "evaluation" / "contact_sheet.png").convert("RGB")
        # The first rows say enough.
        sheet.crop((0, 0, sheet.width, round(sheet.height * 0.507))).save(picture, quality=85)


if __name__ == "__main__":
    auto_cli(main)
