"""Which of our models can be compared with networks of PyTorch."""

from __future__ import annotations

import importlib.util

SMP = "segmentation_models_pytorch"

# Our models by name and encoder, and the class and encoder of segmentation_models_pytorch that
# stand for the same architecture. Decoders differ in detail, so the counts of parameters do.
SAME_ARCHITECTURE = {
    ("unet", "resnet50"): ("Unet", "resnet50"),
    ("unet", "vgg16"): ("Unet", "vgg16"),
    ("unet++", "resnet50"): ("UnetPlusPlus", "resnet50"),
    ("deeplab_v3_plus", "resnet50"): ("DeepLabV3Plus", "resnet50"),
    ("fpn", "resnet50"): ("FPN", "resnet50"),
    ("linknet", "resnet18"): ("Linknet", "resnet18"),
    ("manet", "resnet34"): ("MAnet", "resnet34"),
}
# Our model without an encoder that is written for PyTorch in `peers`, layer by layer.
PLAIN = "unet"


def split_name(text: str) -> tuple[str, str | None]:
    """Return model and encoder of a text such as `unet:resnet50`, or `unet` without an encoder."""
    model, _, encoder = text.partition(":")
    return model, encoder or None


def has_peer(model: str, encoder: str | None) -> bool:
    """Tell whether there is a network to compare a model with, and its packages are installed."""
    if importlib.util.find_spec("torch") is None:
        return False
    if encoder is None:
        return model == PLAIN
    return (model, encoder) in SAME_ARCHITECTURE and importlib.util.find_spec(SMP) is not None


def usual_models() -> list[str]:
    """Return every registered model, and then those with another encoder that have a peer."""
    from kseg.models import list_models

    return [*list_models(), *(f"{model}:{encoder}" for model, encoder in SAME_ARCHITECTURE)]
