"""Run-length codes of COCO, decoded with bounds.

pycocotools decodes the same codes in C without checking them: a damaged one ends the process.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_FIRST, _LAST = 48, 111
_MAX_GROUPS = 8


def run_lengths(counts: object, size: tuple[int, int]) -> list[int]:
    """Return the lengths of runs of 0 and 1 in turn, down the columns.

    Args:
        counts: The lengths, or COCO's compressed text of them.
        size: Height and width of the mask.

    Raises:
        ValueError: Lengths that are no numbers, are negative or do not fill the mask.
    """
    runs = _uncompress(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or not all(type(run) is int and run >= 0 for run in runs):
        raise ValueError("the run lengths are no whole numbers")
    if sum(runs) != size[0] * size[1]:
        raise ValueError(f"the run lengths are not those of a mask of {size[1]}x{size[0]} pixels")
    return runs


def decode_runs(runs: Sequence[int], size: tuple[int, int]) -> np.ndarray:
    """Return the mask `(H, W)` bool of lengths that `run_lengths` has checked."""
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(size[::-1]).T


def _uncompress(text: str) -> list[int]:
    """Return the run lengths of COCO's compressed text.

    Each number is given in groups of five bits, low ones first, a sixth bit telling that more
    follow; from the fourth on, numbers are differences to the one two places before.
    """
    runs: list[int] = []
    value = groups = 0
    for letter in text:
        code = ord(letter) - _FIRST
        if not 0 <= code <= _LAST - _FIRST or groups == _MAX_GROUPS:
            raise ValueError("this is no compressed run-length code")
        value |= (code & 31) << (5 * groups)
        groups += 1
        if code & 32:
            continue
        if code & 16:
            value -= 1 << (5 * groups)
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = groups = 0
    if groups:
        raise ValueError("this compressed run-length code is cut off")
    return runs
