"""Whether Keras should compile with XLA."""

from __future__ import annotations

import keras


def jit_choice(mode: str = "auto") -> bool | str:
    """Return the value for `compile(jit_compile=...)`.

    TensorFlow's own CPU kernels (oneDNN) beat XLA's convolutions, and XLA compiles anew for each
    shape, so "auto" leaves XLA off there; everywhere else Keras chooses.

    Args:
        mode: "auto", "on" or "off".
    """
    if mode != "auto":
        return mode == "on"
    if keras.backend.backend() != "tensorflow":
        return "auto"
    on_gpu = any("gpu" in device for device in keras.distribution.list_devices())
    return "auto" if on_gpu else False
