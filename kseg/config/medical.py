"""Settings of `kseg train_medical`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kseg.config.train import TrainConfig


@dataclass
class MedicalConfig(TrainConfig):
    """Train on few grey images of cells with masks of 0 and 255, and score the cells found.

    These are the settings of `kseg train` with other defaults: grey images, strong elastic
    augmentation, and Dice and cross-entropy in which the pixels between two cells count more.
    After the training the images held out get the scores of the ISBI 2012 challenge.
    """

    command: ClassVar[str] = "train_medical"

    exp_name: str = "medical"
    dataset_name: str = "isbi"
    image_channels: int | None = 1
    input_height: int = 512
    input_width: int = 512
    augment: str = "medical"
    loss: str = "edge_weighted_ce_dice"
    epochs: int = 200
    train_batch_size: int = 2
    val_batch_size: int = 2
