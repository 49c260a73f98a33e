"""A frozen graph in plain operations, which other readers than TensorFlow have too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np

# What grappler is to do, in this order; its other optimizers make operations of TensorFlow's own.
_OPTIMIZERS = ("pruning", "constfold", "arithmetic", "dependency", "constfold", "pruning")
_SUMS = ("Add", "AddV2")


def plain_graph(concrete: Any, target: str) -> Any:
    """Return the `GraphDef` of a function whose weights are constants, for any reader.

    Batch normalisation is multiplied into the convolutions before it, nothing is left that only
    passes on its input, and the answer comes from an operation named `target`.

    Args:
        concrete: A `ConcreteFunction` of one input and one output.
        target: Name of the output.
    """
    graph = _optimized(concrete)
    (result,) = concrete.outputs
    graph, last = _without_copies(graph, result.op.name)
    graph = _spelled(graph)
    _write_constants_in_full(graph)
    _rename(graph, last, target)
    return graph


def _optimized(concrete: Any) -> Any:
    """Let TensorFlow fold constants and prune."""
    from tensorflow.core.protobuf import config_pb2
    from tensorflow.python.grappler import tf_optimizer
    from tensorflow.python.training.saver import export_meta_graph

    settings = config_pb2.ConfigProto()
    rewrites = settings.graph_options.rewrite_options
    # Graphs of fewer nodes than a default would be left as they are.
    rewrites.min_graph_nodes = -1
    rewrites.meta_optimizer_iterations = rewrites.TWO
    rewrites.optimizers.extend(_OPTIMIZERS)
    graph = concrete.graph
    meta = export_meta_graph(graph_def=graph.as_graph_def(), graph=graph)
    # What is fetched is kept, with all that it needs.
    fetched = meta.collection_def["train_op"].node_list.value
    fetched.extend(tensor.name for tensor in concrete.outputs)
    return tf_optimizer.OptimizeGraph(settings, meta)


def _without_copies(graph: Any, last: str) -> tuple[Any, str]:
    """Remove operations that give their input; return the graph and which one is now the last."""
    nodes = {node.name: node for node in graph.node}
    copies = {node.name: kept for node in graph.node if (kept := _copied(node, nodes))}

    def origin(name: str) -> str:
        while name in copies:
            name = copies[name]
        return name

    kept = _empty_like(graph)
    for node in graph.node:
        if node.name not in copies and node.op != "NoOp":
            # Inputs that begin so only say what is to run before.
            inputs = [origin(name) for name in node.input if not name.startswith("^")]
            _append(kept, node, node.name, inputs)
    return kept, origin(last)


def _copied(node: Any, nodes: Mapping[str, Any]) -> str | None:
    """Return the input that a node passes on as it is, None where it computes something."""
    if node.op == "Identity":
        return node.input[0]
    if node.op in _SUMS:
        for own, other in ((0, 1), (1, 0)):
            value = _constant(nodes.get(node.input[own]))
            if value is not None and value.size == 1 and not value.any():
                return node.input[other]
    return None


def _constant(node: Any) -> np.ndarray | None:
    """Return the value of a constant, None for other nodes."""
    from tensorflow.python.framework.tensor_util import MakeNdarray

    if node is None or node.op != "Const":
        return None
    return MakeNdarray(node.attr["value"].tensor)


def _spelled(graph: Any) -> Any:
    """Write some operations with others that all readers have, and understand alike."""
    import tensorflow as tf

    with tf.Graph().as_default() as imported:
        tf.import_graph_def(graph, name="")
    spelled = _empty_like(graph)
    for node in graph.node:
        operation = imported.get_operation_by_name(node.name)
        formula = FORMULAS[node.op](operation) if node.op in FORMULAS else None
        if formula is None:
            _append(spelled, node, node.name, node.input)
        else:
            _append_formula(spelled, node, formula, operation.inputs)
    return spelled


Formula = Callable[..., Any]


def _sum_of_many(operation: Any) -> Formula:
    """Return sums of two."""
    import tensorflow as tf

    return lambda *values: reduce(lambda a, b: tf.raw_ops.AddV2(x=a, y=b), values)


def _sum_along_channels(operation: Any) -> Formula | None:
    """Return the sum with a value per channel: OpenCV takes others for a value per column."""
    import tensorflow as tf

    first, second = (one.shape for one in operation.inputs)
    if first.rank == 4 and second == first[3:]:
        return tf.nn.bias_add
    if second.rank == 4 and first == second[3:]:
        return lambda a, b: tf.nn.bias_add(b, a)
    return None


def _difference_from_constant(operation: Any) -> Formula | None:
    """Return a sum: OpenCV subtracts the number from the map where it should do the reverse."""
    import tensorflow as tf

    number, other = operation.inputs
    if number.op.type != "Const" or number.shape.rank != 0 or other.dtype != tf.float32:
        return None
    return lambda a, b: tf.raw_ops.AddV2(x=b * -1.0, y=a)


def _slice_of_all_axes(operation: Any) -> Formula | None:
    """Return the slice with a range for each axis: OpenCV ignores one that names fewer."""
    source, *ends = operation.inputs
    masks = [operation.get_attr(f"{name}_mask") for name in ("ellipsis", "new_axis", "shrink_axis")]
    if source.shape.rank != 4 or any(masks) or any(one.op.type != "Const" for one in ends):
        return None
    first, last, step = (_constant(one.op.node_def).tolist() for one in ends)
    open_first, open_last = (operation.get_attr(f"{name}_mask") for name in ("begin", "end"))
    ranges = [
        slice(
            None if open_first >> axis & 1 else first[axis],
            None if open_last >> axis & 1 else last[axis],
            step[axis],
        )
        for axis in range(len(first))
    ]
    every = (*ranges, *[slice(None)] * (4 - len(ranges)))
    return lambda x, *_: x[every]


def _softmax_over_channels(operation: Any) -> Formula | None:
    """Return the softmax by its definition: OpenCV's is over the columns of an image."""
    import tensorflow as tf

    (scores,) = operation.inputs
    if scores.shape.rank != 4 or scores.shape[3] is None:
        return None

    def formula(x: Any) -> Any:
        # OpenCV subtracts only from equal shapes.
        ones = np.ones((1, 1, 1, x.shape[3]), x.dtype.as_numpy_dtype)
        largest = tf.nn.conv2d(tf.reduce_max(x, 3, keepdims=True), ones, 1, "VALID")
        powers = tf.exp(x - largest)
        return powers / tf.reduce_sum(powers, 3, keepdims=True)

    return formula


