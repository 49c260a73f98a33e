"""ONNX nodes in the forms that pnnx, the converter for ncnn, recognises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx

_ROWS = 2


def for_pnnx(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model of the same answers whose nodes pnnx converts.

    Args:
        model: A graph in NCHW, of known sizes.
    """
    import onnx

    graph = Graph(onnx.shape_inference.infer_shapes(model, data_prop=True))
    for kind, rewrite in _REWRITES.items():
        graph.replace(kind, rewrite)
    return graph.model


class Graph:
    """A model while its nodes are replaced.

    Args:
        model: The model, with the shapes of its tensors; it is changed.
    """

    def __init__(self, model: onnx.ModelProto):
        from onnx import numpy_helper

        self.model = model
        graph = model.graph
        self._constants = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
        for node in graph.node:
            if node.op_type == "Constant":
                self._constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
        values = [*graph.value_info, *graph.input, *graph.output]
        self._shapes = {
            value.name: tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
            for value in values
        }

    def constant(self, node: onnx.NodeProto, index: int) -> np.ndarray | None:
        """Return the constant that is an input of a node, None where there is none."""
        given = index < len(node.input) and node.input[index]
        return self._constants.get(node.input[index]) if given else None

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a tensor; lengths that are not known are 0."""
        return self._shapes.get(name, ())

    def add_constant(self, name: str, value: np.ndarray) -> str:
        """Add a constant, and return its name."""
        from onnx import numpy_helper

        self._constants[name] = value
        self.model.graph.initializer.append(numpy_helper.from_array(value, name))
        return name

    def replace(self, kind: str, rewrite: Rewrite) -> None:
        """Put other nodes in the place of all of one kind."""
        nodes = list(self.model.graph.node)
        del self.model.graph.node[:]
        for node in nodes:
            fresh = rewrite(self, node) if node.op_type == kind else [node]
            self.model.graph.node.extend(fresh)


Rewrite = Callable[[Graph, "onnx.NodeProto"], "list[onnx.NodeProto]"]


def _padding_with_mode(graph: Graph, node: onnx.NodeProto) -> list[onnx.NodeProto]:
    """Say that zeros are padded, which pnnx does not take for granted."""
    import onnx

    if all(attribute.name != "mode" for attribute in node.attribute):
        node.attribute.append(onnx.helper.make_attribute("mode", "constant"))
    return [node]


def _slices_one_by_one(graph: Graph, node: onnx.NodeProto) -> list[onnx.NodeProto]:
    """Slice one axis after the other, and take every n-th row or column by pooling.

    ncnn has no steps. Pooling over single pixels leaves out those in between.
    """
    parts = list(_parts(graph, node))
    if not parts:
        return [node]
    return _chain(node, parts)


def _parts(graph: Graph, node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
    """Give the nodes of a slice, each without names of tensors but for constants."""
    from onnx import helper

    shape = graph.shape(node.input[0])
    starts, ends, axes, steps = (graph.constant(node, index) for index in range(1, 5))
    if starts is None or ends is None or 0 in shape or len(shape) != 4:
        return
    axes = range(len(starts)) if axes is None else [axis % len(shape) for axis in axes.tolist()]
    steps = [1] * len(starts) if steps is None else steps.tolist()
    if min(steps) < 1 or any(s > 1 and a < _ROWS for a, s in zip(axes, steps, strict=True)):
        return
    strides = [1, 1]
    for axis, start, end, step in zip(axes, starts.tolist(), ends.tolist(), steps, strict=True):
        first, last, _ = slice(start, end, step).indices(shape[axis])
        if step > 1 and axis >= _ROWS:
            strides[axis - _ROWS] = step
        if (first, last) != (0, shape[axis]):
            # pnnx takes a constant that is used twice for two of one name.
            numbers = [
                graph.add_constant(f"{node.name}_{axis}_{kind}", np.int64([number]))
                for kind, number in {"first": first, "last": last, "axis": axis}.items()
            ]
            yield helper.make_node("Slice", ["", *numbers], [""])
    if strides != [1, 1]:
        yield helper.make_node("MaxPool", [""], [""], kernel_shape=[1, 1], strides=strides)


def _mean_times_count(graph: Graph, node: onnx.NodeProto) -> list[onnx.NodeProto]:
    """Write a sum as a mean and a product: of a sum's axes pnnx knows nothing."""
    from onnx import helper

    shape, axes = graph.shape(node.input[0]), graph.constant(node, 1)
    if axes is None or not shape or 0 in shape:
        return [node]
    keep = next((one.i for one in node.attribute if one.name == "keepdims"), 1)
    mean = helper.make_node("ReduceMean", [""], [""], axes=axes.tolist(), keepdims=keep)
    number = np.float32(np.prod([shape[axis] for axis in axes]))
    count = graph.add_constant(f"{node.name}_count", number)
    return _chain(node, [mean, helper.make_node("Mul", ["", count], [""])])


def _chain(node: onnx.NodeProto, parts: list[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """Connect nodes one after the other, from the input of `node` to its output."""
    name = node.input[0]
    for index, part in enumerate(parts):
        part.input[0] = name
        name = node.output[0] if part is parts[-1] else f"{node.output[0]}_part{index}"
        part.output[0] = name
        part.name = f"{node.name}_part{index}"
    return parts


_REWRITES: dict[str, Rewrite] = {
    "Pad": _padding_with_mode,
    "Slice": _slices_one_by_one,
    "ReduceSum": _mean_times_count,
}
