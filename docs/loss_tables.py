"""The tables of docs/losses.md."""

from __future__ import annotations

from typing import Any

import numpy as np
from loss_entries import ENTRIES, KINDS
from page_parts import markdown

from kseg.data import edge_weights
from kseg.losses import get_loss, list_losses
from kseg.losses.registry import known_options

# Options of many losses: what they mean.
SHARED = {
    "from_logits": "False for probabilities (a model with `activation=`)",
    "ignore_class": "label of void pixels, any integer such as 255 or -1",
    "class_weights": "a number of at least 0 per class, two for a sigmoid channel",
    "per_image": "the mean over the values of the images instead of one value over all pixels of "
    "the batch",
    "class_ids": "the classes that count; None is all, and mostly the foreground alone for a "
    "sigmoid channel",
    "smooth": "`s` in the formulas, added to numerator and denominator; in pixels",
}


def loss_table() -> str:
    """Return name, formula, own options, paper and use of every loss, by kind."""
    rows = [_row(name) for kind in KINDS for name in ENTRIES if ENTRIES[name].kind == kind]
    return markdown(("name", "formula", "own options", "paper", "when to use it"), rows)


def option_table() -> str:
    """Return the options that losses share, and which of them take each."""
    rows = []
    for option, meaning in SHARED.items():
        takers = {name for name in list_losses() if option in known_options(name)}
        values = {repr(defaults(name)[option]) for name in takers - {"weighted_ce"}}
        rows.append((f"`{option}={' or '.join(values)}`", meaning, _losses(takers)))
    return markdown(("option", "meaning", "losses"), rows)


def value_table() -> str:
    """Return the values of every loss for four predictions of one disk."""
    y, x = np.mgrid[:64, :64] - 31.5
    truth = (y**2 + x**2 <= 8**2).astype("int32")
    logits = {"right": 2 * truth - 1, "empty": 0 * truth - 1, "undecided": 0 * truth}
    logits["all wrong"] = -logits["right"]
    rows = [
        (f"`{name}`", *(f"{_value(name, truth, 10.0 * each):.2f}" for each in logits.values()))
        for name in ENTRIES
    ]
    return markdown(("loss", *logits), rows, numbers=4)


def defaults(name: str) -> dict[str, Any]:
    """Return the options of a loss with their default values."""
    loss = get_loss(name, **({"class_weights": [1.0, 1.0]} if name == "weighted_ce" else {}))
    parts = getattr(loss, "losses", [loss])
    found = {key: value for part in parts for key, value in part.get_config().items()}
    # The one option of a sum, the weight of its first term.
    found["weight"] = getattr(loss, "weights", [None])[0]
    return {option: found[option] for option in sorted(known_options(name))}


def _row(name: str) -> tuple[str, ...]:
    entry = ENTRIES[name]
    own = {key: value for key, value in defaults(name).items() if key not in SHARED}
    options = ", ".join(f"`{key}={value!r}`" for key, value in own.items())
    return f"`{name}`", entry.formula, options, _papers(entry.paper), entry.use


def _papers(text: str) -> str:
    """Return the papers with links to arXiv; the last word of each may be its id."""
    links = []
    for paper in filter(None, text.split(", ")):
        *words, last = paper.split()
        known = "." in last
        label = " ".join(words) if known else paper
        links.append(f"[{label}](https://arxiv.org/abs/{last})" if known else label)
    return ", ".join(links)


def _losses(names: set[str]) -> str:
    """Name a set of losses in few words."""
    if len(names) == len(ENTRIES):
        return "all"
    listed = sorted(names) if 2 * len(names) <= len(ENTRIES) else sorted(ENTRIES.keys() - names)
    start = "" if 2 * len(names) <= len(ENTRIES) else "all but "
    return start + ", ".join(f"`{name}`" for name in listed)


def _value(name: str, truth: np.ndarray, logits: np.ndarray) -> float:
    # The rare class ten times; as many erosions as the radius.
    options = {"weighted_ce": {"class_weights": [1, 10]}, "cl_dice": {"iterations": 8}}
    loss = get_loss(name, **options.get(name, {}))
    weights = edge_weights(truth)[None] if loss.pixel_weights else None
    return float(loss(truth[None], logits[None, ..., None], sample_weight=weights))


TABLES = {"losses": loss_table, "options": option_table, "values": value_table}
