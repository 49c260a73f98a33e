"""Memory and time of a training step, from the layers of a model."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import keras
from keras import KerasTensor, tree

from kseg.models import get_model
from kseg.models.cost import count_macs
from kseg.training.propose.budget import Budget
from kseg.training.propose.facts import Size

FORWARD_AND_BACKWARD = 3
"""A training step computes about three times what a prediction does."""

# Bytes of a training step by bytes of all layers' outputs, measured on a U-Net in float32:
# TensorFlow 0.96 to 1.07, JAX 1.1, PyTorch 2.2; rounded up for what other networks need beside.
_KEPT = {"tensorflow": 1.3, "jax": 1.3, "torch": 2.4}

# The process with its libraries and the compiled step, and a GPU's context with workspaces, in GB.
_BASE_GB = {"cpu": 1.4, "gpu": 1.5}

_FLOAT = 4
# A weight, its gradient, and two moments of Adam.
_PER_PARAMETER = 4 * _FLOAT
# Maps of the size of the scores that a loss keeps; measured 2 to 5, and for the centre lines of
# `cl_dice` up to 15 per erosion.
_LOSS_MAPS = 6
_MAPS_PER_EROSION = 15


@dataclass(frozen=True)
class Network:
    """A model to be built.

    Attributes:
        name: Registered name.
        options: Keyword options.
        encoder: Backbone, or None.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    encoder: str | None = None

    def __str__(self) -> str:
        """Return the name with encoder and options."""
        over = f" over {self.encoder}" if self.encoder else ""
        listed = ", ".join(f"{key} {value}" for key, value in self.options.items())
        return f"{self.name}{over}{f' with {listed}' if listed else ''}"


@dataclass(frozen=True)
class Cost:
    """What one image costs a model.

    Attributes:
        parameters: Number of weights.
        elements: Values that the layers put out.
        macs: Multiply-adds of the convolutions and matrix products.
    """

    parameters: int
    elements: int
    macs: int


def image_cost(network: Network, size: Size, channels: int, num_classes: int) -> Cost:
    """Return what an image of `size` costs; no image is computed.

    Raises:
        ValueError: An unknown name or option.
    """
    options = json.dumps(network.options, sort_keys=True)
    model = _built(network.name, options, network.encoder, channels, num_classes)
    return Cost(model.count_params(), count_elements(model, size), count_macs(model, size))


def count_elements(model: keras.Model, size: Size) -> int:
    """Return the number of values that all operations of a functional model put out.

    Args:
        model: The model.
        size: Height and width of the image.
    """
    total = 0

    def visit(operation: Any) -> Callable:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal total
            if isinstance(operation, keras.Model):
                return operation._run_through_graph(tree.flatten(args), visit)
            output = operation.compute_output_spec(*args, **kwargs)
            total += sum(math.prod(one.shape) for one in tree.flatten(output))
            return output

        return call

    # As in `kseg.models.cost`: Keras offers no public way to follow a graph with other shapes.
    model._run_through_graph([KerasTensor((1, *size, model.input_shape[-1]))], visit)
    return total


def loss_maps(loss: str, options: Mapping[str, Any]) -> int:
    """Return how many maps of the size of the scores a loss keeps for its gradient."""
    erosions = int(options.get("iterations", 3)) if loss == "cl_dice" else 0
    return _LOSS_MAPS + _MAPS_PER_EROSION * erosions


def training_gb(
    cost: Cost, scores: int, batch: int, budget: Budget, *, maps: int = _LOSS_MAPS
) -> float:
    """Return the memory of a training step in GB: an estimate that is rather too high.

    Layers' outputs are kept for the gradient, and so are the maps of the loss; weights come with a
    gradient and two moments.

    Args:
        cost: What one image costs.
        scores: Values of the scores of one image, `H * W * num_classes`.
        batch: Images per step.
        budget: Device and backend.
        maps: See `loss_maps`.
    """
    kept = _KEPT.get(budget.backend, max(_KEPT.values()))
    values = batch * (kept * cost.elements + maps * scores)
    return _BASE_GB[budget.device] + (_FLOAT * values + _PER_PARAMETER * cost.parameters) / 1e9


# A proposal tries a few networks at many sizes.
@lru_cache(maxsize=4)
def _built(
    name: str, options: str, encoder: str | None, channels: int, num_classes: int
) -> keras.Model:
    shape = (None, None, channels)
    return get_model(name, num_classes, shape, encoder=encoder, **json.loads(options))
