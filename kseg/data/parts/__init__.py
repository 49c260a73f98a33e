"""The synthetic data set ``parts``: small machine parts on textured ground."""

from kseg.data.parts.render import draw_scene
from kseg.data.parts.shapes import PART_NAMES
from kseg.data.parts.write import PART_PALETTE, iter_parts, write_parts

__all__ = ["PART_NAMES", "PART_PALETTE", "draw_scene", "iter_parts", "write_parts"]
