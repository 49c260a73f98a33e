"""Rewrite the generated tables of the README; `--check True` only says whether they are true."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from textwrap import indent

from jsonargparse import auto_cli

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
sys.path.insert(0, str(ROOT / "benchmarks"))

from result_files import RESULTS, read_rows  # noqa: E402


def main(check: bool = False) -> None:
    """Bring the README up to date with the registry.

    Args:
        check: Change nothing, exit with 1 where something is out of date.
    """
    from kseg.models.table import markdown_table, model_rows

    old = new = README.read_text("utf-8")
    contents = {
        "models": markdown_table(model_rows()),
        "train": train_sentence(),
        "optimizers": indent(optimizers_sentence(), "  "),
        "xla": indent(xla_sentence(), "  "),
    }
    for name, content in contents.items():
        new = replace_between(new, name, content)
    if check:
        sys.exit(0 if new == old else "README.md is out of date: run `make docs`")
    README.write_text(new, "utf-8")


def train_sentence() -> str:
    """Say what `make train` reached."""
    record = json.loads((RESULTS / "runs" / "parts.json").read_text())
    rows = read_rows("runs/parts.csv")
    settings = record["settings"]
    minutes = sum(float(row["seconds"]) for row in rows) / 60
    return (
        f"Our run, with {settings['model_options']['filters']} filters at "
        f"{settings['input_height']}x{settings['input_width']}: foreground IoU "
        f"{record['means']['foreground_iou']:.3f} at 224x224 after {len(rows)} epochs, "
        f"{minutes:.1f} minutes of training on two CPU cores; the best single threshold on a "
        f"colour channel reaches {best_threshold():.2f}."
    )


def best_threshold() -> float:
    """Return the best IoU of one grey level for all test images, over the channels."""
    return max(float(row["iou"]) for row in read_rows("parts_threshold.csv"))


def optimizers_sentence() -> str:
    """Say what each optimizer reached in the same short run."""
    rows = read_rows("optimizers.csv")
    reached = ", ".join(
        f"`{row['optimizer']}` at {row['learning_rate']} {float(row['val_iou_score']):.2f}"
        for row in rows
    )
    return f"Mean IoU on validation images of `parts` after the same few epochs: {reached}."


def xla_sentence() -> str:
    """Say how much slower the compiled step is there."""
    (row,) = (row for row in read_rows("training_step.csv") if row["backend"] == "tensorflow")
    return (
        f"A training step of `{row['model']}` at {row['size']}x{row['size']} takes "
        f"{float(row['xla_over_plain']):.2f} times as long with it. `--jit on` turns it on."
    )


def replace_between(text: str, name: str, content: str) -> str:
    """Replace what stands between the comments `<!-- NAME -->` and `<!-- /NAME -->`."""
    pattern = re.compile(rf"(<!-- {name} -->\n).*?( *<!-- /{name} -->)", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"README.md has no <!-- {name} --> ... <!-- /{name} -->")
    return pattern.sub(lambda match: f"{match[1]}\n{content}\n\n{match[2]}", text)


if __name__ == "__main__":
    auto_cli(main)
