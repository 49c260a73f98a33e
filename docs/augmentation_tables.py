"""The tables of docs/augmentation.md."""

from __future__ import annotations

from page_parts import markdown
from result_files import read_rows

from kseg.data.augment import PRESETS
from kseg.data.augment.augmentor import COLOURING, MOVING
from kseg.data.augment.fields import parameters
from kseg.data.augment.operation import Displacement, Mix, Move, Operation
from kseg.data.augment.read import OPERATIONS

SPEED = "augmentation.csv"


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
    return markdown(("operation", "kind", "what it does", "parameters"), rows)


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
    return markdown(("name", "operations with their probability (and parameters)", "border"), rows)


def speed_table() -> str:
    """Return the milliseconds of each preset, from the benchmark's result."""
    rows = [
        (f"`{row['name']}`", row["uint8_ms"], row["uint8_ms_p95"], row["float32_ms"])
        for row in read_rows(SPEED)
        if row["kind"] == "preset"
    ]
    return markdown(("name", "uint8", "uint8, 95th percentile", "float32"), rows)


def augmentor_list() -> str:
    """Return the names of Augmentor's operations that are offered."""
    kinds = {"They move pixels": MOVING, "They change values only": COLOURING}
    return "\n".join(f"- {text}: {', '.join(f'`{n}`' for n in ns)}" for text, ns in kinds.items())


TABLES = {
    "operations": operations_table,
    "presets": presets_table,
    "speed": speed_table,
    "augmentor": augmentor_list,
}
