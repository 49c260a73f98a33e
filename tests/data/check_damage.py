"""A small clean data set, and ways to break it."""

from io import BytesIO
from pathlib import Path

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
