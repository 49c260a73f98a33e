"""The model zoo: `get_model("unet", num_classes=2)`, `list_models()`, `model_spec("unet")`."""

from kseg.models import enet, unet  # noqa: F401  (importing a module registers its models)
from kseg.models.factory import get_model
from kseg.models.registry import ModelSpec, list_models, model_spec, register_model

__all__ = ["ModelSpec", "get_model", "list_models", "model_spec", "register_model"]
