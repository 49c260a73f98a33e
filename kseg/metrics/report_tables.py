"""A report as tables for the terminal; imported only to show one."""

import math
from dataclasses import asdict

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table


def class_table(classes, means):
    """Return a row per `ClassScores`, with `means` `{name: value}` in the caption."""
    caption = ", ".join(f"{key} {_text(value)}" for key, value in means.items())
    # As narrow as can be: a terminal of 80 columns must not cut numbers off.
    table = Table(caption=caption, box=SIMPLE_HEAD, padding=0, show_edge=False)
    rows = [asdict(row) for row in classes]
    for key in rows[0]:
        table.add_column(key, justify="left" if key == "name" else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(_text, row.values()))
    return table


def confusion_table(classes, confusion):
    """Return the matrix `(C, C)` with each row divided by its sum, a dash in empty rows."""
    table = Table("truth", caption="share of the true pixels predicted as each class")
    for row in classes:
        table.add_column(_text(row.name), justify="right")
    for row, counts in zip(classes, confusion.tolist(), strict=True):
        shares = [count / row.support if row.support else math.nan for count in counts]
        table.add_row(_text(row.name), *map(_text, shares))
    return table


def _text(value):
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.4f}"
    return escape(str(value))
