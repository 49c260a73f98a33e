"""What the checker can find: the kinds of faults, and one finding of a kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Kind:
    """A kind of fault.

    Attributes:
        severity: "error" where training would stop or learn nonsense, else "warning".
        title: What it is, for the table.
        fix: What to do about it.
    """

    severity: str
    title: str
    fix: str


_WRONG_FILES = {
    "missing_folder": Kind(ERROR, "missing or empty folder", "make the folder and fill it"),
    "missing_label": Kind(
        ERROR, "image without label map", "add the label map, or --fix to leave the image out"
    ),
    "missing_image": Kind(
        ERROR, "label map without image", "add the image, or --fix to leave the label map out"
    ),
    "same_stem": Kind(
        ERROR, "several files of one name", "keep one of them; --fix leaves them out"
    ),
    "unreadable": Kind(
        ERROR, "unreadable or truncated file", "get the file again; --fix leaves it out"
    ),
    "cannot_open": Kind(ERROR, "data set that cannot be opened", "see the message"),
    "size_mismatch": Kind(
        ERROR, "label map of another size", "export the label map again; --fix leaves it out"
    ),
    "exif_mismatch": Kind(
        ERROR,
        "image turned by its EXIF tag, label map not",
        "--fix drops the tag, so that both lie as the label map does",
    ),
}

_WRONG_LABELS = {
    "binary_255": Kind(ERROR, "0/255 label map", "--fix writes 1 for 255"),
    "jpeg_mask": Kind(
        ERROR,
        "label map saved with loss (JPEG)",
        "export it as PNG; --fix snaps values to the labels where these are far apart",
    ),
    "antialiased": Kind(
        ERROR,
        "label map with smoothed edges",
        "resize label maps with nearest neighbour; --fix snaps values to the labels beside them",
    ),
    "colour_mask": Kind(
        ERROR,
        "colours instead of class numbers",
        "save class numbers, or put a table of colours beside the data (class_dict.csv); --fix "
        "knows the colours of PASCAL VOC",
    ),
    "grey_palette": Kind(
        ERROR,
        "palette colours turned to grey",
        "read palette files by their indices; --fix maps the grey tones back to labels",
    ),
    "float_mask": Kind(
        ERROR, "label map of fractions", "save class numbers as PNG; --fix leaves it out"
    ),
    "refused_mask": Kind(
        ERROR, "label map that cannot be used", "see the message; --fix leaves it out"
    ),
    "label_out_of_range": Kind(
        ERROR,
        "label that is no class",
        "correct the label map, or pass --n_classes or --ignore_class; --fix leaves it out",
    ),
    "undeclared_void": Kind(
        ERROR,
        "255 that is no class",
        "pass --ignore_class 255 if it marks pixels that do not count",
    ),
    "wrong_n_classes": Kind(
        ERROR, "more labels than classes", "pass the --n_classes that the finding names"
    ),
    "nothing_labelled": Kind(
        ERROR,
        "no label map shows anything but background",
        "look at how the label maps were saved: palettes and colours are often lost on the way",
    ),
    "duplicate_across": Kind(
        ERROR,
        "the same image in two parts",
        "keep it in one part; --fix keeps it in the test part, or else for validation",
    ),
}

_SUSPICIOUS = {
    "too_many_classes": Kind(
        WARNING, "fewer labels than classes", "pass the --n_classes that the finding names"
    ),
    "empty_class": Kind(
        WARNING, "class without a pixel", "add images that show it, or leave the class out"
    ),
    "interpolated_class": Kind(
        WARNING,
        "class on the edges of others only",
        "resize label maps with nearest neighbour, from the originals",
    ),
    "all_background": Kind(
        WARNING, "label map of background only", "check that nothing was forgotten"
    ),
    "all_void": Kind(
        WARNING, "label map without a pixel that counts", "label the image or leave it out"
    ),
    "grey_as_colour": Kind(
        WARNING, "class numbers saved as colour file", "--fix saves them with one channel"
    ),
    "duplicate_within": Kind(
        WARNING, "the same image twice in a part", "keep one; --fix does for training images"
    ),
    "near_duplicate": Kind(
        WARNING, "nearly the same image in two parts", "split by scene, patient or time instead"
    ),
    "exif_rotation": Kind(
        WARNING,
        "image turned by its EXIF tag",
        "check that the label map is upright; --fix turns the pixels and drops the tag",
    ),
    "cmyk": Kind(WARNING, "image in CMYK", "--fix converts it to RGB"),
    "sixteen_bit": Kind(
        WARNING,
        "16-bit image that is almost black or unlike the others",
        "scale the images alike; 65535 is white",
    ),
    "transparent": Kind(
        WARNING, "image with transparent pixels", "put it on one background colour"
    ),
    "more_pages": Kind(
        WARNING, "file with several pictures, only the first counts", "save one file per picture"
    ),
    "blank_image": Kind(WARNING, "image of one colour", "check that it was saved right"),
}

KINDS = {**_WRONG_FILES, **_WRONG_LABELS, **_SUSPICIOUS}


@dataclass(frozen=True)
class Finding:
    """One fault.

    Attributes:
        kind: A key of `KINDS`.
        file: The file that has it; None for faults of the whole data set.
        value: What is wrong, with the values.
    """

    kind: str
    file: Path | None
    value: str

    @property
    def severity(self) -> str:
        """The severity of its kind."""
        return KINDS[self.kind].severity

    def as_dict(self) -> dict[str, Any]:
        """Return everything about it as JSON types."""
        kind = KINDS[self.kind]
        return {
            "kind": self.kind,
            "severity": kind.severity,
            "fault": kind.title,
            "file": None if self.file is None else str(self.file),
            "value": self.value,
            "fix": kind.fix,
        }


def has_errors(findings: Iterable[Finding]) -> bool:
    """Tell whether any finding is an error."""
    return any(finding.severity == ERROR for finding in findings)


def listed(values: Iterable[object], limit: int = 8) -> str:
    """Return values as "a, b, c", shortened with "..." beyond `limit`."""
    texts = [str(value) for value in values]
    return ", ".join(texts[:limit]) + (", ..." if len(texts) > limit else "")
