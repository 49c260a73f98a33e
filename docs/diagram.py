"""A Mermaid diagram of a model's graph, one box for each stage of its layer names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras

SIZE = 224


def diagram(model: keras.Model) -> str:
    """Return a flow chart in Mermaid's language, for Markdown.

    Layers are called `<stage>_<part>_<kind>`; those of one stage share a box with the shape
    (height x width x channels) that leaves it.

    Args:
        model: Functional model built for a fixed size.
    """
    shapes: dict[str, tuple] = {}
    edges: dict[tuple[str, str], None] = {}
    for operation, parents in _nodes(model):
        stage = _stage(operation.name)
        shapes[stage] = _shape(operation)
        for parent in parents:
            if _stage(parent.name) != stage:
                edges[_stage(parent.name), stage] = None
    ids = {stage: f"n{index}" for index, stage in enumerate(shapes)}
    boxes = [f'    {ids[stage]}["{stage}<br/>{_text(shape)}"]' for stage, shape in shapes.items()]
    arrows = [f"    {ids[start]} --> {ids[end]}" for start, end in edges]
    return "\n".join(["```mermaid", "flowchart TD", *boxes, *arrows, "```"])


def _nodes(model: keras.Model) -> Iterator[tuple[Any, list[Any]]]:
    """Yield each layer with the layers that it gets its input from, once for each application."""
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            yield node.operation, [parent.operation for parent in node.parent_nodes]


def _stage(name: str) -> str:
    return name.split("_")[0]


def _shape(operation: Any) -> tuple:
    output = operation._inbound_nodes[-1].outputs[-1]
    return tuple(output.shape[1:])


def _text(shape: tuple) -> str:
    return "x".join("?" if length is None else str(length) for length in shape)
