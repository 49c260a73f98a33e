"""`kseg train`: from a config to a filled run folder."""

from __future__ import annotations

import keras

from kseg.config import TrainConfig
from kseg.config.parse import save_config
from kseg.data.augment.read import write_recipe
from kseg.data.dataset import Dataset
from kseg.inference.evaluate import evaluate_split
from kseg.inference.jit import jit_choice
from kseg.inference.model_file import ModelInfo, load_model, read_info
from kseg.inference.predictor import Predictor
from kseg.metrics import SegmentationMetrics
from kseg.models import get_model
from kseg.runs import RunFolder
from kseg.training.augmentation import run_recipe
from kseg.training.callbacks import (
    Checkpoints,
    EarlyStop,
    MetricsCsv,
    Progress,
    TensorBoardLog,
    read_metrics,
)
from kseg.training.curves import draw_curves
from kseg.training.distribution import use_all_devices
from kseg.training.environment import write_environment
from kseg.training.inputs import checked_dataset, make_loaders
from kseg.training.loader import EpochSetter, Loader
from kseg.training.loss import check_loss, refuse_another_loss, training_loss
from kseg.training.optimizers import get_optimizer

SCORES = ("iou_score", "jaccard_score", "dice_score", "f1_score", "f2_score", "pixel_accuracy")
PICTURES = 3
# What one start does, as opposed to what the run is.
_ACTIONS = ("resume", "overwrite")


def train(config: TrainConfig) -> RunFolder:
    """Train, keep the best and the last checkpoint, and score the best on held-out images.

    Nothing is written before the data set has been checked.

    Raises:
        ValueError: A setting, the data set or an earlier run is in the way.
    """
    run = RunFolder(config.run_path)
    keras.utils.set_random_seed(config.seed)
    if config.multi_gpus:
        use_all_devices(config.train_batch_size)
    check_loss(config)
    recipe = run_recipe(config, run)
    dataset, counts = checked_dataset(config)
    loss = training_loss(config, dataset, counts)
    loaders = make_loaders(config, dataset, loss, recipe)
    if config.resume:
        model, info = _restored(config, run, dataset, loss)
    else:
        model, info = _new(config, dataset, loss, steps=config.epochs * len(loaders[0]))
        run.create(overwrite=config.overwrite)
    save_config(config, run.config, exclude=_ACTIONS)
    write_recipe(recipe, run.augment)
    write_environment(run.environment, config.seed)
    _fit(config, run, model, info, dataset, loaders)
    draw_curves(run.curves, read_metrics(run.metrics))
    evaluate_split(Predictor.load(run.path), dataset, "test", run.evaluation, config.val_batch_size)
    _say_where_to_look(run)
    return run


def _new(
    config: TrainConfig, dataset: Dataset, loss: keras.losses.Loss, steps: int
) -> tuple[keras.Model, ModelInfo]:
    model = get_model(
        config.model_name,
        dataset.num_classes,
        (None, None, dataset.channels),
        encoder=config.encoder,
        encoder_weights=config.encoder_weights,
        image_init=config.image_init,
        **config.model_options,
    )
    if isinstance(model.output, dict):
        raise ValueError(
            f"--model_options {config.model_options}: this command trains models with one output; "
            "leave deep_supervision or aux_heads out"
        )
    model.compile(
        get_optimizer(config.optimizer_name, config.learning_rate, config.lr_schedule, steps),
        loss,
        metrics=[SegmentationMetrics(dataset.num_classes, SCORES, ignore_class=dataset.void)],
        jit_compile=jit_choice(config.jit),
    )
    return model, _info(config, dataset)


def _info(config: TrainConfig, dataset: Dataset) -> ModelInfo:
    return ModelInfo(
        model_name=config.model_name,
        class_names=tuple(dataset.class_names),
        ignore_class=dataset.ignore_class,
        input_height=config.input_height,
        input_width=config.input_width,
        resize_op=config.resize_op,
        image_init=config.image_init,
    )


def _restored(
    config: TrainConfig, run: RunFolder, dataset: Dataset, loss: keras.losses.Loss
) -> tuple[keras.Model, ModelInfo]:
    """Load model, optimizer and progress of the run that is resumed."""
    if not run.last.is_file():
        raise ValueError(f"{run.path}: there is no run to resume; leave --resume out")
    stored, wanted = read_info(run.last), _info(config, dataset)
    for name in ("model_name", "image_init", "input_height", "input_width", "resize_op"):
        if getattr(stored, name) != getattr(wanted, name):
            raise ValueError(
                f"--{name} is {getattr(wanted, name)}, but the run to resume has "
                f"{getattr(stored, name)}; start a new run with another --exp_name"
            )
    if len(stored.class_names) != len(wanted.class_names):
        raise ValueError(
            f"the data set has {len(wanted.class_names)} classes, but the run to resume has "
            f"{len(stored.class_names)}; start a new run with another --exp_name"
        )
    model, info = load_model(run.last, compile=True)
    refuse_another_loss(model.loss, loss)
    return model, info


def _fit(
    config: TrainConfig,
    run: RunFolder,
    model: keras.Model,
    info: ModelInfo,
    dataset: Dataset,
    loaders: tuple[Loader, Loader | None],
) -> None:
    training, validation = loaders
    monitor = "iou_score" if validation is None else "val_iou_score"
    images, labels = (validation or training)[0][:2]
    if labels.ndim == images.ndim:  # soft truth of mixed samples
        labels = labels.argmax(-1)
    checkpoints = Checkpoints(run, info, monitor)
    callbacks = [
        EpochSetter(training),
        Progress(len(training), config.train_batch_size, config.epochs, monitor),
        # Records come before the checkpoint: a run killed in between writes them once more.
        MetricsCsv(run.metrics, info.epochs),
        TensorBoardLog(
            run.log,
            (images[:PICTURES], labels[:PICTURES]),
            dataset.void,
            len(training) * config.train_batch_size,
            info.epochs,
        ),
        checkpoints,
    ]
    if config.early_stopping:
        callbacks.append(EarlyStop(checkpoints, config.early_stopping))
    model.fit(
        training,
        validation_data=validation,
        epochs=config.epochs,
        initial_epoch=info.epochs,
        callbacks=callbacks,
        # Keras would shuffle the batches once more, with a state that no checkpoint keeps.
        shuffle=False,
        verbose=0,
    )


def _say_where_to_look(run: RunFolder) -> None:
    print(
        f"run folder: {run.path}\n"
        f"  curves:   {run.curves}\n"
        f"  pictures: {run.evaluation / 'contact_sheet.png'}\n"
        f"  charts:   tensorboard --logdir {run.log}"
    )
