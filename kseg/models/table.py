"""The registry as rows, for the terminal, JSON and the documentation."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from kseg.models.registry import list_models, model_spec


def model_rows() -> list[dict[str, Any]]:
    """Return one dict per model with the fields of `ModelSpec`, in alphabetical order."""
    return [dataclasses.asdict(model_spec(name)) for name in list_models()]


def rich_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return a table of name, paper, parameters and multiply-adds for the terminal."""
    table = Table(title="Models (224x224x3, 2 classes)")
    table.add_column("name", no_wrap=True)
    table.add_column("paper")
    for column in ("parameters", "GMACs"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(row["name"], _paper(row), f"{row['parameters']:,}", _giga(row["macs"]))
    return table


def markdown_table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the same table in Markdown, for the README."""
    lines = ["| name | paper | parameters | GMACs |", "|---|---|---:|---:|"]
    for row in rows:
        paper = f"[{row['title']}, {row['year']}](https://arxiv.org/abs/{row['arxiv']})"
        lines.append(
            f"| `{row['name']}` | {paper} | {row['parameters']:,} | {_giga(row['macs'])} |"
        )
    return "\n".join(lines)


def _paper(row: dict[str, Any]) -> str:
    return f"{row['title']}, {row['year']}, arXiv {row['arxiv']}"


def _giga(number: int) -> str:
    return f"{number / 1e9:.3f}"
