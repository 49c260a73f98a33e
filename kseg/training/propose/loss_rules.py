"""Which loss suits the classes and shapes of a data set, and which weights of classes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from kseg.data.class_weighting import class_weights
from kseg.losses.registry import known_options
from kseg.training.propose.decision import Decision
from kseg.training.propose.facts import Facts, percent
from kseg.training.propose.looks import must_be_parted, only_lines, thin_classes

RARE = 0.05
"""A class is rare below this share of the pixels."""

_LARGEST_WEIGHT = 20
_FEWEST_EROSIONS, _MOST_EROSIONS = 2, 10


def loss_decisions(facts: Facts, given: Mapping[str, Any], default: str) -> list[Decision]:
    """Return the loss with its options, unless it is given, and the weights of the classes.

    Args:
        facts: The data set.
        given: Settings that are decided already.
        default: The loss that options without a name are for.
    """
    if "loss" in given:
        chosen = [Decision("loss", given["loss"], "")]
    elif "loss_options" in given:
        chosen = [Decision("loss", default, "the default, which the options are for")]
    else:
        chosen = _loss(facts)
    return [*chosen, _weights(facts, chosen[0].value)]


def _loss(facts: Facts) -> list[Decision]:
    if only_lines(facts):
        return _line_loss(facts)
    shapes = facts.shapes
    if must_be_parted(facts):
        reason = (
            f"{shapes.objects:g} objects per label map, {percent(shapes.close_share)} of them "
            "behind a narrow gap: the gaps count more, so that objects stay apart"
        )
        return [Decision("loss", "edge_weighted_ce", reason)]
    if facts.classes.rarest_share < RARE:
        rarest = facts.classes.names[facts.classes.rarest]
        reason = (
            f"{rarest} has {percent(facts.classes.rarest_share)} of the pixels, next to nothing in "
            "cross-entropy alone; in Dice every class counts the same"
        )
    else:
        reason = "no class is rare, and nothing is thin or close together: the steady default"
    return [Decision("loss", "ce_dice", reason)]


def _line_loss(facts: Facts) -> list[Decision]:
    thin, shapes = thin_classes(facts), facts.shapes
    names = ", ".join(facts.classes.names[label] for label in thin)
    width = max(shapes.widths[label] for label in thin)
    erosions = math.ceil(max(shapes.widest[label] for label in thin) / 2)
    erosions = min(max(erosions, _FEWEST_EROSIONS), _MOST_EROSIONS)
    options = {"class_ids": thin, "iterations": erosions}
    return [
        Decision(
            "loss",
            "cl_dice",
            f"{names}: lines about {width:.2g} pixels wide; a gap in the centre line costs as much "
            "as the line is long",
        ),
        Decision(
            "loss_options",
            options,
            "the lines alone, and as many erosions as half of the widest places has pixels "
            f"({_FEWEST_EROSIONS} to {_MOST_EROSIONS})",
        ),
    ]


def _weights(facts: Facts, loss: str) -> Decision:
    classes = facts.classes
    if "class_weights" not in known_options(loss):
        return Decision("class_weights", "none", f"{loss} takes no weights")
    if loss == "cl_dice":
        return Decision("class_weights", "none", "the loss looks at the lines alone")
    if len(classes.shown) < 3 and loss == "ce_dice":
        return Decision("class_weights", "none", "of two classes Dice lets none be forgotten")
    if classes.rarest_share >= RARE:
        return Decision(
            "class_weights",
            "none",
            f"the rarest class has {percent(classes.rarest_share)} of the pixels, {percent(RARE)} "
            "or more",
        )
    weights = class_weights(
        np.array(classes.pixels), "median_frequency", image_pixels=np.array(classes.image_pixels)
    )
    low, high = (f"{value:.2g}" for value in (weights[weights > 0].min(), weights.max()))
    rarest = f"{classes.names[classes.rarest]} has {percent(classes.rarest_share)} of the pixels"
    if weights.max() > _LARGEST_WEIGHT:
        reason = f"{rarest}; median_frequency would reach {high}, these weights end at 50"
        return Decision("class_weights", "enet", reason)
    return Decision("class_weights", "median_frequency", f"{rarest}; weights from {low} to {high}")
