"""Loss, scores and optimizer of a phase of a run."""

from __future__ import annotations

from typing import Any

import keras

from kseg.config import TrainConfig
from kseg.data.dataset import Dataset
from kseg.encoders import freeze_encoder
from kseg.inference.jit import jit_choice
from kseg.kernels import use_own_kernels, use_own_update
from kseg.metrics import SegmentationMetrics
from kseg.training.heads import ANSWER, head_losses, head_names, head_weights
from kseg.training.learning_rate import learning_rate_family, resolve_learning_rate
from kseg.training.monitor import scores_of
from kseg.training.optimizers import exclude_from_decay, make_optimizer
from kseg.training.phases import Phase
from kseg.training.resuming import set_rate
from kseg.training.schedules import make_schedule


def compile_for(
    phase: Phase,
    config: TrainConfig,
    model: keras.Model,
    loss: keras.losses.Loss,
    dataset: Dataset,
    steps: int,
) -> None:
    """Compile a model for a phase, with an optimizer that has seen nothing yet.

    Args:
        phase: The phase.
        config: The settings of the run.
        model: The model; its encoder is frozen or not as the phase says.
        loss: The loss.
        dataset: Its classes are scored.
        steps: Training steps per epoch.

    Raises:
        ValueError: A setting that the optimizer or the schedule does not take, or an encoder to
            freeze where the model has none.
    """
    if config.freeze_epochs:
        freeze_encoder(model, phase.frozen)
    scores = SegmentationMetrics(dataset.num_classes, scores_of(config), ignore_class=dataset.void)
    heads = head_names(model)
    outputs: dict[str, Any] = {"loss": loss, "metrics": [scores]}
    if heads:
        outputs = {
            "loss": head_losses(heads, loss, dataset.void),
            "loss_weights": head_weights(heads, config.aux_weight),
            "metrics": {ANSWER: [scores]},
        }
    optimizer = make_optimizer(
        config.optimizer_name,
        phase_schedule(phase, config, steps),
        weight_decay=config.weight_decay,
        clip_norm=config.clip_norm,
        accumulate=config.accumulate,
        ema=config.ema,
    )
    if config.precision == "mixed_float16":
        # Keras would wrap it too, but forget the wrapper and all state in the model file.
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    jit = jit_choice(config.jit)
    use_own_kernels(model, jit)
    model.compile(optimizer, jit_compile=jit, **outputs)
    exclude_from_decay(model.optimizer, model)
    # Built within the first step, its variables would have TensorFlow trace that step twice.
    model.optimizer.build(model.trainable_variables)
    use_own_update(model.optimizer, jit)


def phase_schedule(
    phase: Phase, config: TrainConfig, steps: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Return the learning rate over a phase of `steps` training steps per epoch."""
    peak = resolve_learning_rate(
        phase.learning_rate,
        config.optimizer_name,
        phase.batch_size * config.accumulate,
        learning_rate_family(config.model_name, config.encoder),
    )
    return make_schedule(
        config.lr_schedule,
        peak,
        steps_per_epoch=steps,
        epochs=phase.epochs,
        accumulate=config.accumulate,
        options=config.lr_options,
    )


def go_on(phase: Phase, config: TrainConfig, model: keras.Model, steps: int) -> None:
    """Give a model that was loaded in the middle of a phase what no file keeps.

    The schedule is that of the present settings: a run may have been made longer.

    Raises:
        ValueError: The learning rate cannot become what the settings say.
    """
    jit = jit_choice(config.jit)
    # The file says what suited the machine and the backend of an earlier start.
    model.jit_compile = model._resolve_auto_jit_compile() if jit == "auto" else jit
    use_own_kernels(model, jit)
    use_own_update(model.optimizer, jit)
    set_rate(model.optimizer, phase_schedule(phase, config, steps), config.lr_schedule)
    exclude_from_decay(model.optimizer, model)
