"""The highest learning rate of a run: a number, the optimizer's default, or fitted to the batch."""

from __future__ import annotations

from typing import Literal

from kseg.models import model_spec
from kseg.models.registry import alias_options
from kseg.training.optimizers import DEFAULT_LEARNING_RATES, known_optimizer

AUTO = "auto"
NOMINAL_BATCH = 16

# Rate at the nominal batch, lowest and highest, as the U-Net and DeepLabV3+ trainers of bubbliiiing
# have them.
_SGD_LIMITS = 5e-4, 1e-1
_RULES = {
    ("unet", "adam"): (1e-4, 1e-4, 1e-4),
    ("unet", "sgd"): (1e-2, *_SGD_LIMITS),
    ("deeplab", "adam"): (5e-4, 3e-4, 5e-4),
    ("deeplab", "sgd"): (7e-3, *_SGD_LIMITS),
    ("deeplab_xception", "adam"): (5e-4, 1e-4, 1e-4),
    ("deeplab_xception", "sgd"): (7e-3, *_SGD_LIMITS),
}
# They take steps of the same size as Adam.
_LIKE_ADAM = {"adamw": "adam", "nadam": "adam"}


def resolve_learning_rate(
    value: float | Literal["auto"] | None, optimizer_name: str, batch_size: int, model_family: str
) -> float:
    """Return the highest learning rate of a run.

    Args:
        value: A number is returned as it is; None stands for the optimizer's default of
            `DEFAULT_LEARNING_RATES`; "auto" scales a rate with the batch, `batch_size / 16` times
            the rate for 16 images, kept within limits that depend on optimizer and model.
        optimizer_name: Keras' name in any case.
        batch_size: Images per update: those of all devices and of all accumulated batches.
        model_family: "deeplab", "deeplab_xception", or anything else for the rule of the U-Net;
            see `learning_rate_family`.

    Raises:
        ValueError: Another word, an unknown optimizer, or one that "auto" has no rule for.
    """
    name = known_optimizer(optimizer_name)
    if value is None:
        return DEFAULT_LEARNING_RATES[name]
    if not isinstance(value, str):
        return float(value)
    if value != AUTO:
        raise ValueError(f"--learning_rate must be a number or {AUTO!r}, got {value!r}")
    family = model_family if model_family.startswith("deeplab") else "unet"
    rule = _RULES.get((family, _LIKE_ADAM.get(name, name)))
    if rule is None:
        raise ValueError(
            f"--learning_rate auto has no rule for {optimizer_name}: it knows sgd, adam, adamw and "
            "nadam; give a number, or leave the flag out for the optimizer's default"
        )
    rate, lowest, highest = rule
    return min(max(batch_size / NOMINAL_BATCH * rate, lowest), highest)


def learning_rate_family(model_name: str, encoder: str | None = None) -> str:
    """Return the `model_family` of a model: its family, and the encoder where that matters.

    Raises:
        ValueError: An unknown model.
    """
    spec = model_spec(model_name)
    encoder = encoder or alias_options(model_name).get("encoder") or spec.default_encoder
    if spec.family == "deeplab" and "xception" in str(encoder).lower():
        return "deeplab_xception"
    return spec.family
