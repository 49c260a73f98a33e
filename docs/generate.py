"""Rewrite what is generated in README and pages; `--check True` only says whether it is true."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path

from jsonargparse import auto_cli

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path[:0] = [str(DOCS), str(ROOT), str(ROOT / "benchmarks")]

from page_parts import replace_between  # noqa: E402

# Pages, and the module that has their `TABLES`.
GUIDES = {
    ROOT / "README.md": "readme_tables",
    DOCS / "augmentation.md": "augmentation_tables",
    DOCS / "benchmarks.md": "benchmark_tables",
    DOCS / "data.md": "data_tables",
    DOCS / "deployment.md": "deployment_tables",
    DOCS / "losses.md": "loss_tables",
    DOCS / "metrics.md": "metric_tables",
    DOCS / "training.md": "benchmark_tables",
    **dict.fromkeys(sorted((DOCS / "models").glob("*.md")), "model_tables"),
}


def main(check: bool = False) -> None:
    """Bring the README and the pages up to date with registries and results.

    Args:
        check: Change nothing, exit with 1 where something is out of date.
    """
    old = {path: path.read_text("utf-8") for path in GUIDES}
    new = {path: renewed(path, text) for path, text in old.items()}
    stale = [path for path in old if new[path] != old[path]]
    if check:
        names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
        sys.exit(f"out of date: {names}; run `make docs`" if stale else 0)
    for path in stale:
        path.write_text(new[path], "utf-8")


def renewed(path: Path, text: str) -> str:
    """Return the text of a page with all that stands between generated comments made anew."""
    for name in re.findall(r"<!-- ([a-z][^/>]*) -->", text):
        text = replace_between(text, name, content(name, path))
    return text


def content(name: str, path: Path) -> str:
    """Return what belongs between the comments `name` of a page.

    Args:
        name: A key of the page's `TABLES`, and for some, after a space, what it is about.
        path: The page.

    Raises:
        ValueError: Nothing is generated under this name.
    """
    tables = import_module(GUIDES[path]).TABLES
    kind, _, subject = name.partition(" ")
    if kind not in tables:
        raise ValueError(f"{path.name}: nothing is generated for <!-- {name} -->")
    return tables[kind](subject) if subject else tables[kind]()


if __name__ == "__main__":
    auto_cli(main)
