"""ONNX graphs of Keras models: what the ONNX, ncnn and TensorRT exports have in common."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kseg.export.graph import INPUT, ExportGraph
from kseg.export.trace import traced

if TYPE_CHECKING:
    import onnx

_OPEN_AXES = {"NHWC": ("batch", "height", "width"), "NCHW": ("batch", None, "height", "width")}


class Converted(NamedTuple):
    """An ONNX model that passed the checker.

    Attributes:
        model: `onnx.ModelProto`.
        transposes: Transposes in it as it was converted, and as it is.
    """

    model: onnx.ModelProto
    transposes: tuple[int, int]


def onnx_model(
    graph: ExportGraph, *, opset: int, layout: str = "NCHW", simplify: bool = True
) -> Converted:
    """Convert a graph, with the input "image" and the output `graph.target`.

    Args:
        graph: The model.
        opset: Version of the operators, 13 to 18.
        layout: Order of the axes of images and scores, "NCHW" or "NHWC".
        simplify: Fold constants and remove what does nothing.

    Raises:
        ValueError: The model has an operation that ONNX lacks.
    """
    import onnx

    model, before = _converted(graph, opset, layout)
    _name_open_axes(model.graph.input[0], layout)
    _name_open_axes(model.graph.output[0], layout if graph.target == "scores" else "NHWC")
    check_operators(model, graph)
    constant_biases(model)
    if simplify:
        model = simplified(model)
    onnx.checker.check_model(model, full_check=True)
    return Converted(model, (before, count(model, "Transpose")))


def _converted(graph: ExportGraph, opset: int, layout: str) -> tuple[onnx.ModelProto, int]:
    """Convert by tf2onnx; also return how many transposes there were before it optimised."""
    import tensorflow as tf
    from tf2onnx import optimizer, tf_loader
    from tf2onnx.tfonnx import process_tf_graph

    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    trace = traced(graph)
    names = {INPUT: trace.concrete.inputs[0].name}
    names[graph.target] = trace.concrete.structured_outputs[graph.target].name
    planes = layout == "NCHW"
    definition = tf_loader.from_function(trace.concrete, [names[INPUT]], [names[graph.target]])
    with tf.Graph().as_default() as tensorflow_graph, tf.device("/cpu:0"):
        tf.import_graph_def(definition, name="")
        found = process_tf_graph(
            tensorflow_graph,
            continue_on_error=True,
            opset=opset,
            input_names=[names[INPUT]],
            output_names=[names[graph.target]],
            tensors_to_rename={tensor: name for name, tensor in names.items()},
            inputs_as_nchw=[INPUT] if planes else None,
            outputs_as_nchw=[graph.target] if planes and graph.target == "scores" else None,
        )
        before = sum(node.type == "Transpose" for node in found.get_nodes())
        better = optimizer.optimize_graph(found, optimizers=_optimizers())
        return better.make_model(graph.model.name), before


def _optimizers() -> dict[str, Any]:
    """Return the optimisers of tf2onnx, with one that moves transposes through `Sign` too."""
    from tf2onnx import optimizer

    class MovesThroughSign(optimizer.TransposeOptimizer):
        def _initialize_handlers(self):
            super()._initialize_handlers()
            self._handler_map["Sign"] = self._simple_through_handler

    return {**optimizer._get_optimizers(), "optimize_transpose": MovesThroughSign}


def _name_open_axes(value: onnx.ValueInfoProto, layout: str) -> None:
    """Call the axes that are open "batch", "height" and "width"."""
    dims = value.type.tensor_type.shape.dim
    for dim, name in zip(dims, _OPEN_AXES[layout], strict=False):
        if name is not None and not dim.dim_value:
            dim.dim_param = name


def check_operators(model: onnx.ModelProto, graph: ExportGraph) -> None:
    """Refuse a model with operators that are not in ONNX.

    Raises:
        ValueError: It has some; the message names them.
    """
    import onnx

    known = {entry.domain for entry in model.opset_import}
    unknown = {
        node.op_type
        for node in all_nodes(model.graph)
        if node.domain not in known or not onnx.defs.has(node.op_type, node.domain)
    }
    if unknown:
        raise ValueError(
            f"{graph.source.info.model_name}: ONNX has no {', '.join(sorted(unknown))}, which this "
            "model needs; see docs/deployment.md for formats that it can be exported to"
        )


def constant_biases(model: onnx.ModelProto) -> None:
    """Add what is no constant after a convolution, instead of as its bias.

    TensorFlow makes a bias of a map of one pixel that is added to the result, which simplifiers
    and several runtimes cannot read.
    """
    from onnx import helper, numpy_helper

    nodes = model.graph.node
    constants = {value.name for value in model.graph.initializer}
    constants |= {name for node in nodes if node.op_type == "Constant" for name in node.output}
    for index, conv in reversed(list(enumerate(nodes))):
        biased = conv.op_type in ("Conv", "ConvTranspose") and len(conv.input) == 3
        if not biased or conv.input[2] in constants:
            continue
        result, bias = conv.output[0], conv.input.pop()
        shape, planes, plain = (f"{result}_{end}" for end in ("shape", "planes", "unbiased"))
        conv.output[0] = plain
        model.graph.initializer.append(
            numpy_helper.from_array(np.array([1, -1, 1, 1], np.int64), shape)
        )
        nodes.insert(index + 1, helper.make_node("Add", [plain, planes], [result]))
        nodes.insert(index + 1, helper.make_node("Reshape", [bias, shape], [planes]))


def simplified(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with constants folded and what does nothing removed."""
    import onnxslim

    return onnxslim.slim(model)


def all_nodes(graph: onnx.GraphProto) -> Iterator[Any]:
    """Give the nodes of a graph, and of the branches and loops in it."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from all_nodes(inner)


def count(model: onnx.ModelProto, kind: str) -> int:
    """Return the number of nodes of one kind."""
    return sum(node.op_type == kind for node in all_nodes(model.graph))
