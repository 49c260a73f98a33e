"""Label maps and the settings of property tests that several tests of metrics share."""

import keras
import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from kseg.metrics import get_metric

properties = settings(max_examples=15, deadline=None, derandomize=True)
seeds = st.integers(0, 2**16)


def batch(seed, num_classes=4, images=6):
    """Labels without the last class, and predictions with it."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, num_classes - 1, (images, 5, 4))
    return truth, rng.integers(0, num_classes, truth.shape)


def scored(name, truth, prediction, num_classes=4, **options):
    """The value of one metric after one batch, as NumPy."""
    metric = get_metric(name, num_classes, **options)
    metric.update_state(truth, prediction)
    return keras.ops.convert_to_numpy(metric.result())
