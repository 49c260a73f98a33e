"""Facts of data sets that settings are proposed for."""

from kseg.training.propose import (
    Budget,
    Classes,
    Facts,
    Shapes,
    Sizes,
)

CPU, GPU = Budget(8.0, backend="tensorflow"), Budget(20.0, device="gpu", cores=16, backend="jax")


def facts_of(**changes):
    """300 colour images of 256x256; a third of the pixels belong to compact objects."""
    values = {
        "name": "own",
        "train": 300,
        "val": 30,
        "test": 30,
        "channels": 3,
        "grey": False,
        "deep": False,
        "sizes": Sizes((256, 256), (256, 256), (256, 256)),
        "classes": Classes(("ground", "part"), (2000, 1000), (3000, 3000)),
        "shapes": Shapes(16, 2.0, 900.0, 0.0, (60.0, 30.0), (99.0, 50.0), (3.0, 2.0)),
    }
    return Facts(**{**values, **changes})


def of_size(height, width):
    return {"sizes": Sizes((height, width), (height, width), (height, width))}


def with_shares(*shares):
    pixels = tuple(round(1e6 * share) for share in shares)
    names = tuple(f"class {label}" for label in range(len(shares)))
    count = len(shares)
    shapes = Shapes(16, 2.0, 900.0, 0.0, (50.0,) * count, (60.0,) * count, (2.0,) * count)
    return {"classes": Classes(names, pixels, (sum(pixels),) * count), "shapes": shapes}


LINES = {"shapes": Shapes(16, 40.0, 16.0, 0.7, (60.0, 5.0), (99.0, 9.0), (9.0, 400.0))}
CELLS = {"shapes": Shapes(16, 20.0, 250.0, 0.4, (90.0, 20.0), (99.0, 30.0), (9.0, 3.0))}
