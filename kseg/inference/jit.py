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
    on_cpu = not keras.distribution.list_devices("gpu")
    return False if keras.backend.backend() == "tensorflow" and on_cpu else "auto"
