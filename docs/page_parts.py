"""Markdown tables, and the parts of a page that are generated."""

from __future__ import annotations

import re
from collections.abc import Sequence


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: int = 0) -> str:
    """Return a table in Markdown whose last columns, `numbers` of them, are aligned right."""
    lines = ["---"] * (len(header) - numbers) + ["---:"] * numbers
    bars = ["|" + "|".join(lines) + "|"]
    return "\n".join(
        [f"| {' | '.join(header)} |", *bars, *(f"| {' | '.join(row)} |" for row in rows)]
    )


def replace_between(text: str, name: str, content: str) -> str:
    """Replace what stands between the comments `<!-- NAME -->` and `<!-- /NAME -->`."""
    name = re.escape(name)
    pattern = re.compile(rf"(<!-- {name} -->\n).*?( *<!-- /{name} -->)", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"there is no <!-- {name} --> ... <!-- /{name} -->")
    return pattern.sub(lambda match: f"{match[1]}\n{content}\n\n{match[2]}", text)
