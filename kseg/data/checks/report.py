"""What a check found, in order, and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kseg.data.checks.class_use import ClassUse
from kseg.data.checks.finding import ERROR, KINDS, Finding
from kseg.data.checks.label_values import Classes
from kseg.data.checks.listing import Listing
from kseg.data.checks.samples import Inspected
from kseg.data.class_weighting import METHODS, class_weights


@dataclass(frozen=True)
class Report:
    """What a check found.

    Attributes:
        listing: The data set as it was listed.
        classes: Classes that the label maps have: those given, or better ones.
        class_names: Their names.
        samples: Its samples, in the order of the listing.
        findings: Everything that is wrong, errors first, by kind.
        use: What the training label maps show; all of them where there are no parts.
    """

    listing: Listing
    classes: Classes
    class_names: Sequence[str]
    samples: Sequence[Inspected]
    findings: Sequence[Finding]
    use: ClassUse

    @property
    def errors(self) -> int:
        """Number of findings that are errors."""
        return sum(finding.severity == ERROR for finding in self.findings)

    @property
    def warnings(self) -> int:
        """Number of findings that are warnings."""
        return len(self.findings) - self.errors

    def weights(self) -> dict[str, list[float]]:
        """Return the class weights by method; empty where no label map can be counted."""
        pixels, image_pixels = self.use.counts.pixels, self.use.counts.image_pixels
        if not pixels.any():
            return {}
        return {
            method: class_weights(pixels, method, image_pixels=image_pixels).tolist()
            for method in METHODS
        }

    @property
    def splits(self) -> Mapping[str, int]:
        """Number of samples of each part."""
        return Counter(one.item.split for one in self.samples)

    def classes_as_dicts(self) -> list[dict[str, Any]]:
        """Return what is known of each class as JSON types."""
        pixels = self.use.counts.pixels
        return [
            {
                "label": label,
                "name": name,
                "pixels": int(pixels[label]),
                "share": float(pixels[label] / max(pixels.sum(), 1)),
                "images": int(self.use.images[label]),
            }
            for label, name in enumerate(self.class_names)
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON types."""
        return {
            "folder": str(self.listing.folder),
            "data_set": self.listing.dataset.name,
            "samples": dict(self.splits),
            "n_classes": self.classes.count,
            "ignore_class": self.classes.ignored,
            "errors": self.errors,
            "warnings": self.warnings,
            "findings": [finding.as_dict() for finding in self.findings],
            "classes": self.classes_as_dicts(),
            "class_weights": self.weights(),
        }


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings with errors first, in the order of `KINDS`, then by file."""
    kinds = list(KINDS)
    return sorted(
        dict.fromkeys(findings),
        key=lambda f: (f.severity != ERROR, kinds.index(f.kind), str(f.file or "")),
    )
