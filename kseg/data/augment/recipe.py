"""From a list of operations to the steps that a sample goes through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, get_args

from kseg.data.augment.colour import Tone, Tones
from kseg.data.augment.fields import parameters
from kseg.data.augment.mixup import MixUp
from kseg.data.augment.operation import (
    Displacement,
    Draw,
    Mix,
    Move,
    Operation,
    Rng,
    Size,
    Transform,
)
from kseg.data.augment.warp import Border, Warp
from kseg.data.dataset import VOID, Sample


@dataclass(frozen=True)
class Recipe:
    """What may happen to a training sample.

    Between two operations that mix samples, those that move pixels come first, as one warp; the
    others follow in their order, curves next to each other as one table.

    Attributes:
        operations: The operations.
        border: What an image shows outside of its sample: "grey" or "reflect".
    """

    operations: tuple[Operation, ...] = ()
    border: Border = "grey"

    def __post_init__(self) -> None:
        """Raise ValueError for an unknown border, or a mixture that is moved or mixed again."""
        if self.border not in get_args(Border):
            raise ValueError(f"border must be one of grey, reflect; got {self.border!r}")
        mixed = False
        for operation in self.operations:
            if mixed and isinstance(operation, Move | Displacement | Mix):
                raise ValueError(
                    f"mixup must come after all that moves pixels or mixes samples; put "
                    f"{operation.name} before it"
                )
            mixed = mixed or isinstance(operation, MixUp)

    def transforms(
        self, void: int = VOID, window: Size | None = None, foreground: float = 0.0
    ) -> tuple[Transform, ...]:
        """Return the steps that a sample goes through.

        Args:
            void: Label of pixels without truth in the samples.
            window: Height and width of a random part that is left of each; None for all of it.
                The last warp cuts it, or without one the first step: what is mixed in before is
                of the whole size, and of the window's after.
            foreground: Share of the windows, from 0 to 1, around a pixel of a class other than 0.
        """
        steps: list[Any] = []
        for mixes, group in _runs([replace(one, void=void) for one in self.operations], Mix):
            steps += group if mixes else self._between_mixes(group, void)
        if window is None:
            return tuple(steps)
        warps = [index for index, step in enumerate(steps) if isinstance(step, Warp)]
        if not warps:
            return (Warp((), void, self.border, window, foreground), *steps)
        last = replace(steps[warps[-1]], window=window, foreground=foreground)
        return (*steps[: warps[-1]], last, *steps[warps[-1] + 1 :])

    def _between_mixes(self, operations: Sequence[Operation], void: int) -> list[Any]:
        moves = [one for one in operations if isinstance(one, Move | Displacement)]
        others = [one for one in operations if not isinstance(one, Move | Displacement)]
        steps: list[Any] = [Warp(tuple(moves), void, self.border)] if moves else []
        for tones, group in _runs(others, Tone):
            steps += [Tones(group)] if tones else group
        return steps

    def to_dict(self) -> dict[str, Any]:
        """Return what a YAML file of this recipe holds; all parameters are spelled out."""
        operations = [
            {one.name: {field.name: getattr(one, field.name) for field in parameters(one)}}
            for one in self.operations
        ]
        return {"border": self.border, "operations": operations}


def _runs(operations: Sequence[Operation], kind: type) -> Iterator[tuple[bool, tuple[Any, ...]]]:
    """Cut a list where operations of a kind begin or end."""
    for is_kind, group in groupby(operations, lambda one: isinstance(one, kind)):
        members = tuple(group)
        yield is_kind, members


def augment(
    sample: Sample, transforms: Sequence[Transform], rng: Rng, draw: Draw | None = None
) -> Sample:
    """Put a sample through transforms, in their order.

    A sample that is mixed in goes through the transforms before that place too, each by its own
    chance, but is itself not mixed.

    Args:
        sample: The sample.
        transforms: What to do, from `augmentation` or `Recipe.transforms`.
        rng: Source of all chance: the result depends on nothing else.
        draw: Loads a training sample, chosen by the generator that it is given, of the same size,
            channels and type; only needed where a transform is a `Mix`.

    Raises:
        ValueError: A `Mix` without `draw`, or samples that do not fit together.
    """
    for index, transform in enumerate(transforms):
        if isinstance(transform, Mix):
            sample = transform(sample, rng, _partners(transforms[:index], draw))
        else:
            sample = transform(sample, rng)
    return sample


def _partners(before: Sequence[Transform], draw: Draw | None) -> Draw | None:
    if draw is None:
        return None
    single = [transform for transform in before if not isinstance(transform, Mix)]
    return lambda rng: augment(draw(rng), single, rng)


def needs_soft_labels(transforms: Sequence[Transform]) -> bool:
    """Tell whether the truth of the samples must be given by `soft_labels`."""
    return any(isinstance(transform, MixUp) for transform in transforms)
