"""Write one export: convert, compare, and move into place what passed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from kseg.config.export import ExportConfig
from kseg.export.artifact import Artifact
from kseg.export.formats import converter
from kseg.export.latency import Latency, measure
from kseg.export.miou import check_drop, miou_drop
from kseg.export.parity import Parity, check_parity, compare
from kseg.export.placing import check_replaceable, draft_folder, place, size_of
from kseg.export.report import print_report
from kseg.export.source import Source, check_backend, load_source
from kseg.inference.sidecar import sidecar_path


@dataclass(frozen=True)
class Exported:
    """An export that was written.

    Attributes:
        path: Its main file or folder.
        format: Its format.
        precision: What it computes in.
        output: What it gives.
        size: Bytes of all its files but the description.
        facts: What is worth knowing about it.
        parity: How it compared, None where it could not run here.
        unchecked: Why it could not.
        latency: Its times, None where none were taken.
        original: Those of the Keras model.
    """

    path: Path
    format: str
    precision: str
    output: str
    size: int
    facts: Mapping[str, Any]
    parity: Parity | None = None
    unchecked: str = ""
    latency: Latency | None = None
    original: Latency | None = None


def export(config: ExportConfig) -> Exported:
    """Write the model in the format of the settings, and print how it compares.

    Raises:
        ValueError: There is no such model, a package is missing, the model has something that the
            format lacks, or the exported model answers otherwise than the original; nothing is
            written then.
    """
    check_backend()
    converter(config)
    source = load_source(config)
    exported = export_source(source, config)
    print_report(exported)
    return exported


def export_source(source: Source, config: ExportConfig) -> Exported:
    """Write a model that is loaded; see `export`."""
    target = target_of(source, config)
    check_replaceable(target)
    with draft_folder(target) as draft:
        artifact = converter(config)(source, config, draft / target.name)
        about = sidecar_path(artifact.main)
        size = sum(size_of(path) for path in draft.iterdir() if path != about)
        artifact.sidecar.write(artifact.main)
        exported = _checked(artifact, source, config)
        found = {} if exported.parity is None else exported.parity.as_dict()
        replace(artifact.sidecar, facts=dict(exported.facts), parity=found).write(artifact.main)
        place(draft, artifact.main, target)
    return replace(exported, path=target, size=size)


def target_of(source: Source, config: ExportConfig) -> Path:
    """Return the file or folder that an export becomes.

    Raises:
        ValueError: `output_path` has another extension, by which runtimes know the format.
    """
    if config.output_path is not None:
        if config.suffix.startswith(".") and Path(config.output_path).suffix != config.suffix:
            raise ValueError(f"--output_path {config.output_path} must end in {config.suffix}")
        return Path(config.output_path)
    return source.folder / usual_name(source, config)


def usual_name(source: Source, config: ExportConfig) -> str:
    """Return the name of an export that has been given none; no two formats share one."""
    return f"{source.name}{precision_mark(config)}{config.mark}{config.suffix}"


def precision_mark(config: ExportConfig) -> str:
    """Return what distinguishes the file names of a model's precisions; nothing in float32."""
    precision = getattr(config, "precision", "float32")
    return "" if precision == "float32" else f"_{precision.replace('float', 'fp')}"


def _checked(artifact: Artifact, source: Source, config: ExportConfig) -> Exported:
    precision = getattr(config, "precision", "float32")
    plain = Exported(artifact.main, config.format, precision, config.output, 0, artifact.facts)
    if artifact.unchecked:
        return replace(plain, unchecked=artifact.unchecked)
    engine = artifact.open(artifact.main)
    parity, images = compare(engine, source, config)
    check_parity(parity, config, source)
    if config.has_8_bits:
        drop = miou_drop(config, source, engine)
        check_drop(drop, config)
        plain = replace(plain, facts={**artifact.facts, **drop})
    if not config.repeats:
        return replace(plain, parity=parity)
    batch = np.resize(images, (config.batch_size, *images.shape[1:]))
    return replace(
        plain,
        parity=parity,
        latency=measure(engine, batch, config.repeats),
        original=measure(source.engine, batch, config.repeats),
    )
