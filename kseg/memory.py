"""On a CPU, memory that a step has freed is kept for the next one."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

DEVICES = Path("/dev")
# GPUs of NVIDIA and TPUs.
_ACCELERATORS = ("nvidia[0-9]*", "nvmap", "accel[0-9]*", "vfio/[0-9]*")
# Of glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8
_NEVER = 2**31 - 1


def keep_freed_memory() -> None:
    """Let the C library keep what this process frees; call it before threads are started.

    Each step on a CPU asks for the same large maps. By default glibc gets those of over 32 MiB
    from the system and returns them at once, and the system has to clear every page again: up to a
    quarter of a training step. Nothing is done where an accelerator may compute, where the C
    library is another one, and where the user has set its variables (`MALLOC_...`,
    `GLIBC_TUNABLES`).
    """
    if sys.platform != "linux" or _is_tuned() or _has_accelerator():
        return
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return
    # One heap for all threads, as the others of glibc cannot hold large blocks.
    for option, value in ((_ARENA_MAX, 1), (_MMAP_MAX, 0), (_TRIM_THRESHOLD, _NEVER)):
        library.mallopt(option, value)


def _is_tuned() -> bool:
    return any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ)


def _has_accelerator() -> bool:
    # Keras would know, but it starts threads.
    return any(True for pattern in _ACCELERATORS for _ in DEVICES.glob(pattern))