FORMULAS: Mapping[str, Callable[[Any], Formula | None]] = {
    "AddN": _sum_of_many,
    "Add": _sum_along_channels,
    "AddV2": _sum_along_channels,
    "Sub": _difference_from_constant,
    "StridedSlice": _slice_of_all_axes,
    "Softmax": _softmax_over_channels,
}


def _append_formula(graph: Any, node: Any, formula: Formula, inputs: Sequence[Any]) -> None:
    """Append what a formula does with the inputs of a node, the result under its name."""
    import tensorflow as tf

    with tf.Graph().as_default() as piece:
        places = [tf.compat.v1.placeholder(one.dtype, one.shape) for one in inputs]
        result = formula(*places)
    names = {one.op.name: name for one, name in zip(places, node.input, strict=True)}
    outer = {one.name: f"{node.name}/{one.name}" for one in piece.as_graph_def().node}
    names = {**outer, **names, result.op.name: node.name}
    for one in piece.as_graph_def().node:
        if one.op != "Placeholder":
            _append(graph, one, names[one.name], [names[name] for name in one.input])


def _write_constants_in_full(graph: Any) -> None:
    """Write arrays as bytes and single numbers as numbers.

    TensorFlow leaves out zeros and repetitions, which OpenCV needs; and of the two places for a
    value OpenCV looks at one only.
    """
    for node in graph.node:
        value = _constant(node)
        if value is not None and value.dtype.name in _FIELDS:
            _write_in_full(node.attr["value"].tensor, value)


_FIELDS = {"float32": "float_val", "int32": "int_val", "int64": "int64_val"}


def _write_in_full(tensor: Any, value: np.ndarray) -> None:
    # The array may lie in the message that is cleared.
    content = value.tobytes()
    field = _FIELDS[value.dtype.name]
    single = [] if value.ndim else [value.item()]
    tensor.ClearField("tensor_content")
    tensor.ClearField(field)
    if single:
        getattr(tensor, field).extend(single)
    else:
        tensor.tensor_content = content


def _rename(graph: Any, old: str, new: str) -> None:
    for node in graph.node:
        node.name = new if node.name == old else node.name
        inputs = [new if name == old else name for name in node.input]
        del node.input[:]
        node.input.extend(inputs)


def _empty_like(graph: Any) -> Any:
    empty = type(graph)()
    empty.versions.CopyFrom(graph.versions)
    return empty


def _append(graph: Any, node: Any, name: str, inputs: Sequence[str]) -> None:
    """Append a copy of a node with other inputs."""
    inputs = list(inputs)
    new = graph.node.add()
    new.CopyFrom(node)
    new.name = name
    del new.input[:]
    new.input.extend(inputs)
