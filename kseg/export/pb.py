"""Export to a frozen TensorFlow graph, which OpenCV reads too where it has all operations."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from kseg.config import PbConfig
from kseg.export.about import about, tally
from kseg.export.artifact import Artifact
from kseg.export.graph import INPUT, make_graph
from kseg.export.opencv import opencv_answer
from kseg.export.pb_graph import plain_graph
from kseg.export.source import Source
from kseg.export.trace import frozen_graph, traced
from kseg.inference.engines import FrozenEngine
from kseg.inference.sidecar import Sidecar

# Importers take attributes of any name that begins so.
ABOUT = "_kseg_about"


def convert(source: Source, config: PbConfig, path: Path) -> Artifact:
    """Write a `.pb` file.

    A graph that OpenCV cannot run is written all the same, with what OpenCV said.
    """
    graph = make_graph(source, config)
    plain = plain_graph(frozen_graph(traced(graph)), graph.target)
    sidecar = graph.sidecar("pb")
    describe(plain, sidecar)
    path.write_bytes(plain.SerializeToString())
    sidecar.write(path)
    facts = {
        "operators": tally(node.op for node in plain.node if node.op != "Const"),
        "OpenCV": opencv_answer(path, source, config),
    }
    return Artifact(path, sidecar, facts, partial(FrozenEngine, program="TensorFlow"))


def describe(graph: Any, sidecar: Sidecar) -> None:
    """Write into the input of a `GraphDef` what its classes mean and how images are prepared."""
    (image,) = (node for node in graph.node if node.name == INPUT)
    image.attr[ABOUT].s = json.dumps(about(sidecar)).encode()
