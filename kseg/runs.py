"""The folder of a training run and the name of every file in it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

CHECKPOINT_SUFFIX = ".keras"


@dataclass(frozen=True)
class RunFolder:
    """All paths of one run.

    Attributes:
        path: The folder, TRAIN_SAVE_PATH/EXP_NAME/MODEL_NAME.
    """

    path: Path

    @property
    def config(self) -> Path:
        """Settings of the run, readable by `--config`."""
        return self.path / "config.yaml"

    @property
    def augment(self) -> Path:
        """What the augmentation's name meant when the run began, readable by `--augment`."""
        return self.path / "augment.yaml"

    @property
    def environment(self) -> Path:
        """Versions, device and revision the run was made with."""
        return self.path / "environment.json"

    @property
    def log(self) -> Path:
        """Folder for TensorBoard."""
        return self.path / "log"

    @property
    def metrics(self) -> Path:
        """One row per epoch."""
        return self.path / "metrics.csv"

    @property
    def last(self) -> Path:
        """Checkpoint of the last finished epoch, with the optimizer's state."""
        return self.path / "last.keras"

    @property
    def best(self) -> Path:
        """Checkpoint with the best validation IoU."""
        return self.path / "best.keras"

    @property
    def curves(self) -> Path:
        """Picture of loss and IoU over the epochs."""
        return self.path / "curves.png"

    @property
    def evaluation(self) -> Path:
        """Folder for the scores on held-out images."""
        return self.path / "evaluation"

    @property
    def exports(self) -> Path:
        """Folder for the model in the formats of other runtimes."""
        return self.path / "export"

    def exists(self) -> bool:
        """Tell whether a run got as far as a checkpoint here."""
        return self.best.is_file() or self.last.is_file()

    def create(self, *, overwrite: bool) -> None:
        """Make the folder for a new run; what one without any checkpoint left is removed.

        Raises:
            ValueError: An earlier run is there and `overwrite` is False.
        """
        if self.exists() and not overwrite:
            raise ValueError(
                f"{self.path}: there is a run already; choose another --exp_name, continue it "
                "with --resume last, or delete it with --overwrite"
            )
        if self.exists() or self.config.is_file():
            shutil.rmtree(self.path)
        self.path.mkdir(parents=True, exist_ok=True)


def find_checkpoint(path: str | Path) -> Path:
    """Return the checkpoint that a path stands for: the best of a run folder, or the file itself.

    Raises:
        ValueError: Neither is there.
    """
    path = Path(path)
    if path.suffix == CHECKPOINT_SUFFIX and path.is_file():
        return path
    run = RunFolder(path)
    for checkpoint in (run.best, run.last):
        if checkpoint.is_file():
            return checkpoint
    if path.suffix == ".h5":
        raise ValueError(
            f"{path}: weights without their model are read by `test` and the export commands, "
            "with --weights_path NAME.weights.h5 and --model_name; give a run folder or a .keras "
            "file elsewhere"
        )
    raise ValueError(
        f"{path}: there is no trained model here; give a run folder such as weights/exp1/unet "
        "or a .keras file"
    )
