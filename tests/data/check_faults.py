"""A small clean data set, and ways to break it that the checker has to name."""

from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import yaml
from PIL import Image

from kseg.palette import class_palette

HEIGHT, WIDTH = 24, 32
LABELS = ("train_label", "test_label")


def draw(seed, height=HEIGHT, width=WIDTH):
    """A smooth random picture, and a label map with labels 0, 1 and 2."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (5, 5, 3)).astype(np.uint8)
    image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    labels = np.zeros((height, width), np.uint8)
    top, left = rng.integers(1, 6, 2)
    labels[top : top + 9, left : left + 9] = 1
    labels[top + 4 : top + 15, left + 12 : left + 21] = 2
    return image, labels


def write_set(folder, train=5, test=3):
    """Write a data set without any fault, and a `dataset.yaml` that names its classes."""
    for part, count, start in (("train", train, 0), ("test", test, 100)):
        for kind in ("image", "label"):
            (folder / f"{part}_{kind}").mkdir(parents=True)
        for index in range(count):
            image, labels = draw(start + index)
            Image.fromarray(image).save(folder / f"{part}_image" / f"{part}{index}.png")
            save_palette(labels, folder / f"{part}_label" / f"{part}{index}.png")
    describe(folder)
    return folder


def describe(folder, names=("ground", "disc", "ring"), **more):
    content = {"class_names": list(names), **more}
    (folder / "dataset.yaml").write_text(yaml.safe_dump(content))


def save_palette(labels, path):
    picture = Image.fromarray(labels)
    picture.putpalette(class_palette().tobytes())
    picture.save(path)


class Case(NamedTuple):
    """A way to break the set, and the one finding that it has to give."""

    name: str
    harm: object
    kind: str
    file: str
    value: str


def labels_of(path):
    return np.array(Image.open(path))


def change(relative, function):
    """Change the values of one label map; it stays a file of one channel."""

    def harm(folder):
        path = folder / relative
        Image.fromarray(function(labels_of(path))).save(path)

    return harm


def change_all(function):
    def harm(folder):
        for part in LABELS:
            for path in sorted((folder / part).iterdir()):
                Image.fromarray(function(labels_of(path))).save(path)

    return harm


def resave(relative, target, convert=lambda picture: picture, **options):
    """Save a file under another name or in another form."""

    def harm(folder):
        source = folder / relative
        with Image.open(source) as picture:
            picture.load()
        source.unlink()
        convert(picture).save(folder / target, **options)

    return harm


def cut(relative, keep):
    def harm(folder):
        path = folder / relative
        path.write_bytes(path.read_bytes()[:keep])

    return harm


def copy(source, target, **options):
    def harm(folder):
        Image.open(folder / source).convert("RGB").save(folder / target, **options)
        label = (folder / source.replace("_image", "_label")).read_bytes()
        Path(folder / target.replace("_image", "_label")).with_suffix(".png").write_bytes(label)

    return harm


def as_jpeg(folder):
    """A JPEG file that is named PNG."""
    path = folder / "train_label/train1.png"
    buffer = BytesIO()
    Image.fromarray((labels_of(path) > 0).astype(np.uint8) * 255).save(buffer, "JPEG")
    path.write_bytes(buffer.getvalue())


def smooth(labels):
    """Half the size and back, without care for labels."""
    small = cv2.resize(labels, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, labels.shape[::-1], interpolation=cv2.INTER_LINEAR)


def turned(orientation):
    """Give an image an EXIF orientation, and leave its label map as it is."""

    def convert(picture):
        picture.getexif()[274] = orientation
        return picture

    exif = Image.Exif()
    exif[274] = orientation
    return resave("train_image/train1.png", "train_image/train1.jpg", exif=exif, quality=95)


def deep_image(scale):
    def harm(folder):
        image, _ = draw(1)
        path = folder / "train_image/train1.png"
        cv2.imwrite(str(path), (image.astype(np.uint16) * scale)[..., ::-1])

    return harm


def dark_images(folder):
    """All images with the values of a camera of 12 bits in files of 16 bits."""
    for path in (*(folder / "train_image").iterdir(), *(folder / "test_image").iterdir()):
        image = np.array(Image.open(path)).astype(np.uint16)
        bright = 257 if path.name != "train1.png" else 16
        cv2.imwrite(str(path), (image * bright)[..., ::-1])


def half_labels(folder):
    path = folder / "train_label/train1.png"
    Image.fromarray(labels_of(path).astype(np.float32) / 2).save(path.with_suffix(".tif"))
    path.unlink()


def transparent(picture):
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    alpha[:4] = 30
    picture.putalpha(Image.fromarray(alpha))
    return picture


def animated(folder):
    pictures = [Image.fromarray(draw(seed)[0]) for seed in (1, 2)]
    (folder / "train_image/train1.png").unlink()
    path = folder / "train_image/train1.gif"
    pictures[0].save(path, save_all=True, append_images=pictures[1:])


def in_grey(relative):
    """Turn a palette file to grey by its colours, as `convert("L")` does."""
    return resave(relative, relative, lambda picture: picture.convert("L"))


IMAGE, LABEL = "train_image/train1.png", "train_label/train1.png"
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
