"""The tables, lists and diagrams of docs/models."""

from __future__ import annotations

from diagram import SIZE, diagram
from page_parts import markdown
from result_files import read_rows

from kseg.models import get_model
from kseg.models.table import founding_table, markdown_table, model_rows


def models_table() -> str:
    """Return the table of all models."""
    return markdown_table(model_rows())


def founding() -> str:
    """Return the founding table with our counts beside its own."""
    return founding_table(model_rows())


def beyond_table() -> str:
    """Return the table of the models that are not in the founding table."""
    return markdown_table([row for row in model_rows() if not row["founding_parameters"]])


def family_table(family: str) -> str:
    """Return the table of the models of one family."""
    return markdown_table([row for row in model_rows() if row["family"] == family])


def departures(name: str) -> str:
    """Return where a model differs from its paper, as a list."""
    row = next(row for row in model_rows() if row["name"] == name)
    return "\n".join(f"- {text}" for text in row["departures"])


def diagram_of(name: str) -> str:
    """Return the diagram of a model's default graph."""
    return diagram(get_model(name, 2, (SIZE, SIZE, 3)))


def trained_table() -> str:
    """Return what each model of the founding table reached on small drawings."""
    rows = [
        (
            f"`{row['model']}`",
            f"`{row['model_options']}`" if row["model_options"] else "",
            row["steps"],
            row["batch_size"],
            f"{float(row['foreground_iou']):.3f}",
        )
        for row in read_rows("table_on_parts.csv")
    ]
    header = ("model", "other options", "steps", "batch", "foreground IoU")
    return markdown(header, rows, numbers=3)


def probe_table() -> str:
    """Return what linear probes read from frozen encoders, with and without ImageNet weights."""
    rows = [
        (f"`{row['encoder']}`", row["weights"], row["cell_accuracy"], row["mean_iou"])
        for row in read_rows("encoder_probe.csv")
    ]
    return markdown(("encoder", "weights", "accuracy of cells", "mean IoU"), rows, numbers=2)


TABLES = {
    "models": models_table,
    "founding": founding,
    "beyond": beyond_table,
    "family": family_table,
    "departures": departures,
    "diagram": diagram_of,
    "trained": trained_table,
    "probe": probe_table,
}
