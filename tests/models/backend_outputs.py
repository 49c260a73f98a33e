"""Build every small model on this process' backend with given weights, and keep its output.

Arguments: a folder with images.npy and NAME.npz; NAME-logits.npy are written beside them.
"""

import sys
from pathlib import Path

import keras
import numpy as np

# The weights are replaced anyway; drawing them costs JAX a compilation for each shape.
for _initializer in (keras.initializers.GlorotUniform, keras.initializers.HeNormal):
    _initializer.__call__ = lambda self, shape, dtype=None, **_: np.zeros(shape, "float32")

from kseg.models import get_model  # noqa: E402
from tests.tiny import tiny_options  # noqa: E402


def main(folder):
    images = np.load(folder / "images.npy")
    for file in sorted(folder.glob("*.npz")):
        name = file.stem
        with np.load(file) as stored:
            weights = [stored[str(index)] for index in range(len(stored.files))]
        model = get_model(name, 3, **tiny_options(name))
        model.set_weights(weights)
        logits = model(images, training=False)
        np.save(folder / f"{name}-logits.npy", keras.ops.convert_to_numpy(logits))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
