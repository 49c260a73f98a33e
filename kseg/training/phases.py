"""The parts of a run: epochs with a frozen encoder, and the others."""

from __future__ import annotations

from dataclasses import dataclass

from kseg.config import TrainConfig


@dataclass(frozen=True)
class Phase:
    """Epochs with one optimizer.

    Attributes:
        first: Epochs that are finished when it begins.
        last: Epochs that are finished when it ends.
        batch_size: Images per training step.
        learning_rate: Highest learning rate, see `TrainConfig.learning_rate`.
        frozen: The encoder does not change.
    """

    first: int
    last: int
    batch_size: int
    learning_rate: float | str | None
    frozen: bool

    @property
    def epochs(self) -> int:
        """Number of epochs."""
        return self.last - self.first


def plan_phases(config: TrainConfig) -> tuple[Phase, ...]:
    """Return the phases of a run in their order.

    Each has an optimizer of its own: the moments of one that never saw the encoder's gradients
    say nothing about them, and the learning rate runs through its schedule in each.
    """
    frozen, total = config.freeze_epochs, config.total_epochs
    usual = config.train_batch_size, config.learning_rate
    rest = Phase(frozen, total, *usual, frozen=False)
    if not frozen:
        return (rest,)
    rate = config.freeze_learning_rate
    first = Phase(
        0,
        frozen,
        config.freeze_batch_size or config.train_batch_size,
        config.learning_rate if rate is None else rate,
        frozen=True,
    )
    return (first, rest) if rest.epochs else (first,)
