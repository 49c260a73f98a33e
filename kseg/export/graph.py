"""The Keras model that is converted: the source with the input and the output asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from kseg.config.export import ExportConfig
from kseg.export.source import Source
from kseg.export.swaps import SWAPS, Swap, swapped
from kseg.inference.engines.keras import Labels, Probabilities, gives_probabilities
from kseg.inference.sidecar import Sidecar

INPUT = "image"


@dataclass(frozen=True)
class ExportGraph:
    """A model to convert.

    Attributes:
        model: From "image", `(N, H, W, C)` of 0..255, to scores `(N, H, W, classes)` float32 or
            labels `(N, H, W)` uint8. Sizes that are not to be open are known.
        source: What it was made of.
        output: What it gives.
    """

    model: keras.Model
    source: Source
    output: str

    @property
    def target(self) -> str:
        """Name of the output."""
        return "labels" if self.output == "labels" else "scores"

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Shape of the images, `(N, H, W, C)`."""
        return self.model.inputs[0].shape

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width that the graph is fixed to, None where they are open."""
        height, width = self.shape[1:3]
        return None if height is None or width is None else (height, width)

    def sidecar(self, kind: str, **changes: Any) -> Sidecar:
        """Describe the exported graph.

        Args:
            kind: The format.
            **changes: What is different in the file, such as `layout` or the names.
        """
        values: dict[str, Any] = {
            "input": INPUT,
            "outputs": (self.target,),
            "channels": self.source.channels,
            "output": self.output,
            "input_dtype": self.model.inputs[0].dtype,
            "size": self.size,
            "batch_size": self.shape[0],
            "source": str(self.source.file),
        }
        return Sidecar(format=kind, model=self.source.info, **{**values, **changes})


def export_size(source: Source, config: ExportConfig) -> tuple[int, int]:
    """Return height and width of the images that a static graph takes."""
    return (
        config.input_height or source.info.input_height,
        config.input_width or source.info.input_width,
    )


def make_graph(
    source: Source,
    config: ExportConfig,
    *,
    swaps: Sequence[Swap] = SWAPS,
    output: str | None = None,
) -> ExportGraph:
    """Make the graph that the settings ask for; it shares the weights of the source.

    Args:
        source: The model.
        config: Says what is open, and input and output.
        swaps: Layers to replace; a converter may have some of its own.
        output: What the graph gives, by default what the settings say.

    Raises:
        ValueError: The model is fixed to another size.
    """
    height, width = (None, None) if config.dynamic_size else export_size(source, config)
    _check_size(source, (height, width))
    batch = None if config.dynamic_batch else config.batch_size
    shape = (batch, height, width, source.channels)
    image = keras.Input(batch_shape=shape, dtype=config.input_dtype, name=INPUT)
    x = image if config.input_dtype == "float32" else AsFloat(name="image_float")(image)
    scores = swapped(source.model, shape, swaps)(x)
    output = output or config.output
    answer = ending(source, scores, output)
    return ExportGraph(keras.Model(image, answer, name=source.name), source, output)


def _check_size(source: Source, size: tuple[int | None, int | None]) -> None:
    own = source.model.inputs[0].shape[1:3]
    if None not in own and tuple(own) != size:
        raise ValueError(
            f"{source.file}: the model itself is fixed to images of {own[1]}x{own[0]} pixels "
            "(width x height); leave out --input_height, --input_width and --dynamic_size"
        )


def ending(source: Source, scores: keras.KerasTensor, output: str) -> keras.KerasTensor:
    """Turn the scores of the source into what the export gives.

    Raises:
        ValueError: Logits of a model that gives probabilities only.
    """
    from_logits = not gives_probabilities(source.model)
    if output == "logits":
        if not from_logits:
            raise ValueError(
                f"{source.file}: this model gives probabilities and no logits; use --output "
                "probabilities"
            )
        return scores
    layer = BestClass if output == "labels" else Probabilities
    return layer(from_logits=from_logits, dtype="float32", name=f"answer_{output}")(scores)


class BestClass(Labels):
    """The best class of each pixel, in operations that all converters know."""

    def call(self, scores):
        """Return the labels `(N, H, W)` uint8."""
        import tensorflow as tf

        if scores.shape[-1] <= 2:
            return super().call(scores)
        # Keras' own `argmax` looks at the bits of the numbers to tell -0 from 0.
        return tf.cast(tf.argmax(scores, axis=-1, output_type=tf.int32), tf.uint8)


class AsFloat(layers.Layer):
    """Images of bytes as float32."""

    def __init__(self, **options):
        super().__init__(autocast=False, **options)

    def call(self, inputs):
        """Return the same values."""
        return keras.ops.cast(inputs, "float32")

    def compute_output_spec(self, inputs):
        """Return shape and type of the result."""
        return keras.KerasTensor(inputs.shape, "float32")
