"""What `kseg train` does: train, or help to choose the settings."""

from __future__ import annotations

from kseg.config import TrainConfig
from kseg.config.repeats import is_repeated
from kseg.runs import RunFolder
from kseg.training.distribution import data_parallel, joined
from kseg.training.lr_find import find_learning_rate, write_rate_test
from kseg.training.processes import find_place
from kseg.training.propose import auto, machine_budget
from kseg.training.repeats import train_repeatedly
from kseg.training.trainer import prepare, train


def start(config: TrainConfig) -> None:
    """Train, once or repeatedly, propose settings (`--auto`) or try learning rates (`--lr_find`).

    Raises:
        ValueError: A setting, the data set or an earlier run is in the way.
    """
    helps = config.auto or config.lr_find or is_repeated(config)
    if helps and find_place(config).count > 1:
        raise ValueError(
            "--auto, --lr_find, --folds and --seeds run in one process; add --num_processes 1"
        )
    if config.auto:
        auto(config, machine_budget(config.auto_minutes, config.auto_memory_gb))
    elif config.lr_find:
        try_learning_rates(config)
    elif is_repeated(config):
        train_repeatedly(config)
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
    with joined(config) as job, data_parallel(job):
        fitting = prepare(config, run, job)
        result = find_learning_rate(fitting.model, fitting.training)
    picture = write_rate_test(result, run.path)
    print(f"steepest fall of the loss: --learning_rate {result.suggestion:.2g}\ncurve: {picture}")
