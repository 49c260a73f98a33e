"""Settings of `kseg evaluate` and `kseg test`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kseg.config.checks import require_at_least
from kseg.config.parse import UsageError
from kseg.config.train import ImageInit


@dataclass
class EvaluateConfig:
    """Score a trained model on a data set at the original size of its images.

    Args:
        model: Run folder (its best checkpoint is used) or `.keras` file.
        dataset_name: Data set; by default the one of the run.
        data_root: Where it is; by default where it was at training.
        split: Part of the data set to score.
        output: Folder for report.json, report.csv and the contact sheet; by default the run
            folder's `evaluation`, or `evaluation` beside a `.keras` file.
        batch_size: Images per step.
    """

    model: str = "weights/exp1/unet"
    dataset_name: str | None = None
    data_root: str | None = None
    split: Literal["train", "val", "test"] = "test"
    output: str | None = None
    batch_size: int = 4

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_at_least(self, 1, "batch_size")


@dataclass
class FolderTestConfig:
    """Segment a folder of test images and, with `--mIOU True`, score a folder with labels.

    A run folder or a `.keras` file knows its model, sizes and normalisation; these flags are
    needed for bare `.weights.h5` files only, and must agree with the file otherwise.

    Args:
        test_images: Folder of images to segment.
        output_path: Folder for the label masks and overlays.
        weights_path: Run folder, `.keras` file or `.weights.h5` file.
        model_name: Name of the model, see `kseg models`.
        input_height: Height in pixels that images are resized to.
        input_width: Width in pixels that images are resized to.
        resize_op: 1 stretches images to the input size, 2 keeps their shape (letterbox).
        classes: Number of classes, background included.
        mIOU: Score `val_images` against `val_annotations` too.
        val_images: Folder of images to score.
        val_annotations: Folder of their labels, with the same file names up to the extension.
        ignore_class: Label that does not count in the scores.
        image_init: Normalisation inside the model, as it was given for training.
        batch_size: Images per step.
    """

    test_images: str = "data/test/"
    output_path: str = "data/output/"
    weights_path: str = "weights/exp1/unet"
    model_name: str | None = None
    input_height: int | None = None
    input_width: int | None = None
    resize_op: Literal[1, 2] | None = None
    classes: int | None = None
    mIOU: bool = False  # noqa: N815  (the founding project's spelling)
    val_images: str | None = None
    val_annotations: str | None = None
    ignore_class: int | None = None
    image_init: ImageInit | None = None
    batch_size: int = 4

    def __post_init__(self) -> None:
        """Check the ranges and that labels come with images."""
        require_at_least(self, 1, "classes", "batch_size")
        require_at_least(self, 32, "input_height", "input_width")
        if self.mIOU and not (self.val_images and self.val_annotations):
            raise UsageError(
                "--mIOU True needs --val_images and --val_annotations, the folders to score"
            )
