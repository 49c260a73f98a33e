"""The settings of the runs that `kseg train` resumes, which its flags come on top of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kseg.config.parse import UsageError
from kseg.config.repeats import is_repeated, repeats

_FILE = "config.yaml"


def resumed_arguments(config: Any) -> list[str]:
    """Return flags that stand for the settings of the run to resume, none for a new run.

    Of many runs they are those of the first one that has begun, but for what tells the runs apart.

    Args:
        config: A `TrainConfig` of the flags alone, not checked.

    Raises:
        UsageError: There is no run to resume.
    """
    if not config.resume:
        return []
    if is_repeated(config):
        return _of_first_begun(config) if config.resume == "last" else []
    file = config.run_path / _FILE
    if not file.is_file():
        raise UsageError(
            f"--resume {config.resume}: there is no run in {config.run_path}; give the path of a "
            "run folder, or leave the flag out to start a new run"
        )
    return ["--config", str(file)]


def _of_first_begun(config: Any) -> list[str]:
    folder = Path(config.train_save_path)
    files = (folder / one["exp_name"] / config.model_name / _FILE for one in repeats(config))
    file = next(filter(Path.is_file, files), None)
    if file is None:
        return []
    names = ["exp_name", "folds", "fold", "seeds", *(["seed"] if config.seeds > 1 else [])]
    values = ((name, getattr(config, name)) for name in names)
    told_apart = (f"--{name}={'null' if value is None else value}" for name, value in values)
    return ["--config", str(file), *told_apart]
