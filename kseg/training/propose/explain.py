"""A proposal as a table in the terminal."""

from __future__ import annotations

import shlex
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kseg.training.propose.proposal import Proposal
from kseg.training.propose.summary import summary_lines


def explain(
    proposal: Proposal, path: str | Path | None = None, console: Console | None = None
) -> None:
    """Print the settings with their reasons, and the command that starts the training.

    Args:
        proposal: The settings.
        path: File that they were written to.
        console: Where to print.
    """
    console = console or Console()
    for line in summary_lines(proposal):
        console.print(Text(line))
    table = Table()
    for title in ("setting", "value", "reason"):
        table.add_column(title, overflow="fold", no_wrap=title == "setting")
    for one in proposal.decisions:
        # Text, not strings: brackets in names are no markup.
        table.add_row(Text(one.name), Text(one.text), Text(one.reason))
    console.print(table)
    if path is not None:
        command = f"kseg {proposal.config_class.command} --config {shlex.quote(str(path))}"
        console.print(Text(f"edit {path} as you like, then start: {command}"), soft_wrap=True)
