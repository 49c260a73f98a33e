"""A small data set in every layout that the pages show, of scenes that kseg draws."""

import json
from functools import cache

import numpy as np
import tifffile
from PIL import Image

from kseg.data.camvid import CLASS_COLOURS
from kseg.data.parts import draw_scene
from kseg.palette import class_palette

SIZE = (48, 64)


@cache
def scene(index):
    return draw_scene(np.random.default_rng(index), SIZE)


def scenes(count):
    """Yield a name, an image and a label map of six classes."""
    for index in range(count):
        yield f"scene_{index:02d}", *scene(index)


def save(path, array, palette=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(np.ascontiguousarray(array))
    if palette is not None:
        picture.putpalette(palette.tobytes())
    picture.save(path)


def binary(labels, value=1):
    return np.where(labels > 0, value, 0).astype(np.uint8)


def plain(folder, change=binary, train=8, test=2):
    for index, (name, image, labels) in enumerate(scenes(train + test)):
        part = "train" if index < train else "test"
        save(folder / f"{part}_image" / f"{name}.jpg", image)
        save(folder / f"{part}_label" / f"{name}.png", change(labels))


def streets(folder):
    """Label maps in colours, and the table that says what they mean."""
    plain(folder, lambda labels: class_palette()[labels])
    names = ("ground", "road", "wall", "car", "tree", "sky")
    rows = [f"{name},{r},{g},{b}" for name, (r, g, b) in zip(names, class_palette(), strict=False)]
    (folder / "class_dict.csv").write_text("\n".join(["name,r,g,b", *rows]), "utf-8")


def fields(folder):
    """Images of five bands."""
    plain(folder)
    for part in ("train_image", "test_image"):
        for path in list((folder / part).iterdir()):
            image = np.asarray(Image.open(path))
            bands = np.concatenate([image, image[..., :2] // 2], axis=-1)
            options = {"photometric": "minisblack", "planarconfig": "contig"}
            tifffile.imwrite(path.with_suffix(".tif"), bands, **options)
            path.unlink()


def voc(folder):
    """A folder without lists."""
    for name, image, labels in scenes(10):
        save(folder / "JPEGImages" / f"{name}.jpg", image)
        save(folder / "SegmentationClass" / f"{name}.png", binary(labels), class_palette())


def voc2012(folder):
    voc(folder)
    lists = folder / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    for part, numbers in (("train", range(8)), ("val", (8, 9))):
        (lists / f"{part}.txt").write_text("".join(f"scene_{i:02d}\n" for i in numbers), "utf-8")


def camvid(folder):
    for part, count in (("train", 8), ("val", 2), ("test", 2)):
        for name, image, labels in scenes(count):
            save(folder / part / f"{part}_{name}.png", image)
            save(folder / f"{part}annot" / f"{part}_{name}.png", labels)


def camvid32(folder):
    colours = np.array(list(CLASS_COLOURS.values()), np.uint8)
    for part, count in (("train", 8), ("val", 2), ("test", 2)):
        for name, image, labels in scenes(count):
            save(folder / part / f"{part}_{name}.png", image)
            save(folder / f"{part}_labels" / f"{part}_{name}_L.png", colours[labels])


def isbi(folder):
    for name, image, labels in scenes(16):
        save(folder / "images" / f"{name}.png", image[..., 0])
        save(folder / "labels" / f"{name}.png", 255 - binary(labels, 255))


def drive(folder):
    for part in ("training", "test"):
        for index, (_, image, labels) in enumerate(scenes(8)):
            save(folder / part / "images" / f"{index}_{part}.tif", image)
            save(folder / part / "1st_manual" / f"{index}_manual1.gif", binary(labels, 255))
            field = np.full(SIZE, 255, np.uint8)
            field[:4] = 0
            save(folder / part / "mask" / f"{index}_{part}_mask.gif", field)


def coco(folder):
    for part, count in (("train", 8), ("val", 2)):
        images, annotations = [], []
        for index, (name, image, _) in enumerate(scenes(count)):
            file = f"{part}_{name}.jpg"
            save(folder / f"{part}2017" / file, image)
            size = {"height": SIZE[0], "width": SIZE[1]}
            images.append({"id": index, "file_name": file, **size})
            corners = [[8, 8, 30, 8, 30, 30, 8, 30]]
            one = {"id": index, "image_id": index, "category_id": 3, "segmentation": corners}
            annotations.append({**one, "iscrowd": 0})
        content = {
            "images": images,
            "annotations": annotations,
            "categories": [{"id": 3, "name": "part"}],
        }
        path = folder / "annotations" / f"instances_{part}2017.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), "utf-8")


def lists(folder):
    for name, image, labels in scenes(10):
        save(folder / "day one" / f"{name}.jpg", image)
        save(folder / "drawn" / f"{name}.png", binary(labels))
    for part, numbers in (("train", range(8)), ("val", (8, 9))):
        lines = [f"day one/scene_{i:02d}.jpg,drawn/scene_{i:02d}.png\n" for i in numbers]
        (folder / f"{part}.csv").write_text("image,mask\n" + "".join(lines), "utf-8")


def labelme(folder):
    for name, image, _ in scenes(10):
        save(folder / f"{name}.jpg", image)
        shape = {"label": "crack", "shape_type": "line", "points": [[10, 30], [50, 35]]}
        other = {"label": "stain", "shape_type": "rectangle", "points": [[5, 5], [20, 15]]}
        content = {"version": "5.5.0", "shapes": [shape, other], "imagePath": f"{name}.jpg"}
        (folder / f"{name}.json").write_text(json.dumps(content), "utf-8")


def dsb2018(folder):
    for name, image, labels in scenes(16):
        save(folder / "images" / f"{name}.png", image)
        save(folder / "masks" / f"{name}.png", labels > 0)


def digital_rock(folder):
    for name, image, labels in scenes(16):
        save(folder / "JPEGImages" / f"{name}.jpg", image[..., 0])
        save(folder / "SegmentationClass" / f"{name}.png", np.minimum(labels, 3))


def leaves(folder):
    """One folder of images and one of label maps."""
    for name, image, labels in scenes(10):
        save(folder / "images" / f"{name}.jpg", image)
        save(folder / "masks" / f"{name}.png", binary(labels))


def slides(folder):
    """A layout that no adapter knows."""
    for name, image, labels in scenes(8):
        save(folder / "scans" / f"{name}.jpg", image)
        save(folder / "drawn" / f"{name}.png", binary(labels, 200))


LAYOUTS = {
    "parts": lambda folder: plain(folder, train=16),
    "pets": plain,
    "streets": streets,
    "fields": fields,
    "cracks": voc,
    "VOCdevkit/VOC2012": voc2012,
    "camvid": camvid,
    "camvid32": camvid32,
    "isbi": isbi,
    "drive": drive,
    "coco": coco,
    "scratches": lists,
    "scans": labelme,
    "helen_small": lambda folder: plain(folder, np.asarray),
    "dsb2018": dsb2018,
    "digital_rock": digital_rock,
    "leaves": leaves,
    "slides": slides,
}


def write_layouts(root, *names):
    """Write some of them, by default all, into the folder `root`."""
    for name in names or LAYOUTS:
        LAYOUTS[name](root / name)
