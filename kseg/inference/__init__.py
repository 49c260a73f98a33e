"""Using a trained model: prediction, evaluation, pictures."""

from kseg.inference.model_file import ModelInfo, load_model, save_model
from kseg.inference.predictor import Predictor

__all__ = ["ModelInfo", "Predictor", "load_model", "save_model"]
