"""A proposal as a YAML file to edit and to train with."""

from __future__ import annotations

import textwrap
from pathlib import Path

from kseg.files import replacing
from kseg.training.propose.decision import Decision
from kseg.training.propose.proposal import Proposal
from kseg.training.propose.summary import summary_lines

_WIDTH = 98


def write_proposal(proposal: Proposal, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write the settings to a YAML file for `--config`, with the reasons as comments.

    Args:
        proposal: The settings.
        path: File to write.
        overwrite: Replace a file that is there.

    Returns:
        The path of the file.

    Raises:
        ValueError: The file is there and `overwrite` is False.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise ValueError(
            f"{path}: there is a file already, which you may have edited; give another --exp_name, "
            "or replace it with --overwrite"
        )
    head = "\n".join(_comment(line) for line in summary_lines(proposal))
    parts = [head, *(_setting(one) for one in proposal.decisions)]
    with replacing(path) as draft:
        draft.write_text("\n\n".join(parts) + "\n", "utf-8")
    return path


def _setting(one: Decision) -> str:
    return f"{_comment(one.reason)}\n{one.name}: {one.text}"


def _comment(text: str) -> str:
    """Return a comment that ends where it should, whatever names are in it."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return textwrap.fill(plain, _WIDTH, initial_indent="# ", subsequent_indent="# ")
