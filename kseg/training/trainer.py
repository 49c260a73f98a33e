"""`kseg train`: from a config to a filled run folder."""

from __future__ import annotations

import keras

from kseg.config import TrainConfig
from kseg.config.parse import save_config
from kseg.data.augment.read import write_recipe
from kseg.inference.evaluate import evaluate_split
from kseg.inference.predictor import Predictor
from kseg.quiet import quiet_stderr
from kseg.runs import RunFolder
from kseg.training.augmentation import run_recipe
from kseg.training.callbacks import read_metrics
from kseg.training.curves import draw_curves
from kseg.training.distribution import Job, data_parallel, joined
from kseg.training.environment import write_environment
from kseg.training.fitting import Fitting
from kseg.training.heads import head_names
from kseg.training.inputs import Inputs, checked_dataset
from kseg.training.loss import check_loss, training_loss
from kseg.training.model import new_model, restored_model
from kseg.training.monitor import monitored
from kseg.training.own_sizes import check_own_sizes
from kseg.training.processor import warn_of_slow_precision
from kseg.training.summary import print_summary

# What one start does, as opposed to what the run is.
_ACTIONS = (
    *("resume", "overwrite", "auto", "auto_minutes", "auto_memory_gb", "lr_find"),
    *("num_processes", "process_id", "coordinator"),
)


def train(config: TrainConfig) -> RunFolder:
    """Train, keep the best and the last checkpoint, and score the best on held-out images.

    Nothing is written before the data set has been checked. Of several processes one writes.

    Raises:
        ValueError: A setting, the data set or an earlier run is in the way. Of several processes
            each prints the sentence instead and ends, so that the others can end too.
    """
    run = RunFolder(config.run_path)
    with joined(config) as job:
        with data_parallel(job):
            fitting = prepare(config, run, job)
            if job.leads:
                _begin(config, run, fitting)
            fitting.fit()
        if job.leads:
            _finish(config, run, fitting)
    return run


def _begin(config: TrainConfig, run: RunFolder, fitting: Fitting) -> None:
    if not config.resume:
        run.create(overwrite=config.overwrite)
    save_config(config, run.config, exclude=_ACTIONS)
    write_recipe(fitting.recipe, run.augment)
    write_environment(run.environment, config.seed)


def _finish(config: TrainConfig, run: RunFolder, fitting: Fitting) -> None:
    draw_curves(run.curves, read_metrics(run.metrics))
    predictor = Predictor.load(run.path, tile=config.tile)
    evaluate_split(predictor, fitting.dataset, "test", run.evaluation, config.val_batch_size)
    print_summary(run)


def prepare(config: TrainConfig, run: RunFolder, job: Job) -> Fitting:
    """Check all that can be checked and build the model, without writing anything.

    Args:
        config: The settings.
        run: Where everything will go.
        job: What this process does of the run; call it in `data_parallel(job)`.

    Raises:
        ValueError: A setting, the data set or an earlier run is in the way.
    """
    # On other backends Keras imports TensorFlow for this, which talks.
    with quiet_stderr():
        keras.utils.set_random_seed(config.seed)
    check_loss(config)
    monitored(config)
    if job.leads:
        warn_of_slow_precision(config.precision)
    recipe = run_recipe(config, run)
    dataset, counts = job.one_first(lambda: checked_dataset(config))
    check_own_sizes(config, dataset)
    loss = training_loss(config, dataset, counts)
    if config.resume:
        model, info = restored_model(config, run, dataset, loss)
    else:
        model, info = new_model(config, dataset)
    inputs = Inputs(config, dataset, loss, recipe, head_names(model), job)
    fitting = Fitting(config, run, inputs, loss, model, info)
    fitting.compile()
    return fitting
