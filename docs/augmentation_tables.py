"""Fill in the tables of docs/augmentation.md; `--check True` only says whether they are true."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from jsonargparse import auto_cli

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "augmentation.md"
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from result_files import read_rows  # noqa: E402

from kseg.data.augment import PRESETS  # noqa: E402
from kseg.data.augment.augmentor import COLOURING, MOVING  # noqa: E402
from kseg.data.augment.fields import parameters  # noqa: E402
from kseg.data.augment.operation import Displacement, Mix, Move, Operation  # noqa: E402
from kseg.data.augment.read import OPERATIONS  # noqa: E402

SPEED = "augmentation.csv"


def main(check: bool = False) -> None:
    """Bring the tables up to date.

    Args:
        check: Change nothing, exit with 1 where they are out of date.
    """
    old = PAGE.read_text("utf-8")
    new = renewed(old)
    if check:
        sys.exit(f"{PAGE} is out of date: run {Path(__file__).name}" if new != old else 0)
    PAGE.write_text(new, "utf-8")


def renewed(text: str) -> str:
    """Return the page with all that stands between generated comments made anew."""
    for name, make in TABLES.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not pattern.search(text):
            raise ValueError(f"there is no <!-- {name} --> ... <!-- /{name} -->")
        content = make()
        text = pattern.sub(lambda match, c=content: f"{match[1]}\n{c}\n\n{match[2]}", text)
    return text


def operations_table() -> str:
    """Return what each operation does, its parameters, their defaults and ranges."""
    rows = []
    for name, kind in OPERATIONS.items():
        values = [
            f"`{one.name}={_text(one.default)}` ({one.metadata['check']})"
            for one in parameters(kind)
            if one.name != "p"
        ]
        rows.append((f"`{name}`", _kind(kind), _first_sentence(kind), "<br>".join(values)))
    return _table(("operation", "kind", "what it does", "parameters"), rows)


def _kind(kind: type[Operation]) -> str:
    if issubclass(kind, Move | Displacement):
        return "moves"
    return "mixes" if issubclass(kind, Mix) else "changes values"


def _first_sentence(kind: type[Operation]) -> str:
    return (kind.__doc__ or "").split("\n\n")[0].replace("\n    ", " ")


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def presets_table() -> str:
    """Return the operations of each preset with probabilities and parameters."""
    rows = []
    for name, recipe in PRESETS.items():
        entries = []
        for one in recipe.operations:
            values = [f"{f.name} {_text(getattr(one, f.name))}" for f in parameters(one)[1:]]
            entries.append(
                f"`{one.name}` {one.p:g}" + (f" ({', '.join(values)})" if values else "")
            )
        rows.append((f"`{name}`", "<br>".join(entries) or "nothing", recipe.border))
    return _table(("name", "operations with their probability (and parameters)", "border"), rows)


def speed_table() -> str:
    """Return the milliseconds of each preset, from the benchmark's result."""
    rows = [
        (f"`{row['name']}`", row["uint8_ms"], row["uint8_ms_p95"], row["float32_ms"])
        for row in read_rows(SPEED)
        if row["kind"] == "preset"
    ]
    return _table(("name", "uint8", "uint8, 95th percentile", "float32"), rows)


def augmentor_list() -> str:
    """Return the names of Augmentor's operations that are offered."""
    kinds = {"They move pixels": MOVING, "They change values only": COLOURING}
    return "\n".join(f"- {text}: {', '.join(f'`{n}`' for n in ns)}" for text, ns in kinds.items())


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


TABLES = {
    "operations": operations_table,
    "presets": presets_table,
    "speed": speed_table,
    "augmentor": augmentor_list,
}

if __name__ == "__main__":
    auto_cli(main)
