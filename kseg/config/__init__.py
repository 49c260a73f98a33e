"""One validated dataclass per command: its fields are the flags, the help and the saved keys."""

from kseg.config.evaluate import EvaluateConfig, FolderTestConfig
from kseg.config.models import ModelsConfig
from kseg.config.parse import UsageError, parse_config
from kseg.config.parts import PartsConfig
from kseg.config.predict import PredictConfig
from kseg.config.train import TrainConfig

__all__ = [
    "EvaluateConfig",
    "FolderTestConfig",
    "ModelsConfig",
    "PartsConfig",
    "PredictConfig",
    "TrainConfig",
    "UsageError",
    "parse_config",
]
