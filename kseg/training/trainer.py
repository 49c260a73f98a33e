"""`kseg train`: from a config to a filled run folder."""

from __future__ import annotations

import keras

from kseg.config import TrainConfig
from kseg.config.parse import save_config
from kseg.data.augment.read import write_recipe
from kseg.inference.evaluate import evaluate_split
from kseg.inference.predictor import Predictor
from kseg.runs import RunFolder
from kseg.training.augmentation import run_recipe
from kseg.training.callbacks import read_metrics
from kseg.training.curves import draw_curves
from kseg.training.distribution import use_all_devices
from kseg.training.environment import write_environment
from kseg.training.fitting import Fitting
from kseg.training.heads import head_names
from kseg.training.inputs import Inputs, checked_dataset
from kseg.training.loss import check_loss, training_loss
from kseg.training.model import new_model, restored_model
from kseg.training.monitor import monitored
from kseg.training.summary import print_summary

# What one start does, as opposed to what the run is.
_ACTIONS = ("resume", "overwrite", "auto", "auto_minutes", "auto_memory_gb", "lr_find")


def train(config: TrainConfig) -> RunFolder:
    """Train, keep the best and the last checkpoint, and score the best on held-out images.

    Nothing is written before the data set has been checked.

    Raises:
        ValueError: A setting, the data set or an earlier run is in the way.
    """
    run = RunFolder(config.run_path)
    fitting = prepare(config, run)
    if not config.resume:
        run.create(overwrite=config.overwrite)
    save_config(config, run.config, exclude=_ACTIONS)
    write_recipe(fitting.recipe, run.augment)
    write_environment(run.environment, config.seed)
    fitting.fit()
    draw_curves(run.curves, read_metrics(run.metrics))
    predictor = Predictor.load(run.path)
    evaluate_split(predictor, fitting.dataset, "test", run.evaluation, config.val_batch_size)
    print_summary(run)
    return run


def prepare(config: TrainConfig, run: RunFolder) -> Fitting:
    """Check all that can be checked and build the model, without writing anything.

    Raises:
        ValueError: A setting, the data set or an earlier run is in the way.
    """
    keras.utils.set_random_seed(config.seed)
    if config.multi_gpus:
        use_all_devices(config.train_batch_size)
    check_loss(config)
    monitored(config)
    recipe = run_recipe(config, run)
    dataset, counts = checked_dataset(config)
    loss = training_loss(config, dataset, counts)
    if config.resume:
        model, info = restored_model(config, run, dataset, loss)
    else:
        model, info = new_model(config, dataset)
    inputs = Inputs(config, dataset, loss, recipe, head_names(model))
    fitting = Fitting(config, run, inputs, loss, model, info)
    fitting.compile()
    return fitting
