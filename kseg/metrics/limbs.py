"""Exact sums on the device, in two int32 limbs: `high * 2**20 + low`.

JAX and torch truncate int64 to int32, and a float32 sum of a million values has lost digits.
Sums of integers are the same in any order and any split into batches.
"""

import numpy as np
from keras import ops

# 20 bits leave room for the batch to add, and for `tf.distribute` to sum the replicas' limbs.
_LOW_BITS = 20
# float32 numbers from 0.5 to 1 are whole multiples of 2**-24.
_FRACTION_BITS = 24
_HALF_BITS = _FRACTION_BITS // 2


def add_limbs(low, high, more_low, more_high=0):
    """Return the limbs of a sum; all int32 and of one shape, `more_low` up to 2**30."""
    total = low + more_low
    carry = ops.right_shift(total, _LOW_BITS)
    return total - ops.left_shift(carry, _LOW_BITS), high + more_high + carry


def float_sum(low, high):
    """Return the sums as float32, exact to 1e-7."""
    return ops.cast(high, "float32") * 2.0**_LOW_BITS + ops.cast(low, "float32")


def int_sum(low, high):
    """Return the exact sums as a NumPy int64 array."""
    low, high = (ops.convert_to_numpy(limb).astype(np.int64) for limb in (low, high))
    return (high << _LOW_BITS) + low


def fraction_limbs(values):
    """Sum float32 `values` `(N, ...)` from 0 to 1 over `N` up to 2**18, in steps of 2**-24.

    Returns:
        Two tensors `(...)` for `add_limbs`; `fraction_sum` turns the limbs back into numbers.
    """
    steps = ops.cast(ops.round(ops.cast(values, "float32") * 2.0**_FRACTION_BITS), "int32")
    # Halves of 12 bits, so that neither sum overflows.
    coarse = ops.sum(ops.right_shift(steps, _HALF_BITS), axis=0)
    fine = ops.sum(ops.bitwise_and(steps, 2**_HALF_BITS - 1), axis=0)
    split = _LOW_BITS - _HALF_BITS
    high = ops.right_shift(coarse, split)
    return fine + ops.left_shift(coarse - ops.left_shift(high, split), _HALF_BITS), high


def fraction_sum(low, high):
    """Return sums of `fraction_limbs` as float32, exact to 1e-7."""
    return float_sum(low, high) * 2.0**-_FRACTION_BITS
