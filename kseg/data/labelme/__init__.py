"""labelme annotations: JSON files read directly as a data set, or converted to label maps.

Shapes are drawn as labelme (Wada, https://github.com/wkentaro/labelme) draws them when it exports
label maps, which a test holds against its own exports; nothing of labelme is imported.
"""

from kseg.data.labelme.annotation import Annotation, parse_annotation, read_annotation
from kseg.data.labelme.class_map import ClassMap, read_labels
from kseg.data.labelme.convert import Conversion, convert_folder
from kseg.data.labelme.dataset import LabelmeDataset, is_labelme_folder, open_labelme
from kseg.data.labelme.layouts import LAYOUTS
from kseg.data.labelme.raster import rasterise
from kseg.data.labelme.splits import Split, list_parts

__all__ = [
    "LAYOUTS",
    "Annotation",
    "ClassMap",
    "Conversion",
    "LabelmeDataset",
    "Split",
    "convert_folder",
    "is_labelme_folder",
    "list_parts",
    "open_labelme",
    "parse_annotation",
    "rasterise",
    "read_annotation",
    "read_labels",
]
