"""The model zoo: `get_model("unet", num_classes=2)`, `list_models()`, `model_spec("unet")`."""

from importlib import import_module
from pkgutil import iter_modules

from kseg.models.factory import get_model, without_aux_heads
from kseg.models.pooled import pooled_normalisation
from kseg.models.registry import ModelSpec, list_models, model_spec, register_model

__all__ = [
    "ModelSpec",
    "get_model",
    "list_models",
    "model_spec",
    "pooled_normalisation",
    "register_model",
    "without_aux_heads",
]

# A module of this package registers the models in it when it is imported.
for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
