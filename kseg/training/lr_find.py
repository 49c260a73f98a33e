"""The learning rate range test: which rates make the loss fall fastest."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kseg.files import replacing, replacing_text
from kseg.kernels import use_own_update
from kseg.training.optimizers import exclude_from_decay

_MEMORY = 0.9
_FEWEST = 10
# Means of pure noise differ by three or four of its standard deviations here and there.
_TIMES_NOISE = 5


@dataclass(frozen=True)
class RateTest:
    """What a range test found.

    Attributes:
        rates: Learning rates that were tried, rising, `(n,)`.
        losses: Loss at each of them, finite, `(n,)`.
        suggestion: The rate at which the smoothed loss falls steepest.
    """

    rates: np.ndarray
    losses: np.ndarray
    suggestion: float


def find_learning_rate(
    model: keras.Model,
    batches: Iterable[tuple],
    *,
    low: float = 1e-7,
    high: float = 1.0,
    steps: int = 100,
) -> RateTest:
    """Train over rising learning rates and suggest the one at which the loss falls steepest.

    Smith, "Cyclical Learning Rates for Training Neural Networks", 2015, arXiv 1506.01186, with an
    exponential rise in place of his straight line, so that small rates get their share. It ends
    early where the smoothed loss is four times the best one so far. Weights, moving statistics,
    random states and the optimizer of the model are the same afterwards. Where the optimizer adds
    up gradients, each rate takes as many batches as an update needs.

    Args:
        model: A compiled model that is built.
        batches: Tuples for `train_on_batch`; begun again when they are used up.
        low: First rate, above 0.
        high: Last rate.
        steps: Number of rates, at least 10.

    Raises:
        ValueError: A bad range, no batches, or a loss that is not finite or never falls.
    """
    if not 0 < low < high or steps < _FEWEST:
        raise ValueError(
            f"the range test needs 0 < low < high and at least {_FEWEST} steps, got "
            f"low {low:g}, high {high:g}, {steps} steps"
        )
    optimizer = _copy_of(model.optimizer, low)
    per_rate = _inner(optimizer).gradient_accumulation_steps or 1
    endless, losses = _endless(batches), []
    rates = np.geomspace(low, high, steps)
    with _borrowed(model, optimizer):
        for rate in rates:
            optimizer.learning_rate = float(rate)
            loss = np.mean([_train(model, next(endless)) for _ in range(per_rate)])
            if not math.isfinite(loss):
                break
            losses.append(float(loss))
            if has_diverged(losses):
                break
    rates = rates[: len(losses)]
    return RateTest(rates, np.array(losses), suggest_rate(rates, np.array(losses)))


def has_diverged(losses: Iterable[float]) -> bool:
    """Tell whether the running mean of some losses ends at four times its best value or more."""
    mean, best = 0.0, math.inf
    for count, loss in enumerate(losses, 1):
        mean = _MEMORY * mean + (1 - _MEMORY) * loss
        smoothed = mean / (1 - _MEMORY**count)
        best = min(best, smoothed)
    return smoothed > best + 3 * abs(best)


def suggest_rate(rates: np.ndarray, losses: np.ndarray) -> float:
    """Return the rate around which the loss falls steepest over the logarithm of the rate.

    The slope at a rate is that of the straight line through a fifth of all losses around it, by
    least squares; rates past the lowest mean of so many losses do not count.

    Args:
        rates: A geometric series, `(n,)`.
        losses: The loss at each, `(n,)`.

    Raises:
        ValueError: The loss does not fall by more than its noise.
    """
    if len(losses) < _FEWEST:
        tried = f"at the rate {rates[-1]:g}" if len(rates) else "at the first rate"
        raise ValueError(f"the loss grew out of bounds {tried}: begin with a lower rate")
    width = _width(len(losses))
    windows = sliding_window_view(_without_peaks(losses), width)
    means, offsets = windows.mean(1), np.arange(width) - width // 2
    slopes = windows @ offsets / (offsets @ offsets)
    lines = means[:, None] + slopes[:, None] * offsets
    lowest = int(means.argmin())
    noise = np.median((windows - lines).std(1)[: lowest + 1]) / math.sqrt(width)
    fall = means[0] - means[lowest]
    if fall <= max(_TIMES_NOISE * noise, 1e-3 * abs(means[0])):
        raise ValueError(
            f"the loss never fell between the rates {rates[0]:g} and {rates[-1]:g} beyond its "
            f"noise (from {means[0]:.4g} to {means[lowest]:.4g}): check data and loss, or try a "
            "wider range, more steps or larger batches"
        )
    return float(rates[slopes[: lowest + 1].argmin() + width // 2])


def smoothed_losses(losses: np.ndarray) -> np.ndarray:
    """Return the mean of each loss and its neighbours on both sides, a fifth of all, `(n,)`.

    A running mean of the past alone would lag behind, and suggest too high a rate.
    """
    weights = np.ones(_width(len(losses)))
    sums = np.convolve(_without_peaks(losses), weights, "same")
    return sums / np.convolve(np.ones_like(losses), weights, "same")


def _without_peaks(losses: np.ndarray) -> np.ndarray:
    """Cut what ends the test, or the last loss would outweigh all its neighbours."""
    best = losses.min()
    return np.minimum(losses, max(losses[0], best + 3 * abs(best)))


def write_rate_test(result: RateTest, folder: Path) -> Path:
    """Write `lr_find.csv` and `lr_find.png` into a folder and return the path of the picture."""
    from matplotlib.figure import Figure

    smooth = smoothed_losses(result.losses)
    table = folder / "lr_find.csv"
    with replacing_text(table) as file:
        writer = csv.writer(file)
        writer.writerow(("learning_rate", "loss", "smoothed_loss"))
        columns = (result.rates, result.losses, smooth)
        writer.writerows(zip(*(column.tolist() for column in columns), strict=True))
    figure = Figure((6, 4), layout="constrained")
    axis = figure.subplots()
    axis.plot(result.rates, result.losses, ".", alpha=0.4, label="loss")
    axis.plot(result.rates, smooth, label="smoothed")
    axis.axvline(result.suggestion, linestyle="--", label=f"suggested: {result.suggestion:.2g}")
    axis.set(xscale="log", xlabel="learning rate", ylabel="loss", title="range test")
    margin = 0.1 * (smooth.max() - smooth.min())
    axis.set_ylim(smooth.min() - margin, smooth.max() + margin)
    axis.grid(alpha=0.3)
    axis.legend()
    picture = folder / "lr_find.png"
    with replacing(picture) as draft:
        figure.savefig(draft, dpi=110)
    return picture


def _width(count: int) -> int:
    """Return how many losses are smoothed together: odd, so that there is one in the middle."""
    return max(5, count // 5 | 1)


def _inner(optimizer):
    return getattr(optimizer, "inner_optimizer", optimizer)


def _copy_of(optimizer: keras.optimizers.Optimizer, rate: float) -> keras.optimizers.Optimizer:
    """Return a new optimizer with the same settings, whose rate can be set."""
    config = optimizer.get_config()
    inner = config["inner_optimizer"]["config"] if "inner_optimizer" in config else config
    inner.update(learning_rate=rate)
    return type(optimizer).from_config(config)


def _train(model: keras.Model, batch: tuple) -> float:
    return float(model.train_on_batch(*batch, return_dict=True)["loss"])


def _endless(batches: Iterable[tuple]) -> Iterator[tuple]:
    while True:
        count = 0
        # Keras' data sets know their length, but not always where to stop.
        sized = isinstance(batches, keras.utils.PyDataset)
        for batch in (batches[i] for i in range(len(batches))) if sized else batches:
            count += 1
            yield batch
        if not count:
            raise ValueError("the range test ran out of batches: give a list or a data set")


@contextmanager
def _borrowed(model: keras.Model, optimizer: keras.optimizers.Optimizer):
    """Give the model another optimizer, and put back all that training changed."""
    kept = model.optimizer
    state = [(v, np.array(keras.ops.convert_to_numpy(v))) for v in model.variables]
    optimizer.build(model.trainable_variables)
    exclude_from_decay(optimizer, model)
    use_own_update(optimizer, model.jit_compile)
    # Past Keras' bookkeeping, which would count the borrowed optimizer among the model's parts.
    vars(model).update(optimizer=optimizer, train_function=None)
    try:
        yield
    finally:
        vars(model).update(optimizer=kept, train_function=None)
        for variable, value in state:
            variable.assign(value)
        model.reset_metrics()
