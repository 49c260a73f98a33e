"""One validated dataclass per command: its fields are the flags, the help and the saved keys."""

from kseg.config.augmentation import AugmentationConfig
from kseg.config.check import CheckConfig
from kseg.config.compare import CompareConfig
from kseg.config.demo import DemoConfig
from kseg.config.download import DownloadConfig
from kseg.config.evaluate import EvaluateConfig, FolderTestConfig
from kseg.config.export import ExportConfig
from kseg.config.export_formats import (
    ExportAllConfig,
    LitertConfig,
    NcnnConfig,
    OnnxConfig,
    OpenvinoConfig,
    PbConfig,
    SavedModelConfig,
    TensorrtConfig,
)
from kseg.config.labelme import LabelmeConfig
from kseg.config.launch import LaunchConfig
from kseg.config.medical import MedicalConfig
from kseg.config.models import ModelsConfig
from kseg.config.parse import UsageError, parse_config
from kseg.config.parts import PartsConfig
from kseg.config.predict import PredictConfig
from kseg.config.train import TrainConfig
from kseg.config.voc import VocAnnotationConfig

__all__ = [
    "AugmentationConfig",
    "CheckConfig",
    "CompareConfig",
    "DemoConfig",
    "DownloadConfig",
    "EvaluateConfig",
    "ExportAllConfig",
    "ExportConfig",
    "FolderTestConfig",
    "LabelmeConfig",
    "LaunchConfig",
    "LitertConfig",
    "MedicalConfig",
    "ModelsConfig",
    "NcnnConfig",
    "OnnxConfig",
    "OpenvinoConfig",
    "PartsConfig",
    "PbConfig",
    "PredictConfig",
    "SavedModelConfig",
    "TensorrtConfig",
    "TrainConfig",
    "UsageError",
    "VocAnnotationConfig",
    "parse_config",
]
