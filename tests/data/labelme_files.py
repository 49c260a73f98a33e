"""labelme files made by the tests."""

import base64
import io
import json
from contextlib import contextmanager

import numpy as np
from PIL import Image

SIZE = (30, 40)


def shape(label="cat", kind="polygon", points=((1, 1), (8, 1), (8, 6)), **more):
    raw = {"label": label, "points": [list(p) for p in points], "shape_type": kind}
    return {**raw, "group_id": None, "flags": {}, **more}


def document(*shapes, **more):
    known = {"version": "5.5.0", "flags": {}, "imagePath": "a.png", "imageData": None}
    height, width = SIZE
    return {
        **known,
        "shapes": list(shapes),
        "imageHeight": height,
        "imageWidth": width,
        **more,
    }


@contextmanager
def one_sentence_about(name):
    """Let ValueError pass if it is one line that begins with a name; other errors fail."""
    try:
        yield
    except ValueError as error:
        message = str(error)
        if not message.startswith(str(name)) or "\n" in message:
            raise AssertionError(f"the error does not name {name}: {message!r}") from error


def picture(size=SIZE, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.uint8)


def png_text(array):
    """An array as PNG in base64."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, format="PNG")
    return base64.b64encode(file.getvalue()).decode()


def write_json(folder, stem, content):
    path = folder / f"{stem}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    path.write_text(text, "utf-8")
    return path


def write_pair(folder, stem, *shapes, seed=0, **more):
    """Write a JSON file and its image, and return the path of the first."""
    path = write_json(folder, stem, document(*shapes, **{"imagePath": f"{stem}.png", **more}))
    Image.fromarray(picture(seed=seed)).save(folder / f"{stem}.png")
    return path
