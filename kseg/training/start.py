"""What `kseg train` does: train, or help to choose the settings."""

from __future__ import annotations

from kseg.config import TrainConfig
from kseg.runs import RunFolder
from kseg.training.lr_find import find_learning_rate, write_rate_test
from kseg.training.propose import auto, machine_budget
from kseg.training.trainer import prepare, train


def start(config: TrainConfig) -> None:
    """Train, propose settings (`--auto`) or try learning rates (`--lr_find`).

    Raises:
        ValueError: A setting, the data set or an earlier run is in the way.
    """
    if config.auto:
        auto(config, machine_budget(config.auto_minutes, config.auto_memory_gb))
    elif config.lr_find:
        try_learning_rates(config)
    else:
        train(config)


def try_learning_rates(config: TrainConfig) -> None:
    """Write `lr_find.csv` and `lr_find.png` to the run folder and print the suggestion.

    Raises:
        ValueError: As `train`, or the loss does not fall at any rate.
    """
    if config.resume:
        raise ValueError("--lr_find begins with new weights; leave --resume out")
    run = RunFolder(config.run_path)
    fitting = prepare(config, run)
    result = find_learning_rate(fitting.model, fitting.training)
    picture = write_rate_test(result, run.path)
    print(f"steepest fall of the loss: --learning_rate {result.suggestion:.2g}\ncurve: {picture}")
