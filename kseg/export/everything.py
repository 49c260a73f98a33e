"""`kseg export_all`: a model in every format that can be made, and a table that compares them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

from rich.console import Console

from kseg.config import (
    ExportAllConfig,
    ExportConfig,
    LitertConfig,
    NcnnConfig,
    OnnxConfig,
    OpenvinoConfig,
    PbConfig,
    SavedModelConfig,
    TensorrtConfig,
)
from kseg.export.formats import FORMATS
from kseg.export.parity import ParityError
from kseg.export.run import export_source, precision_mark, usual_name
from kseg.export.source import Source, load_source
from kseg.export.summary import Entry, print_summary, write_summary

PRECISIONS: tuple[tuple[type[ExportConfig], tuple[str, ...]], ...] = (
    (OnnxConfig, ("float32", "float16", "int8")),
    (OpenvinoConfig, ("float32", "float16", "int8")),
    (LitertConfig, ("float32", "float16", "dynamic", "int8")),
    (PbConfig, ("float32",)),
    (SavedModelConfig, ("float32",)),
    (NcnnConfig, ("float32", "float16")),
    (TensorrtConfig, ("float32",)),
)


def export_all(config: ExportAllConfig) -> list[Entry]:
    """Write every format, print the table and write it as JSON.

    Raises:
        ValueError: There is no such model or format, or at the end, if an export was made that
            answers otherwise than the original.
    """
    plans = list(plans_of(config))
    source = load_source(config)
    folder = Path(config.output_path) if config.output_path else source.folder
    console = Console()
    entries = []
    for plan in plans:
        with console.status(f"{name_of(plan)} ..."):
            target = folder / usual_name(source, plan)
            entries.append(_made(source, replace(plan, output_path=str(target))))
    print_summary(console, source, entries)
    write_summary(Path(config.json or folder / f"{source.name}.json"), source, entries)
    failed = [entry.format for entry in entries if entry.failed]
    if failed:
        raise ValueError(f"{', '.join(failed)} could not be exported as it should; see the table")
    return entries


def plans_of(config: ExportAllConfig) -> Iterator[ExportConfig]:
    """Give the settings of each export.

    Raises:
        ValueError: `formats` has an unknown name.
    """
    wanted = config.format_names
    all_plans = [_plan(config, kind, one) for kind, some in PRECISIONS for one in some]
    known = {*FORMATS, *map(name_of, all_plans)}
    for name in wanted or ():
        if name not in known:
            raise ValueError(f"--formats: {name!r} is none of {', '.join(sorted(known))}")
    for plan in all_plans:
        if wanted is None or plan.format in wanted or name_of(plan) in wanted:
            yield plan


def _plan(config: ExportAllConfig, kind: type[ExportConfig], precision: str) -> ExportConfig:
    names = [one.name for one in fields(kind)]
    values = {name: getattr(config, name) for name in names if hasattr(config, name)}
    for name in ("dynamic_batch", "dynamic_size"):
        values[name] = values[name] and name in kind.can_be_dynamic
    values.update(kind.fixed)
    if "precision" in names:
        values["precision"] = precision
    return kind(**values)


def name_of(config: ExportConfig) -> str:
    """Return what an export is called in the table: "litert", "litert_int8", ..."""
    return f"{config.format}{precision_mark(config)}"


def _made(source: Source, config: ExportConfig) -> Entry:
    """Write one format; whatever goes wrong with it becomes the reason."""
    name = name_of(config)
    missing = FORMATS[config.format].missing(getattr(config, "precision", "float32"))
    if missing:
        return Entry(name, reason=f"pip install {' '.join(missing)}")
    try:
        return Entry(name, export_source(source, config))
    except ParityError as error:
        return Entry(name, reason=str(error), failed=True)
    except (ValueError, OSError) as error:
        return Entry(name, reason=" ".join(str(error).split()))
    except Exception as error:  # converters raise whatever they like
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        return Entry(name, reason=reason, failed=True)
