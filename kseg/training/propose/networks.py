"""Which networks and input sizes a proposal tries, the best first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kseg.training.propose.budget import Budget
from kseg.training.propose.cost import Network
from kseg.training.propose.facts import Facts, Size
from kseg.training.propose.looks import lowest_scale

STEP = 32
_LONGEST_SIDE = {"cpu": 512, "gpu": 1024}
_LONGEST_DETAILED = {"cpu": 768, "gpu": 1536}
# Each has about 0.7 of the pixels of the one before.
_SHRINKING = (1.0, 0.84, 0.71, 0.59, 0.5)
_SHRINKING_ON = (0.42, 0.35, 0.3, 0.25, 0.21, 0.18, 0.15, 0.125, 0.09, 0.06, 0.03, 0.0)

_FEW, _MANY = 200, 2000
_MOST_LEVELS = 5
_COARSEST = 8


def candidates(
    facts: Facts, budget: Budget, given: Mapping[str, Any]
) -> Iterator[tuple[Network, Size]]:
    """Yield networks with input sizes, the best first.

    A smaller input comes before a smaller network, down to half the side; where details are
    narrow the input is not made smaller than they allow. Only the smallest network is tried
    with any size, down to 32x32.

    Args:
        facts: The data set.
        budget: Its device decides the largest size and network.
        given: Settings that are decided already.
    """
    widths: list[int | None] = [*unet_widths(facts, budget)]
    if _is_given(given):
        widths = [None]
    largest = wanted_size(facts, budget)
    floor = lowest_scale(facts)
    for width in widths:
        last = width == widths[-1]
        seen: set[Size] = set()
        for factor in _SHRINKING + (_SHRINKING_ON if last else ()):
            size = _with_given(_scaled(largest, factor), given)
            coarse = size[0] < floor * facts.sizes.median[0] * 0.95
            if size in seen or (coarse and factor < 1 and not last):
                continue
            seen.add(size)
            yield _network(width, size, budget, given), size


def wanted_size(facts: Facts, budget: Budget) -> Size:
    """Return the multiple of 32 nearest to the median size, shrunk where that is very large."""
    median = facts.sizes.median
    detailed = min(lowest_scale(facts) * max(median), _LONGEST_DETAILED[budget.device])
    limit = max(detailed, _LONGEST_SIDE[budget.device])
    return _scaled(median, min(1.0, limit / max(median)))


def unet_widths(facts: Facts, budget: Budget) -> list[int]:
    """Return the filters of U-Nets to try, widest first."""
    if budget.device == "cpu" or facts.train < _FEW:
        return [16, 8]
    return [64, 32, 16, 8] if facts.train >= _MANY else [32, 16, 8]


def _network(width: int | None, size: Size, budget: Budget, given: Mapping[str, Any]) -> Network:
    if width is not None:
        return Network("unet", {"filters": width, **_levels(size)})
    name, options = given.get("model_name", "unet"), given.get("model_options", {})
    return Network(name, options, _encoder(given, budget))


def _encoder(given: Mapping[str, Any], budget: Budget) -> str | None:
    """Return the encoder to build on, None for the model's own.

    Raises:
        ValueError: A file of weights without the name of its encoder.
    """
    weights = given.get("encoder_weights")
    if "encoder" in given or "model_name" in given or weights is None:
        return given.get("encoder")
    if weights != "imagenet":
        raise ValueError(f"encoder_weights={weights!r} needs encoder, the name of its network")
    return "mobilenetv2" if budget.device == "cpu" else "resnet50"


def _is_given(given: Mapping[str, Any]) -> bool:
    names = ("model_name", "model_options", "encoder", "encoder_weights")
    return any(name in given for name in names)


def _levels(size: Size) -> dict[str, int]:
    """Return the option where the usual five levels would leave fewer than 8 pixels."""
    levels = 2
    while levels < _MOST_LEVELS and min(size) >> levels >= _COARSEST:
        levels += 1
    return {} if levels == _MOST_LEVELS else {"levels": levels}


def _scaled(size: Size, factor: float) -> Size:
    height, width = (max(STEP, STEP * round(side * factor / STEP)) for side in size)
    return height, width


def _with_given(size: Size, given: Mapping[str, Any]) -> Size:
    return given.get("input_height", size[0]), given.get("input_width", size[1])
