"""Whether images are what `--val_crops` takes them for."""

from __future__ import annotations

from kseg.config import TrainConfig
from kseg.data.dataset import Dataset
from kseg.training.propose.image_sizes import image_size


def check_own_sizes(config: TrainConfig, dataset: Dataset) -> None:
    """Refuse images that tiles would show at another scale than training does.

    With `--val_crops` test images are scored in tiles of their own size, while training and
    validation show windows of resized ones.

    Raises:
        ValueError: An image is not of the input size.
    """
    if not config.val_crops:
        return
    wanted = config.input_height, config.input_width
    for files in (*dataset.train, *dataset.val, *dataset.test):
        height, width = image_size(dataset, files)
        if (height, width) != wanted:
            raise ValueError(
                f"{files.image}: the image has {height}x{width} pixels (height x width), and "
                f"--val_crops needs images of the input size {wanted[0]}x{wanted[1]}, since test "
                "images are scored at their own scale; give their size as --input_height and "
                "--input_width, bring all images to one size, or leave --val_crops out"
            )
