"""The graph of a model as TensorBoard draws it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import keras
from tensorboardX.proto.attr_value_pb2 import AttrValue
from tensorboardX.proto.graph_pb2 import GraphDef
from tensorboardX.proto.node_def_pb2 import NodeDef
from tensorboardX.proto.tensor_shape_pb2 import TensorShapeProto


def model_graph(model: keras.Model) -> GraphDef:
    """Describe the calls of a model's layers: a node per call, its inputs, shape and parameters.

    The words of a layer's name become nested blocks, which TensorBoard folds: `enc0_a_conv` is
    the node `conv` in block `a` of block `enc0`. A model within the model is a block, too.

    Args:
        model: A model; of one without a graph (a subclass that was never called with symbolic
            tensors) nothing is known.

    Returns:
        The graph, with `_output_shapes`, `dtype` and `parameters` as attributes of the nodes.
    """
    graph = _Graph()
    graph.add(getattr(model, "outputs", None) or [], scope="", feeds={})
    return graph.definition


class _Graph:
    def __init__(self) -> None:
        self.definition = GraphDef()
        self._names: set[str] = set()

    def add(self, outputs: Sequence[Any], scope: str, feeds: dict[int, list[str]]) -> list[str]:
        """Add all that `outputs` are computed from; return the name of each of them.

        `feeds` are the names of what comes into a nested model, by the id of the calls of its
        input layers.
        """
        made: dict[int, list[str]] = {}
        for call in _calls(outputs):
            inputs = [_output_of(tensor, made) for tensor in call.input_tensors]
            made[id(call)] = self._add_call(call, scope, feeds.get(id(call), inputs))
        return [_output_of(tensor, made) for tensor in outputs]

    def _add_call(self, call: Any, scope: str, inputs: list[str]) -> list[str]:
        operation = call.operation
        name = self._unused_name(scope + _block_name(operation))
        if isinstance(operation, keras.Model) and getattr(operation, "outputs", None):
            entries = {id(_call_of(tensor)): tensor for tensor in operation.inputs}
            feeds = {entry: [name] for entry, name in zip(entries, inputs, strict=False)}
            return self.add(operation.outputs, f"{name}/", feeds)
        self.definition.node.append(
            NodeDef(
                name=name,
                op=type(operation).__name__,
                input=inputs,
                attr=_attributes(operation, call),
            )
        )
        # TensorFlow's way to name further outputs.
        return [name, *(f"{name}:{index}" for index in range(1, len(call.outputs)))]

    def _unused_name(self, wanted: str) -> str:
        name, count = wanted, 1
        while name in self._names:
            count += 1
            name = f"{wanted}_{count}"
        self._names.add(name)
        return name


def _call_of(tensor: Any) -> Any:
    """Return the call that a symbolic tensor comes from; Keras has no public way to ask."""
    history = tensor._keras_history
    return history.operation._inbound_nodes[history.node_index]


def _output_of(tensor: Any, made: dict[int, list[str]]) -> str:
    return made[id(_call_of(tensor))][tensor._keras_history.tensor_index]


def _calls(outputs: Sequence[Any]) -> list[Any]:
    """Return the calls that lead to `outputs`, each after those that it needs.

    A stack of its own: graphs are deeper than Python lets functions call each other.
    """
    order, seen = [], set()
    stack = [(_call_of(tensor), False) for tensor in outputs]
    while stack:
        call, inputs_are_done = stack.pop()
        if inputs_are_done:
            order.append(call)
        elif id(call) not in seen:
            seen.add(id(call))
            stack.append((call, True))
            stack += [(_call_of(tensor), False) for tensor in call.input_tensors]
    return order


def _block_name(operation: Any) -> str:
    """Return a layer's name with its words as blocks, unless Keras made it from the class."""
    name, own = operation.name, type(operation).__name__.lower()
    if re.sub(r"[_\d]", "", name) != re.sub(r"[_\d]", "", own):
        name = re.sub(r"_(?=.*[^\d_])", "/", name)
    # What TensorBoard does not take in names of nodes.
    return re.sub(r"[^A-Za-z0-9_./-]", "_", name)


def _attributes(operation: Any, call: Any) -> dict[str, AttrValue]:
    shapes = [_shape(tensor.shape) for tensor in call.outputs]
    attributes = {"_output_shapes": AttrValue(list=AttrValue.ListValue(shape=shapes))}
    if call.outputs:
        attributes["dtype"] = AttrValue(s=str(call.outputs[0].dtype).encode())
    if isinstance(operation, keras.Layer):
        attributes["parameters"] = AttrValue(i=operation.count_params())
    return attributes


def _shape(shape: Sequence[int | None]) -> TensorShapeProto:
    sizes = [TensorShapeProto.Dim(size=-1 if size is None else size) for size in shape]
    return TensorShapeProto(dim=sizes)
