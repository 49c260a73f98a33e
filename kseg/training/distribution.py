"""Data parallel training on the GPUs of one machine."""

from __future__ import annotations

import keras


def use_all_devices(batch_size: int) -> None:
    """Split every batch over all devices of this machine.

    Args:
        batch_size: Global batch size; it must be a multiple of the number of devices.

    Raises:
        ValueError: Not the JAX backend, one device only, or a batch that cannot be split.
    """
    backend = keras.backend.backend()
    if backend != "jax":
        raise ValueError(
            f"--multi_gpus needs the JAX backend, this is {backend}: set KERAS_BACKEND=jax"
        )
    devices = keras.distribution.list_devices()
    if len(devices) < 2:
        raise ValueError("--multi_gpus needs at least two devices, found 1; leave the flag out")
    if batch_size % len(devices):
        raise ValueError(
            f"the batch size {batch_size} cannot be split over {len(devices)} devices; "
            f"choose a multiple of {len(devices)}"
        )
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
