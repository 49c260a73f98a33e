"""The kinds of results that a prediction can be written as, one file each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from kseg.inference.outputs.base import Look, Result, Writer
from kseg.inference.outputs.coco import CocoFile
from kseg.inference.outputs.count import Counts
from kseg.inference.outputs.heatmap import HeatMaps
from kseg.inference.outputs.labelme import LabelmeFiles
from kseg.inference.outputs.pictures import DRAWN, LabelMaps, Pictures

__all__ = ["DRAWN", "WRITERS", "LabelMaps", "Look", "Result", "Writer", "make_writers"]

WRITERS: Mapping[str, Callable[[Look], Writer]] = {
    "label": LabelMaps,
    **{kind: partial(Pictures, kind=kind) for kind in DRAWN},
    "heatmap": HeatMaps,
    "labelme": LabelmeFiles,
    "coco": CocoFile,
    "count": Counts,
}


def make_writers(
    kinds: Sequence[str], look: Look, heat_class: str | None = None
) -> dict[str, Writer]:
    """Return the writers of some kinds of results, by their names.

    Args:
        kinds: Keys of `WRITERS`.
        look: Where they go and how they look.
        heat_class: Name or number of the only class of the heat maps; by default all.

    Raises:
        ValueError: There is no class `heat_class`.
    """
    writers = {kind: WRITERS[kind](look) for kind in kinds}
    if "heatmap" in writers:
        writers["heatmap"] = HeatMaps(look, heat_class)
    return writers
