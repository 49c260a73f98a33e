"""The loss of a run, with class weights counted from its training images."""

from __future__ import annotations

from typing import Any

import keras

from kseg.config import TrainConfig
from kseg.data.check import ClassCounts
from kseg.data.class_weighting import class_weights
from kseg.data.dataset import Dataset
from kseg.losses import get_loss


def check_loss(config: TrainConfig) -> None:
    """Raise ValueError for a loss that cannot be built, before any file is read."""
    weights = config.class_weights
    if isinstance(weights, str):
        # The numbers are counted later; what matters is whether the loss takes any.
        weights = None if weights == "none" else [1.0, 1.0]
    _build(config, 0, weights)


def training_loss(config: TrainConfig, dataset: Dataset, counts: ClassCounts) -> keras.losses.Loss:
    """Return the loss of the settings and print its class weights.

    Args:
        config: The settings.
        dataset: The data set.
        counts: What its training images show.

    Raises:
        ValueError: A name, an option or a weight that the loss does not take.
    """
    return _build(config, dataset.void, _class_weights(config, dataset, counts))


def refuse_another_loss(stored: keras.losses.Loss, wanted: keras.losses.Loss) -> None:
    """Raise ValueError where the run to resume was started with another loss."""
    one, other = (keras.saving.serialize_keras_object(loss) for loss in (stored, wanted))
    if _without_names(one) != _without_names(other):
        raise ValueError(
            "--loss, --loss_options, --class_weights (or the pixels counted for them) or "
            "--ignore_class are not those of the run to resume; start a new run with another "
            "--exp_name"
        )


def _without_names(value: Any) -> Any:
    """Drop the names that Keras numbers anew in each process, at any depth."""
    if isinstance(value, list):
        return [_without_names(one) for one in value]
    if isinstance(value, dict):
        return {key: _without_names(one) for key, one in value.items() if key != "name"}
    return value


def _class_weights(
    config: TrainConfig, dataset: Dataset, counts: ClassCounts
) -> list[float] | None:
    method, names = config.class_weights, dataset.class_names
    if method == "none":
        return None
    if isinstance(method, str):
        counted = class_weights(counts.pixels, method, image_pixels=counts.image_pixels)
        weights = counted.tolist()
    else:
        weights, method = method, "given"
    if len(weights) != len(names):
        raise ValueError(
            f"--class_weights has {len(weights)} numbers, but {dataset.name} has {len(names)} "
            f"classes: {', '.join(names)}"
        )
    listed = ", ".join(f"{name} {weight:g}" for name, weight in zip(names, weights, strict=True))
    print(f"class weights ({method}): {listed}")
    return weights


def _build(
    config: TrainConfig, ignore_class: int, weights: list[float] | None
) -> keras.losses.Loss:
    options = {"ignore_class": ignore_class, **config.loss_options}
    if weights is not None:
        options["class_weights"] = weights
    try:
        return get_loss(config.loss, **options)
    except (TypeError, ValueError) as error:
        message = str(error)
        if ": 'class_weights';" in message:
            message = (
                f"--class_weights: the loss {config.loss!r} takes no class weights; leave the "
                "flag out or choose another --loss"
            )
        raise ValueError(message) from error
