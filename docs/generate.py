"""Rewrite the generated tables of the README; `--check True` only says whether they are true."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from jsonargparse import auto_cli

README = Path(__file__).resolve().parents[1] / "README.md"


def main(check: bool = False) -> None:
    """Bring the README up to date with the registry.

    Args:
        check: Change nothing, exit with 1 where something is out of date.
    """
    from kseg.models.table import markdown_table, model_rows

    old = README.read_text("utf-8")
    new = replace_between(old, "models", markdown_table(model_rows()))
    if check:
        sys.exit(0 if new == old else "README.md is out of date: run `make docs`")
    README.write_text(new, "utf-8")


def replace_between(text: str, name: str, content: str) -> str:
    """Replace what stands between the comments `<!-- NAME -->` and `<!-- /NAME -->`."""
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"README.md has no <!-- {name} --> ... <!-- /{name} -->")
    return pattern.sub(lambda match: f"{match[1]}\n{content}\n\n{match[2]}", text)


if __name__ == "__main__":
    auto_cli(main)
