"""Export to a SavedModel, for TensorFlow Serving and all else that reads such folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kseg.config import SavedModelConfig
from kseg.export.about import about
from kseg.export.artifact import Artifact
from kseg.export.encoded import encoded_function, takes_files
from kseg.export.graph import ExportGraph, make_graph
from kseg.export.source import Source
from kseg.export.trace import traced
from kseg.inference.engines.savedmodel import SIGNATURE
from kseg.inference.sidecar import Sidecar
from kseg.quiet import quiet_stderr

# TensorFlow leaves folders of this name to others.
ABOUT_FILE = Path("assets.extra") / "kseg.json"


def convert(source: Source, config: SavedModelConfig, path: Path) -> Artifact:
    """Write a SavedModel folder; weights stay variables."""
    graph = make_graph(source, config)
    signatures = _signatures(graph, config)
    _save(graph, signatures, path)
    sidecar = graph.sidecar("savedmodel")
    describe(path, sidecar)
    facts = {"signatures": ", ".join(signatures)}
    if not takes_files(graph):
        facts["encoded"] = f"left out: JPEG and PNG files have no {source.channels} channels"
    return Artifact(path, sidecar, facts)


def _signatures(graph: ExportGraph, config: SavedModelConfig) -> dict[str, Any]:
    scores = traced(graph).concrete
    if not takes_files(graph):
        return {SIGNATURE: scores}
    return {SIGNATURE: scores, "encoded": encoded_function(graph, scores, config)}


def _save(graph: ExportGraph, signatures: dict[str, Any], path: Path) -> None:
    import tensorflow as tf

    module = tf.Module()
    module.weights = [variable.value for variable in graph.model.variables]
    # It writes lines about names that nobody asked for.
    with quiet_stderr():
        tf.saved_model.save(module, str(path), signatures=signatures)


def describe(folder: Path, sidecar: Sidecar) -> None:
    """Write into the folder what the classes mean and how images are prepared."""
    file = folder / ABOUT_FILE
    file.parent.mkdir()
    file.write_text(json.dumps(about(sidecar), indent=2) + "\n", "utf-8")
