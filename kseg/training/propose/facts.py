"""What `--auto` knows of a data set: plain numbers, for rules that need no files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Size = tuple[int, int]


@dataclass(frozen=True)
class Sizes:
    """Heights and widths of the training images in pixels.

    Attributes:
        smallest: Smallest height and smallest width.
        median: Median height and median width.
        largest: Largest height and largest width.
        aspect_spread: Width by height at the 95th percentile, divided by that at the 5th: 1 where
            all images have the same shape.
    """

    smallest: Size
    median: Size
    largest: Size
    aspect_spread: float = 1.0


@dataclass(frozen=True)
class Classes:
    """What the training label maps show of each class.

    Attributes:
        names: Names, in the order of their labels.
        pixels: Pixels of each class.
        image_pixels: Pixels of any class in the images that show the class.
        void_share: Share of the pixels that count nowhere, 0..1.
    """

    names: tuple[str, ...]
    pixels: tuple[int, ...]
    image_pixels: tuple[int, ...]
    void_share: float = 0.0

    @property
    def shown(self) -> tuple[int, ...]:
        """The labels of the classes that have pixels."""
        return tuple(label for label, count in enumerate(self.pixels) if count)

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of the classes that have none."""
        return tuple(n for n, count in zip(self.names, self.pixels, strict=True) if not count)

    @property
    def rarest(self) -> int:
        """The label of the class with the fewest pixels, of those that have some."""
        return min(self.shown, key=lambda label: self.pixels[label])

    @property
    def rarest_share(self) -> float:
        """The share of its pixels, 0..1."""
        return self.pixels[self.rarest] / sum(self.pixels)


@dataclass(frozen=True)
class Shapes:
    """What a sample of the label maps shows of objects and of how thin the classes are.

    Objects are the connected parts of each class above 0.

    Attributes:
        maps: Label maps that were looked at.
        objects: Median number of objects per map.
        object_pixels: Median size of an object in pixels.
        close_share: Share of the objects that only a narrow gap of class 0 parts from another.
        widths: Mean width in pixels of the structures of each class, 0 for classes not seen.
        widest: Width in pixels of their widest places.
        elongations: Length of the structures in widths, 1 to 3 for compact shapes.
    """

    maps: int
    objects: float
    object_pixels: float
    close_share: float
    widths: tuple[float, ...]
    widest: tuple[float, ...]
    elongations: tuple[float, ...]


@dataclass(frozen=True)
class Facts:
    """What `--auto` knows of a data set.

    Attributes:
        name: Name of the data set.
        train: Number of training images.
        val: Number of validation images.
        test: Number of test images.
        channels: Channels that images are read with.
        grey: All channels of the images are equal, or there is one only.
        deep: Images have more than 8 bits per channel.
        sizes: Heights and widths.
        classes: Classes and their pixels.
        shapes: Objects and structures.
    """

    name: str
    train: int
    val: int
    test: int
    channels: int
    grey: bool
    deep: bool
    sizes: Sizes
    classes: Classes
    shapes: Shapes

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.classes.names)

    def lines(self) -> list[str]:
        """Return the facts as short sentences."""
        counts = f"{self.train} training, {self.val} validation and {self.test} test images"
        return [
            f"{self.name}: {counts}",
            f"images: {_range(self.sizes)}, {_channels(self)}",
            _class_line(self.classes),
            _shape_line(self.shapes),
        ]


def by(size: Size) -> str:
    """Return a height and width as text."""
    return f"{size[0]}x{size[1]}"


def percent(share: float) -> str:
    """Return a share of 0..1 as text with two digits that count."""
    return f"{float(np.format_float_positional(100 * share, 2, fractional=False)):g} %"


def _range(sizes: Sizes) -> str:
    if sizes.smallest == sizes.largest:
        return f"all {by(sizes.median)} (height x width)"
    return (
        f"{by(sizes.smallest)} to {by(sizes.largest)}, median {by(sizes.median)} (height x width)"
    )


def _channels(facts: Facts) -> str:
    plain = f"{facts.channels} channel{'s' if facts.channels > 1 else ''}"
    looks = " that show grey" if facts.grey and facts.channels > 1 else ""
    return f"{plain}{looks}{', more than 8 bits' if facts.deep else ''}"


def _class_line(classes: Classes) -> str:
    rarest = classes.names[classes.rarest]
    missing = f"; no pixel of {', '.join(classes.missing)}" if classes.missing else ""
    void = f", void {percent(classes.void_share)}" if classes.void_share else ""
    return (
        f"{len(classes.names)} classes, the rarest is {rarest} with "
        f"{percent(classes.rarest_share)} of the pixels{void}{missing}"
    )


def _shape_line(shapes: Shapes) -> str:
    return (
        f"objects in {shapes.maps} label maps: {shapes.objects:g} per map of "
        f"{shapes.object_pixels:g} pixels (medians), {percent(shapes.close_share)} of them behind "
        "a narrow gap"
    )
