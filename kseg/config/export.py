"""Settings that all export commands share, and what each of them adds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from kseg.config.checks import require_at_least, require_at_most
from kseg.config.parse import UsageError
from kseg.config.train import ImageInit

Output = Literal["probabilities", "logits", "labels"]
Layout = Literal["NCHW", "NHWC"]


@dataclass
class ExportConfig:
    """Write a model for another runtime, and compare it there with the original.

    The preparation of images (but for resizing) is part of the exported graph: it takes RGB images
    of 0..255. Beside it comes a JSON file that says what the model takes and gives, and what its
    classes mean. docs/deployment.md explains the formats.

    Args:
        model: Run folder (its best checkpoint is used) or `.keras` file, written on any backend.
        model_name: Name of the model, for weights without their model (`weights_path`).
        model_options: Keyword options of the model, as in training; for `weights_path` alone.
        encoder: Backbone, as in training; for `weights_path` alone.
        image_init: Normalisation inside the model, as in training; for `weights_path` alone.
        image_channels: Channels of the images, 3 by default; for `weights_path` alone.
        resize_op: 1 stretched images, 2 letterboxed; for `weights_path` alone.
        weights_path: `.weights.h5` file, or `.keras` file that `model_name`, `classes` and sizes
            must agree with; takes the place of `model`.
        classes: Number of classes, background included; by default what the model says, or 2.
        input_height: Height in pixels of the exported graph's images, by default that of training.
        input_width: Width in pixels of the exported graph's images, by default that of training.
        output_path: File to write, by default RUN/export/MODEL_NAME with the format's extension,
            or beside the weights where they are not in a run folder.
        output: What the graph gives: "probabilities" and "logits" have a channel per class,
            "labels" are the numbers of the best classes, one byte per pixel.
        input_dtype: Type of the images, "float32" or "uint8"; both of 0..255.
        batch_size: Images per step, which the graph is fixed to.
        dynamic_batch: Leave the number of images open.
        dynamic_size: Leave height and width open (of at least 32).
        images: Folder of images to compare the two models on; by default test images of the run's
            data set, or drawings where it is not there.
        tolerance: Largest difference of a probability that is accepted in float32.
        agreement: Least share of pixels with the same class that is accepted for the other
            precisions and for labels; by default 0.999, and 0.99 with 8 bits.
        repeats: Runs that the times are taken from; 0 takes none.
    """

    positional: ClassVar[str] = "model"
    backend: ClassVar[str] = "tensorflow"
    format: ClassVar[str] = ""
    suffix: ClassVar[str] = ""
    # Part of default file names that tells formats apart whose further files would share a name.
    mark: ClassVar[str] = ""
    # What a format cannot leave open is no flag's business to promise.
    can_be_dynamic: ClassVar[tuple[str, ...]] = ("dynamic_batch", "dynamic_size")
    # Settings of which a format knows one value alone.
    fixed: ClassVar[dict[str, Any]] = {}

    model: str = "weights/exp1/unet"
    model_name: str | None = None
    model_options: dict[str, Any] = field(default_factory=dict)
    encoder: str | None = None
    image_init: ImageInit | None = None
    image_channels: int | None = None
    resize_op: Literal[1, 2] | None = None
    weights_path: str | None = None
    classes: int | None = None
    input_height: int | None = None
    input_width: int | None = None
    output_path: str | None = None
    output: Output = "probabilities"
    input_dtype: Literal["float32", "uint8"] = "float32"
    batch_size: int = 1
    dynamic_batch: bool = False
    dynamic_size: bool = False
    images: str | None = None
    tolerance: float = 1e-4
    agreement: float | None = None
    repeats: int = 20

    def __post_init__(self) -> None:
        """Check the ranges, and that flags fit together."""
        require_at_least(self, 1, "classes", "batch_size", "image_channels")
        require_at_least(self, 32, "input_height", "input_width")
        require_at_least(self, 0, "tolerance", "agreement", "repeats")
        require_at_most(self, 1, "agreement")
        for name, value in self.fixed.items():
            if getattr(self, name) != value:
                raise UsageError(f"--{name}: this format takes {value} alone; leave the flag out")
        for name in ("dynamic_batch", "dynamic_size"):
            if getattr(self, name) and name not in self.can_be_dynamic:
                raise UsageError(f"--{name}: this format fixes it; leave the flag out")
        if self.weights_path is None:
            self._check_bare()

    def _check_bare(self) -> None:
        for name in ("model_name", "encoder", "image_init", "image_channels", "resize_op"):
            if getattr(self, name) is not None:
                raise UsageError(
                    f"--{name} is for --weights_path; a run or .keras file knows it, leave it out"
                )
        if self.model_options:
            raise UsageError("--model_options are for --weights_path; leave them out")

    @property
    def layout_in_file(self) -> Layout:
        """Order of the axes of the graph's input and scores."""
        return getattr(self, "layout", "NHWC")

    @property
    def has_8_bits(self) -> bool:
        """Whether weights are rounded to 8 bits."""
        return getattr(self, "precision", "float32") in ("int8", "dynamic")

    @property
    def needed_agreement(self) -> float:
        """Share of pixels that must have the same class."""
        if self.agreement is not None:
            return self.agreement
        return 0.99 if self.has_8_bits else 0.999

    @property
    def is_exact(self) -> bool:
        """Whether probabilities must be those of the original, and not only labels."""
        return getattr(self, "precision", "float32") == "float32" and self.output != "labels"
