"""Comparison of an exported model, on its own runtime, with the Keras model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from kseg.config.export import ExportConfig
from kseg.export.graph import export_size
from kseg.export.images import batch_of, real_images
from kseg.export.source import Source
from kseg.inference.engines import Engine
from kseg.layers.unpool import MaxPoolWithIndices

REAL_IMAGES = 4
# Not the sizes that a graph was traced with, and no multiples of a model's stride.
_OTHER_SIZES = ((75, 101), (96, 64))
_USUAL = 0.95
# Least share of pixels of the same class where single pixels may differ by more.
_SAME = 0.999


@dataclass(frozen=True)
class Parity:
    """How far an exported model is from its original.

    Attributes:
        images: Number of images compared.
        sizes: Their sizes, as HEIGHTxWIDTH.
        max_difference: Largest difference of a probability.
        mean_difference: Mean of the differences.
        usual_difference: What 95 % of the pixels of each image stay below.
        agreement: Share of pixels with the same class, 0..1.
        least_agreement: That of the image where it is lowest.
    """

    images: int
    sizes: Sequence[str]
    max_difference: float
    mean_difference: float
    usual_difference: float
    agreement: float
    least_agreement: float

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers for JSON."""
        return asdict(self)


class ParityError(ValueError):
    """An exported model answers otherwise than its original."""


def compare(engine: Engine, source: Source, config: ExportConfig) -> tuple[Parity, np.ndarray]:
    """Compare an exported model with its original on real and random images.

    Where the graph takes any size it is compared at other sizes too.

    Returns:
        What was found, and the images at the size of the export, for the clock.

    Raises:
        ValueError: The runtime cannot run the exported model.
    """
    images = real_images(config, source, REAL_IMAGES)
    sizes = sizes_to_compare(engine, source, config)
    # The ranges that 8 bits were calibrated for are not those of noise.
    noise = 0 if config.has_8_bits else 1
    batches = [batch_of(images, size, source, noise) for size in sizes]
    return parity_of(engine, source.engine, batches), batches[0]


def sizes_to_compare(engine: Engine, source: Source, config: ExportConfig) -> list[tuple[int, int]]:
    """Return the size of the export, and others where the graph takes any."""
    size = engine.size or export_size(source, config)
    others = [] if engine.size else [other for other in _OTHER_SIZES if other != size]
    return [size, *others]


def parity_of(engine: Engine, original: Engine, batches: Sequence[np.ndarray]) -> Parity:
    """Compare two models on batches of images.

    Args:
        engine: The exported model.
        original: The Keras model.
        batches: Images of 0..255 `(N, H, W, C)`, each batch of another size.
    """
    largest, usual, means, shares = 0.0, 0.0, [], []
    for batch in batches:
        expected, found = original.probabilities(batch), engine.probabilities(batch)
        difference = np.abs(expected - found)
        # NaN must not pass for equal.
        largest = max(largest, float(np.nan_to_num(difference, nan=np.inf).max()))
        means.append(float(difference.mean()))
        worst = np.nan_to_num(difference.max(-1), nan=np.inf)
        usual = max(usual, float(np.quantile(worst, _USUAL, axis=(1, 2)).max()))
        same = original.labels(batch) == engine.labels(batch)
        shares.extend(same.mean(axis=(1, 2)).tolist())
    return Parity(
        images=sum(len(batch) for batch in batches),
        sizes=[f"{batch.shape[1]}x{batch.shape[2]}" for batch in batches],
        max_difference=largest,
        mean_difference=float(np.mean(means)),
        usual_difference=usual,
        agreement=float(np.mean(shares)),
        least_agreement=float(min(shares)),
    )


def check_parity(parity: Parity, config: ExportConfig, source: Source) -> None:
    """Refuse an export that answers otherwise than the original.

    Pooling that remembers where maxima were (SegNet) decides between values that may differ by a
    rounding error alone; there a few places may come out otherwise, and only most pixels have to
    stay within the tolerance.

    Raises:
        ParityError: The differences are beyond what the settings accept.
    """
    if config.is_exact and not _is_close(parity, config, source):
        raise ParityError(
            f"the exported model differs from the original by {parity.max_difference:.2g}, more "
            f"than --tolerance {config.tolerance:g} ({parity.agreement:.3%} of the pixels have the "
            "same class); nothing was written"
        )
    if not config.is_exact and not parity.agreement >= config.needed_agreement:
        raise ParityError(
            f"the exported model gives {parity.agreement:.3%} of the pixels the same class as the "
            f"original, less than --agreement {config.needed_agreement:g} (the largest difference "
            f"is {parity.max_difference:.2g}); nothing was written"
        )


def _is_close(parity: Parity, config: ExportConfig, source: Source) -> bool:
    if parity.max_difference <= config.tolerance:
        return True
    ties = any(isinstance(one, MaxPoolWithIndices) for one in source.model._flatten_layers())
    return ties and parity.usual_difference <= config.tolerance and parity.agreement >= _SAME
