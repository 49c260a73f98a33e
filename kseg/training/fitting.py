"""The phases of a run, one after the other, from wherever an earlier start left off."""

from __future__ import annotations

import keras

from kseg.config import TrainConfig
from kseg.config.parse import config_text
from kseg.inference.model_file import ModelInfo
from kseg.runs import RunFolder
from kseg.training.averages import has_averages, settle_on_averages
from kseg.training.callbacks import (
    Checkpoints,
    EarlyStop,
    MetricsCsv,
    PlainNames,
    Progress,
    StopAtNaN,
    TensorBoardLog,
    ran_dry,
)
from kseg.training.callbacks.profiler import ProfilerTrace
from kseg.training.compiling import compile_for, go_on
from kseg.training.inputs import Inputs
from kseg.training.loader import EpochSetter, Loader, own_errors
from kseg.training.monitor import mode_of
from kseg.training.phases import Phase, plan_phases
from kseg.training.plateau import Plateau
from kseg.training.schedule_options import schedule_options

_PICTURES = 3


class Fitting:
    """Trains a model through the phases that are left.

    Args:
        config: The settings.
        run: Where everything goes.
        inputs: The batches.
        loss: The loss.
        model: The model, compiled if an earlier start got as far as a checkpoint.
        info: What the model file says, with the number of finished epochs.

    Raises:
        ValueError: There are fewer images than a batch has.
    """

    def __init__(
        self,
        config: TrainConfig,
        run: RunFolder,
        inputs: Inputs,
        loss: keras.losses.Loss,
        model: keras.Model,
        info: ModelInfo,
    ):
        self.config, self.run, self.loss = config, run, loss
        self.dataset, self.recipe = inputs.dataset, inputs.recipe
        self.model, self.info = model, info
        self._inputs, self._validation = inputs, inputs.validation()
        phases = plan_phases(config)
        self._loaders = {phase: inputs.training(phase.batch_size) for phase in phases}
        self._left = [phase for phase in phases if info.epochs < phase.last]
        self._leads = inputs.job.leads
        profiled = config.profile and self._leads
        self._profiler = ProfilerTrace(run.log / "train") if profiled else None
        # For the log of the first phase of this start.
        self._settings: str | None = config_text(config)

    def compile(self) -> None:
        """Compile the model for what comes next.

        Raises:
            ValueError: A setting that optimizer or schedule do not take, or no encoder to freeze.
        """
        if not self._left:
            return
        phase = self._left[0]
        options = phase, self.config, self.model
        steps = len(self._loaders[phase])
        if self.info.epochs > phase.first:
            go_on(*options, steps)
            return
        if phase.first:
            settle_on_averages(self.model)
        compile_for(*options, self.loss, self.dataset, steps)

    @property
    def training(self) -> Loader:
        """The batches of the phase that comes next."""
        return self._loaders[self._left[0]]

    def fit(self) -> None:
        """Train until the last epoch, or until nothing gets better any more."""
        while self._left:
            phase = self._left[0]
            checkpoints = Checkpoints(self.run, self.info, writes=self._leads)
            if not self._is_over(phase):
                self._fit(phase, checkpoints)
            self.info = checkpoints.info
            del self._left[0]
            self.compile()

    def _is_over(self, phase: Phase) -> bool:
        """Tell whether an earlier start ended because nothing got better any more."""
        # The first epochs with a free encoder are often worse than the best frozen one.
        return ran_dry(self.info, self._patience(phase), phase.first)

    def _patience(self, phase: Phase) -> int:
        # A frozen encoder soon teaches all it can; that must not end the run.
        return 0 if phase.frozen and len(self._left) > 1 else self.config.early_stopping

    def _fit(self, phase: Phase, checkpoints: Checkpoints) -> None:
        training = self._loaders[phase]
        callbacks = self._callbacks(phase, training, checkpoints)
        try:
            with own_errors(training, self._validation):
                self.model.fit(
                    training,
                    validation_data=self._validation,
                    epochs=phase.last,
                    initial_epoch=self.info.epochs,
                    callbacks=callbacks,
                    # Keras would shuffle once more, by a state that no checkpoint keeps.
                    shuffle=False,
                    verbose=0,
                )
        finally:
            # Keras tells callbacks nothing of an error, whose message needs a line of its own.
            for callback in callbacks:
                if isinstance(callback, Progress):
                    callback.close()

    def _callbacks(
        self, phase: Phase, training: Loader, checkpoints: Checkpoints
    ) -> list[keras.callbacks.Callback]:
        images = len(training) * phase.batch_size
        records = MetricsCsv(self.run.metrics, self.info.epochs, writes=self._leads)
        first = self._settings is not None
        callbacks = [
            EpochSetter(training),
            PlainNames(),
            StopAtNaN(self.run),
            *([Progress(self._steps(), self.info.monitor)] if self._leads else []),
            # All processes must compute the same, also what only one of them writes.
            TensorBoardLog(
                self.run.log,
                self._inputs.shown(_PICTURES),
                self.dataset.void,
                images,
                self.info.epochs,
                class_names=self.dataset.class_names,
                config_text=self._settings or "",
                writes=self._leads,
            ),
            # Records come before the checkpoint: a run killed in between writes them once more.
            records,
        ]
        if self._profiler is not None and first:
            callbacks.append(self._profiler)
        self._settings = None
        if self.config.lr_schedule == "plateau":
            options = schedule_options("plateau", self.config.lr_options)
            name = self.info.monitor
            plateau = Plateau(records, name, mode_of(name), **options, first_epoch=phase.first)
            callbacks.append(plateau)
        if has_averages(self.model):
            callbacks.append(keras.callbacks.SwapEMAWeights())
        callbacks.append(checkpoints)
        if patience := self._patience(phase):
            callbacks.append(EarlyStop(checkpoints, patience, phase.first))
        return callbacks

    def _steps(self) -> list[tuple[int, int]]:
        """Return the training steps and the batch size of each epoch of the whole run."""
        return [
            (len(loader), phase.batch_size)
            for phase, loader in self._loaders.items()
            for _ in range(phase.epochs)
        ]
