"""A model of kseg that trains and predicts when told to; see `turns`."""

from __future__ import annotations

import time
from typing import Any

import keras
import numpy as np
from machine import describe, device_name
from side import Side, random_batch

from kseg.inference.engines import KerasEngine
from kseg.inference.jit import jit_choice
from kseg.inference.model_file import ModelInfo
from kseg.kernels import use_own_kernels, use_own_update
from kseg.losses import get_loss
from kseg.models import get_model
from kseg.models.cost import count_macs
from kseg.training.model import layer_precision

_MOST_BATCHES = 50


class KerasSide(Side):
    """A registered model as `kseg train` compiles it, and as `Predictor` runs it."""

    def __init__(self, spec: dict[str, Any]):
        super().__init__(spec)
        keras.utils.set_random_seed(0)
        start = time.perf_counter()
        with layer_precision(spec["precision"]):
            self._model = get_model(
                spec["model"], spec["classes"], encoder=spec["encoder"], image_init="divide"
            )
        self._built = time.perf_counter() - start
        jit = jit_choice(spec.get("jit", "auto"))
        if spec.get("kernels") != "keras":
            use_own_kernels(self._model, jit)
        self._model.compile("adam", get_loss("ce"), jit_compile=jit)
        # As `kseg train` does: within the step, TensorFlow would trace it twice.
        self._model.optimizer.build(self._model.trainable_variables)
        if spec.get("kernels") != "keras":
            use_own_update(self._model.optimizer, jit)

    def about(self) -> dict[str, Any]:
        """Return what was built, and on what."""
        backend, size = keras.backend.backend(), self.spec["size"]
        return {
            "parameters": self._model.count_params(),
            "gmacs": round(count_macs(self._model, (size, size)) / 1e9, 3),
            "build_seconds": round(self._built, 2),
            **describe(backend, device_name(backend), ("keras", backend)),
        }

    def first_step(self) -> float:
        """Take a training step, for which the backend compiles; return its seconds."""
        self._batch = random_batch(self.spec)
        return self.timed(self._step)

    def first_prediction(self, size: int, batch: int) -> float:
        """Predict a batch, for which the backend compiles; return the seconds."""
        self._images, _ = random_batch({**self.spec, "size": size, "batch": batch})
        if not hasattr(self, "_engine"):
            self._engine = KerasEngine(self._model, self._info())
        return self.timed(self._predict)

    def fit(self, seconds: float) -> float:
        """Return the images per second of `fit` on images in memory, after an epoch to warm up."""
        images, labels = self._batch
        step = min(self.train(0.0))
        count = int(np.clip(seconds / step, 2, _MOST_BATCHES))
        images, labels = (np.concatenate([part] * count) for part in (images, labels))
        clock = _Clock()
        self._model.fit(
            images,
            labels,
            batch_size=self.spec["batch"],
            epochs=2,
            shuffle=False,
            verbose=0,
            callbacks=[clock],
        )
        return len(images) / clock.seconds

    def memory_mb(self) -> float:
        """Return the most memory that was in use, of the GPU where there is one."""
        backend = keras.backend.backend()
        return _GPU_MEMORY[backend]() or super().memory_mb()

    def _info(self) -> ModelInfo:
        names = tuple(str(label) for label in range(self.spec["classes"]))
        return ModelInfo(
            model_name=self.spec["model"],
            class_names=names,
            ignore_class=None,
            input_height=self.spec["size"],
            input_width=self.spec["size"],
            resize_op=1,
            image_init="divide",
            monitor="val_iou_score",
        )

    def _step(self) -> None:
        # The loss comes back as a number: the step is over.
        self._model.train_on_batch(*self._batch)

    def _predict(self) -> np.ndarray:
        return self._engine.labels(self._images)


class _Clock(keras.callbacks.Callback):
    """Seconds of the last epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds = time.perf_counter() - self._start


def _of_tensorflow() -> float | None:
    import tensorflow as tf

    if not tf.config.list_physical_devices("GPU"):
        return None
    return tf.config.experimental.get_memory_info("GPU:0")["peak"] / 1e6


def _of_jax() -> float | None:
    import jax

    statistics = jax.devices()[0].memory_stats()
    return statistics["peak_bytes_in_use"] / 1e6 if statistics else None


def _of_torch() -> float | None:
    import torch

    return torch.cuda.max_memory_allocated() / 1e6 if torch.cuda.is_available() else None


_GPU_MEMORY = {"tensorflow": _of_tensorflow, "jax": _of_jax, "torch": _of_torch}
