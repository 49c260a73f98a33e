"""How images are brought to the input size, changed and kept."""

from __future__ import annotations

from kseg.training.propose.budget import Budget
from kseg.training.propose.decision import Decision
from kseg.training.propose.facts import Facts
from kseg.training.propose.looks import must_be_parted, only_lines
from kseg.training.propose.plan import Plan

FEW_IMAGES, MANY_IMAGES = 200, 20_000

_SAME_SHAPE = 1.25
_SHORT_RUN = 20
_STRETCH, _LETTERBOX = 1, 2
_MOST_CACHE_GB = 4.0
_MOST_WORKERS = 8


def data_decisions(facts: Facts, budget: Budget, plan: Plan) -> list[Decision]:
    """Return the settings of images and their loading."""
    return [
        _resize(facts),
        _augment(facts, plan.epochs),
        *_cache(facts, budget, plan),
        _workers(budget),
    ]


def _resize(facts: Facts) -> Decision:
    spread = facts.sizes.aspect_spread
    if spread > _SAME_SHAPE:
        reason = (
            f"shapes differ by a factor of {spread:.2g}: a letterbox keeps them, and its border "
            "counts nowhere"
        )
        return Decision("resize_op", _LETTERBOX, reason)
    reason = "the images have about the same shape, so that stretching changes little"
    return Decision("resize_op", _STRETCH, reason)


def _augment(facts: Facts, epochs: int) -> Decision:
    name, reason = _preset(facts)
    if name == "strong" and epochs < _SHORT_RUN:
        name, reason = (
            "medium",
            f"{facts.train} training images, and {epochs} epochs are a short run",
        )
    return Decision("augment", name, f"{reason}; docs/augmentation.md shows it")


def _preset(facts: Facts) -> tuple[str, str]:
    turn_back = "take medium if yours have an up and a down"
    if facts.grey:
        return "medical", f"grey images mostly come from microscopes and scanners; {turn_back}"
    if only_lines(facts) or must_be_parted(facts):
        what = "lines" if only_lines(facts) else "many small objects"
        return "medical", f"{what} mostly look the same from all sides; {turn_back}"
    if facts.channels not in (3, 4):
        return "turns", f"{facts.channels} bands are mostly seen from above, where nothing is up"
    if facts.train < FEW_IMAGES:
        return "strong", f"only {facts.train} training images: each should look new every time"
    if facts.train < MANY_IMAGES:
        return "medium", f"colour photographs, {facts.train} of them for training"
    return "light", f"{facts.train} training images show most of what changes by themselves"


def _cache(facts: Facts, budget: Budget, plan: Plan) -> list[Decision]:
    need = _decoded_gb(facts, plan)
    # On a GPU the cache is in the memory of the host, which the budget does not know.
    room = budget.memory_gb - plan.fit.memory_gb if budget.device == "cpu" else _MOST_CACHE_GB
    room = min(room, _MOST_CACHE_GB)
    if need > room:
        reason = f"the decoded images take about {need:.2g} GB, and {room:.2g} GB are to spare"
        return [Decision("cache", "none", reason)]
    limit = max(0.1, round(min(room, 1.1 * need + 0.05), 2))
    return [
        Decision("cache", "ram", f"the images take {need:.2g} GB and are decoded only once"),
        Decision("cache_gb", limit, "enough for all of them"),
    ]


def _decoded_gb(facts: Facts, plan: Plan) -> float:
    height, width = plan.fit.size
    per_pixel = facts.channels * (4 if facts.deep else 1) + 1
    return (facts.train + facts.val) * height * width * per_pixel / 1e9


def _workers(budget: Budget) -> Decision:
    if budget.device == "cpu":
        return Decision("workers", 2, "the network needs the cores itself")
    count = min(max(2, budget.cores - 1), _MOST_WORKERS)
    return Decision("workers", count, f"{budget.cores} cores to feed the accelerator")
