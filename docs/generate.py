"""Rewrite what is generated in README and pages; `--check True` only says whether it is true."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import indent

from jsonargparse import auto_cli

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PAGES = ROOT / "docs" / "models"
GUIDES = (ROOT / "docs" / "losses.md", ROOT / "docs" / "metrics.md")
sys.path.insert(0, str(ROOT / "benchmarks"))

from result_files import RESULTS, read_rows  # noqa: E402


def main(check: bool = False) -> None:
    """Bring the README and the pages of the models up to date with registry and results.

    Args:
        check: Change nothing, exit with 1 where something is out of date.
    """
    paths = (README, *sorted(PAGES.glob("*.md")), *GUIDES)
    old = {path: path.read_text("utf-8") for path in paths}
    new = {path: renewed(path, text) for path, text in old.items()}
    stale = [str(path.relative_to(ROOT)) for path in old if new[path] != old[path]]
    if check:
        sys.exit(f"out of date: {', '.join(stale)}; run `make docs`" if stale else 0)
    for path in stale:
        (ROOT / path).write_text(new[ROOT / path], "utf-8")


def renewed(path: Path, text: str) -> str:
    """Return the text of a file with all that stands between generated comments made anew."""
    for name in re.findall(r"<!-- ([a-z][^/>]*) -->", text):
        text = replace_between(text, name, content(name, path))
    return text


def content(name: str, path: Path) -> str:
    """Return what belongs between the comments `name` of a file.

    Raises:
        ValueError: Nothing is generated under this name.
    """
    if path in GUIDES:
        return guide_table(name)
    from kseg.models.table import founding_table, markdown_table, model_rows

    rows = model_rows()
    kind, _, subject = name.partition(" ")
    if kind == "diagram":
        return diagram_of(subject)
    if kind == "departures":
        return "\n".join(f"- {text}" for text in model_row(subject)["departures"])
    if kind == "family":
        return markdown_table([row for row in rows if row["family"] == path.stem])
    makers = {
        "models": lambda: markdown_table(rows),
        "founding": lambda: founding_table(rows),
        "beyond": lambda: markdown_table([row for row in rows if not row["founding_parameters"]]),
        "trained": trained_table,
        "probe": probe_table,
        "train": train_sentence,
        "optimizers": lambda: indent(optimizers_sentence(), "  "),
        "xla": lambda: indent(xla_sentence(), "  "),
    }
    if name not in makers:
        raise ValueError(f"{path.name}: nothing is generated for <!-- {name} -->")
    return makers[name]()


def guide_table(name: str) -> str:
    """Return a table of the pages about losses and metrics, or a sentence."""
    from loss_tables import loss_table, option_table, value_table
    from metric_tables import cost_sentence, metric_table

    if name == "metric cost":
        return cost_sentence()
    tables = {
        "losses": loss_table,
        "loss options": option_table,
        "loss values": value_table,
        "metrics": metric_table,
    }
    return markdown(*tables[name]())


def model_row(name: str) -> dict:
    """Return the row of one model."""
    from kseg.models.table import model_rows

    return next(row for row in model_rows() if row["name"] == name)


def diagram_of(name: str) -> str:
    """Return the diagram of a model's default graph."""
    from diagram import SIZE, diagram

    from kseg.models import get_model

    return diagram(get_model(name, 2, (SIZE, SIZE, 3)))


def trained_table() -> str:
    """Return what each model of the founding table reached on small drawings."""
    rows = [
        (
            f"`{row['model']}`",
            row["steps"],
            row["batch_size"],
            f"{float(row['foreground_iou']):.3f}",
        )
        for row in read_rows("table_on_parts.csv")
    ]
    return markdown(("model", "steps", "batch", "foreground IoU"), rows, numbers=3)


def probe_table() -> str:
    """Return what linear probes read from frozen encoders, with and without ImageNet weights."""
    rows = [
        (f"`{row['encoder']}`", row["weights"], row["cell_accuracy"], row["mean_iou"])
        for row in read_rows("encoder_probe.csv")
    ]
    return markdown(("encoder", "weights", "accuracy of cells", "mean IoU"), rows, numbers=2)


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: int) -> str:
    """Return a table in Markdown whose last columns, `numbers` of them, are aligned right."""
    lines = ["---"] * (len(header) - numbers) + ["---:"] * numbers
    bars = ["|" + "|".join(lines) + "|"]
    return "\n".join(
        [f"| {' | '.join(header)} |", *bars, *(f"| {' | '.join(row)} |" for row in rows)]
    )


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
    name = re.escape(name)
    pattern = re.compile(rf"(<!-- {name} -->\n).*?( *<!-- /{name} -->)", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"there is no <!-- {name} --> ... <!-- /{name} -->")
    return pattern.sub(lambda match: f"{match[1]}\n{content}\n\n{match[2]}", text)


if __name__ == "__main__":
    auto_cli(main)
