"""The registry as rows, for the terminal, JSON and the documentation."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from kseg.models.registry import list_models, model_spec, option_names, takes_encoder


def model_rows() -> list[dict[str, Any]]:
    """Return one dict per model, in alphabetical order.

    It has the fields of `ModelSpec`, "options" (their names) and "takes_encoder".
    """
    return [
        {
            **dataclasses.asdict(model_spec(name)),
            "options": [option for option in option_names(name) if option != "encoder"],
            "takes_encoder": takes_encoder(name),
        }
        for name in list_models()
    ]


def rich_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return a table of name, paper, encoder, parameters and multiply-adds for the terminal."""
    table = Table(title="Models (224x224x3, 2 classes)")
    table.add_column("name", no_wrap=True)
    table.add_column("paper")
    table.add_column("encoder")
    for column in ("parameters", "GMACs"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row["name"], _paper(row), _encoder(row), f"{row['parameters']:,}", _giga(row["macs"])
        )
    return table


def markdown_table(rows: Sequence[dict[str, Any]]) -> str:
    """Return all models as a table in Markdown."""
    lines = ["| name | paper | encoder | parameters | GMACs |", "|---|---|---|---:|---:|"]
    for row in rows:
        lines.append(
            f"| `{row['name']}` | {_link(row)} | {_encoder(row)} | {row['parameters']:,} "
            f"| {_giga(row['macs'])} |"
        )
    return "\n".join(lines)


def founding_table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the models of the founding project beside its own counts, in Markdown."""
    lines = [
        "| name | paper | parameters | its table | GMACs | why the counts differ |",
        "|---|---|---:|---:|---:|---|",
    ]
    for row in rows:
        if row["founding_parameters"] is not None:
            lines.append(
                f"| `{row['name']}` | {_link(row)} | {row['parameters']:,} "
                f"| {row['founding_parameters']:,} | {_giga(row['macs'])} "
                f"| {row['founding_reason']} |"
            )
    return "\n".join(lines)


def _paper(row: dict[str, Any]) -> str:
    arxiv = f", arXiv {row['arxiv']}" if row["arxiv"] else ""
    return f"{row['title']}, {row['year']}{arxiv}"


def _link(row: dict[str, Any]) -> str:
    title = f"{row['title']}, {row['year']}"
    return f"[{title}](https://arxiv.org/abs/{row['arxiv']})" if row["arxiv"] else title


def _encoder(row: dict[str, Any]) -> str:
    if not row["takes_encoder"]:
        return ""
    return row["default_encoder"] or "own or any"


def _giga(number: int) -> str:
    return f"{number / 1e9:.3f}"
