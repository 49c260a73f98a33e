"""The model of a run: built anew, or as an earlier start left it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras

from kseg.config import TrainConfig
from kseg.data.dataset import Dataset
from kseg.inference.model_file import ModelInfo, load_model, read_info
from kseg.models import get_model, pooled_normalisation
from kseg.runs import RunFolder
from kseg.training.loss import refuse_another_loss
from kseg.training.monitor import monitored
from kseg.training.phases import plan_phases
from kseg.training.resuming import refuse_change, refuse_changes

# What must be as it was where a run is resumed.
_FIXED = ("model_name", "image_init", "input_height", "input_width", "resize_op", "monitor")


@contextmanager
def layer_precision(policy: str) -> Iterator[None]:
    """Let new layers compute in a precision: a Keras dtype policy such as "mixed_bfloat16"."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def new_model(config: TrainConfig, dataset: Dataset) -> tuple[keras.Model, ModelInfo]:
    """Build the model of the settings, not compiled.

    Raises:
        ValueError: An unknown name or option, or batches of one image for a model that they break.
    """
    with layer_precision(config.precision):
        model = get_model(
            config.model_name,
            dataset.num_classes,
            (None, None, dataset.channels),
            encoder=config.encoder,
            encoder_weights=config.encoder_weights,
            image_init=config.image_init,
            **config.model_options,
        )
    _check_batches(config, model)
    return model, _info(config, dataset)


def _check_batches(config: TrainConfig, model: keras.Model) -> None:
    if all(phase.batch_size > 1 for phase in plan_phases(config)):
        return
    size = config.crop or (config.input_height, config.input_width)
    if layers := pooled_normalisation(model, size):
        raise ValueError(
            f"batches of 1 image cannot train {config.model_name} at {size[0]}x{size[1]}: its "
            f"batch normalisation {layers[0]} sees one value per image and channel, whose variance "
            "is 0; give --train_batch_size 2 or more, or another model"
        )


def _info(config: TrainConfig, dataset: Dataset) -> ModelInfo:
    return ModelInfo(
        model_name=config.model_name,
        class_names=tuple(dataset.class_names),
        ignore_class=dataset.ignore_class,
        input_height=config.input_height,
        input_width=config.input_width,
        resize_op=config.resize_op,
        image_init=config.image_init,
        monitor=monitored(config),
    )


def restored_model(
    config: TrainConfig, run: RunFolder, dataset: Dataset, loss: keras.losses.Loss
) -> tuple[keras.Model, ModelInfo]:
    """Load model, optimizer and progress of the run that is resumed.

    Raises:
        ValueError: There is no run, or it was made with other settings.
    """
    if not run.last.is_file():
        raise ValueError(f"{run.path}: there is no run to resume; leave --resume out")
    stored, wanted = read_info(run.last), _info(config, dataset)
    for name in _FIXED:
        refuse_change(name, getattr(stored, name), getattr(wanted, name))
    if len(stored.class_names) != len(wanted.class_names):
        raise ValueError(
            f"the data set has {len(wanted.class_names)} classes, but the run to resume has "
            f"{len(stored.class_names)}; start a new run with another --exp_name"
        )
    refuse_changes(config, run, stored.epochs)
    model, info = load_model(run.last, compile=True)
    refuse_another_loss(first_loss(model), loss)
    return model, info


def first_loss(model: keras.Model) -> keras.losses.Loss:
    """Return the loss of a compiled model; that of the answer where there are several outputs."""
    return model.loss["logits"] if isinstance(model.loss, dict) else model.loss
