"""What the checker has to name: each a way to break a clean data set."""

from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from tests.data.check_damage import (
    HEIGHT,
    IMAGE,
    LABEL,
    WIDTH,
    animated,
    as_jpeg,
    change,
    change_all,
    copy,
    cut,
    dark_images,
    deep_image,
    describe,
    half_labels,
    in_grey,
    resave,
    smooth,
    transparent,
    turned,
)


class Case(NamedTuple):
    """A way to break the set, and the one finding that it has to give."""

    name: str
    harm: object
    kind: str
    file: str
    value: str


CASES = [
    Case("no label map", lambda f: (f / LABEL).unlink(), "missing_label", IMAGE, "no train1.*"),
    Case("no image", lambda f: (f / IMAGE).unlink(), "missing_image", LABEL, "no train1.*"),
    Case(
        "another name",
        lambda f: (f / LABEL).rename(f / "train_label/train1_mask.png"),
        "missing_label+missing_image",
        f"{IMAGE}+train_label/train1_mask.png",
        "does train1",
    ),
    Case(
        "two images of a name",
        lambda f: Image.open(f / IMAGE).save(f / "train_image/train1.bmp"),
        "same_stem",
        IMAGE,
        "train1.bmp has the same name",
    ),
    Case("size", change(LABEL, lambda m: m[:-1]), "size_mismatch", LABEL, "32x23, its image 32x24"),
    Case("truncated PNG", cut(IMAGE, 500), "unreadable", IMAGE, "truncated"),
    Case("empty file", cut(IMAGE, 0), "unreadable", IMAGE, "no image file"),
    Case("truncated label map", cut(LABEL, -40), "unreadable", LABEL, "damaged"),
    Case("text", lambda f: (f / LABEL).write_text("hello"), "unreadable", LABEL, "no image file"),
    Case(
        "colours",
        resave(LABEL, LABEL, lambda picture: picture.convert("RGB")),
        "colour_mask",
        LABEL,
        "(128, 0, 0)",
    ),
    Case("palette in grey", in_grey(LABEL), "grey_palette", LABEL, "0, 38, 75"),
    Case(
        "0/255",
        change(LABEL, lambda m: (m > 0).astype(np.uint8) * 255),
        "binary_255",
        LABEL,
        "0, 255",
    ),
    Case(
        "0/65535",
        change(LABEL, lambda m: (m > 0).astype(np.uint16) * 65535),
        "binary_255",
        LABEL,
        "0, 65535",
    ),
    Case(
        "smoothed 0/255",
        change(LABEL, lambda m: smooth((m > 0).astype(np.uint8) * 255)),
        "antialiased",
        LABEL,
        "values between labels",
    ),
    Case(
        "JPEG",
        resave(LABEL, "train_label/train1.jpg", lambda p: p.point(lambda v: v * 100).convert("L")),
        "jpeg_mask",
        "train_label/train1.jpg",
        "different values",
    ),
    Case("JPEG named PNG", as_jpeg, "jpeg_mask", LABEL, "different values"),
    Case(
        "label 7",
        change(LABEL, lambda m: np.where(m == 2, 7, m).astype(np.uint8)),
        "label_out_of_range",
        LABEL,
        "label values 7 (",
    ),
    Case(
        "void",
        change(LABEL, lambda m: np.where(m == 2, 255, m).astype(np.uint8)),
        "undeclared_void",
        LABEL,
        "99 pixels are 255",
    ),
    Case("fractions", half_labels, "float_mask", "train_label/train1.tif", "0.5"),
    Case(
        "grey as RGB",
        resave(LABEL, LABEL, lambda p: Image.fromarray(np.dstack([np.array(p)] * 3))),
        "grey_as_colour",
        LABEL,
        "equal",
    ),
    Case("all background", change(LABEL, np.zeros_like), "all_background", LABEL, "is 0"),
    Case(
        "too few classes",
        lambda f: describe(f, ("ground", "disc")),
        "wrong_n_classes",
        "",
        "labels 2: pass --n_classes 3",
    ),
    Case(
        "too many classes",
        lambda f: describe(f, ("ground", "disc", "ring", "rod", "pin")),
        "too_many_classes",
        "",
        "pass --n_classes 3",
    ),
    Case(
        "empty class",
        change_all(lambda m: np.where(m == 1, 0, m).astype(np.uint8)),
        "empty_class",
        "",
        "class 1 (disc)",
    ),
    Case(
        "interpolated class",
        change_all(lambda m: cv2.blur((m == 2).astype(np.uint8) * 2, (2, 2))),
        "interpolated_class",
        "",
        "of class 1 (disc)",
    ),
    Case("nothing labelled", change_all(np.zeros_like), "nothing_labelled", "", "label 0 alone"),
    Case(
        "all 0/255 and void",
        lambda f: (
            describe(f, ignore_class=255),
            change_all(lambda m: (m > 0).astype(np.uint8) * 255)(f),
        ),
        "nothing_labelled",
        "",
        "label 0 alone, and 255, which is ignored: if it is the object, write 1",
    ),
    Case(
        "all void",
        lambda f: (
            describe(f, ignore_class=255),
            change(LABEL, lambda m: np.full_like(m, 255))(f),
        ),
        "all_void",
        LABEL,
        "are 255",
    ),
    Case(
        "in training and test, in another format",
        copy("test_image/test1.png", "train_image/again.bmp"),
        "duplicate_across",
        "train_image/again.bmp",
        "test: test1.png",
    ),
    Case(
        "twice in training",
        copy(IMAGE, "train_image/train9.png"),
        "duplicate_within",
        "train_image/train9.png",
        "train: train1.png",
    ),
    Case(
        "nearly in training and test",
        copy("test_image/test1.png", "train_image/again.jpg", quality=80),
        "near_duplicate",
        "train_image/again.jpg",
        "test: test1.png",
    ),
    Case(
        "CMYK",
        resave(IMAGE, "train_image/train1.jpg", lambda picture: picture.convert("CMYK")),
        "cmyk",
        "train_image/train1.jpg",
        "CMYK",
    ),
    Case("one of 16 bits", deep_image(257), "sixteen_bit", IMAGE, "most images have 8"),
    Case("12 bits of 16", dark_images, "sixteen_bit", IMAGE, "of 65535"),
    Case("EXIF quarter turn", turned(6), "exif_mismatch", "train_image/train1.jpg", "24x32"),
    Case("EXIF half turn", turned(3), "exif_rotation", "train_image/train1.jpg", "is 3"),
    Case("transparent", resave(IMAGE, IMAGE, transparent), "transparent", IMAGE, "30 of 255"),
    Case("animated", animated, "more_pages", "train_image/train1.gif", "2 pictures"),
    Case(
        "blank image",
        lambda f: Image.new("RGB", (WIDTH, HEIGHT), (9, 9, 9)).save(f / IMAGE),
        "blank_image",
        IMAGE,
        "[9, 9, 9]",
    ),
]
