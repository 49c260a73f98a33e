"""Training: `kseg.training.train(TrainConfig(model_name="unet"))`."""

from kseg.training.trainer import train

__all__ = ["train"]
