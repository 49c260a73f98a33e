"""Whether the processor has the instructions that a precision needs."""

from __future__ import annotations

from pathlib import Path

from kseg.inference.device import has_accelerator

CPU_INFO = Path("/proc/cpuinfo")
_SIXTEEN_BITS = {"avx512_bf16", "amx_bf16"}


def warn_of_slow_precision(precision: str) -> None:
    """Print a sentence where bfloat16 is to be computed by a processor that has none.

    Such processors calculate gradients of convolutions some twelve times as slowly as in float32.
    Nothing is said where the instructions cannot be read.
    """
    if precision != "mixed_bfloat16" or has_accelerator():
        return
    flags = _flags()
    if flags and not flags & _SIXTEEN_BITS:
        print(
            "warning: this processor does not calculate in bfloat16 (AVX512-BF16 or AMX), so that "
            "training may take ten times as long as with --precision float32"
        )


def _flags() -> set[str]:
    try:
        lines = CPU_INFO.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    return next((set(line.split()) for line in lines if line.startswith("flags")), set())
