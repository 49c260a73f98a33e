"""Follow the graph of a model with images of another size than it was built for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import KerasTensor, tree


def follow(model: keras.Model, size: tuple, seen: Callable[[Any, Any, Any], None]) -> None:
    """Call `seen(layer, inputs, output)` for each use of a layer, those of nested models too.

    Args:
        model: Functional model of one input.
        size: Height and width of the images; None leaves one open.
        seen: What to do with a layer and the `KerasTensor`s before and after it.
    """

    def visit(operation: Any) -> Callable:
        def call(*args, **kwargs):
            if isinstance(operation, keras.Model):
                return operation._run_through_graph(tree.flatten(args), visit)
            output = operation.compute_output_spec(*args, **kwargs)
            seen(operation, args[0], output)
            return output

        return call

    # Keras offers no public way to follow a graph with other shapes than those it was built for.
    model._run_through_graph([KerasTensor((1, *size, model.input_shape[-1]))], visit)
