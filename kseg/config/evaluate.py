"""Settings of `kseg evaluate` and `kseg test`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from kseg.config.checks import require_at_least, require_at_most
from kseg.config.engine import EngineName, check_engine
from kseg.config.model_paths import model_paths
from kseg.config.parse import UsageError
from kseg.config.predict import Tta
from kseg.config.train import ImageInit


@dataclass
class EvaluateConfig:
    """Score a trained model on a data set, or a folder of label masks against another.

    Images are scored at their original size.

    Args:
        model: Run folder (its best checkpoint is used), `.keras` file or exported model; several,
            as `A,B` or `'[A, B]'`, answer together by the mean of their probabilities.
        dataset_name: Data set; by default the one of the run.
        data_root: Where it is; by default where it was at training.
        split: Part of the data set to score.
        output: Folder for the results; by default the run folder's `evaluation`, `evaluation`
            beside a model file, or PREDICTIONS/evaluation for masks of no model.
        batch_size: Images per step.
        mode: "both" predicts and scores, "predict" only writes label masks, "score" only scores
            masks that are there already.
        predictions: Folder of label masks: "score" reads them, "predict" writes them, and "both"
            writes them if it is given; by default OUTPUT/predictions.
        images: Folder of images to score in place of a data set.
        labels: Folder of their label maps, with the same file names up to the extension; with
            `--mode score` the images may be missing.
        n_classes: Number of classes where neither a model nor a data set says it.
        ignore_class: Label that does not count; by default that of the model or data set.
        compare: Another evaluation (its run folder, its folder or its report.json) to put beside
            this one in the report.
        boundary: Measure Hausdorff and average distance, surface Dice and boundary IoU too.
        boundary_tolerance: Distance in pixels that counts as right in the surface Dice.
        auc: Measure the areas under the ROC and the precision-recall curve of each class too.
        v_rand: Measure splits and mergers of the cells between membranes too.
        membrane_class: Label of the membranes.
        calibration: Measure how far the probabilities can be trusted.
        bootstrap: Resamples of the images for the 95 % intervals, 0 for no intervals.
        seed: Seed of the resampling.
        worst: Number of the worst and of the best images that report.html shows.
        html: Write report.html.
        fit: "trained" resizes images as in training, "pad" runs them at their own size.
        tta: Mean over several views of an image, see `kseg predict --help`.
        tile: Side in pixels of the tiles that images are cut into, at their own size; by default
            there are none.
        overlap: Share of a tile that its neighbour covers too, 0..0.9.
        engine: "local" works in this process, "ray" in `workers` processes of Ray Data, here or on
            a cluster: for collections of very many files.
        workers: Processes of engine "ray", each with a model of its own.
        ray_address: Ray cluster to work on, as HOST:PORT or "auto"; by default this machine alone.
    """

    model: list[str] | str = "weights/exp1/unet"
    dataset_name: str | None = None
    data_root: str | None = None
    split: Literal["train", "val", "test"] = "test"
    output: str | None = None
    batch_size: int = 4
    mode: Literal["predict", "score", "both"] = "both"
    predictions: str | None = None
    images: str | None = None
    labels: str | None = None
    n_classes: int | None = None
    ignore_class: int | None = None
    compare: str | None = None
    boundary: bool = False
    boundary_tolerance: float = 2.0
    auc: bool = False
    v_rand: bool = False
    membrane_class: int = 1
    calibration: bool = True
    bootstrap: int = 1000
    seed: int = 0
    worst: int = 20
    html: bool = True
    fit: Literal["trained", "pad"] = "trained"
    tta: Tta = "none"
    tile: int | None = None
    overlap: float = 0.25
    engine: EngineName = "local"
    workers: int = 2
    ray_address: str | None = None

    def __post_init__(self) -> None:
        """Check the ranges, and that folders come together."""
        require_at_least(self, 1, "batch_size", "n_classes")
        require_at_least(self, 0, "bootstrap", "worst", "seed", "boundary_tolerance", "overlap")
        require_at_least(self, 32, "tile")
        require_at_most(self, 0.9, "overlap")
        check_engine(self)
        if self.engine == "ray" and self.mode == "score":
            raise UsageError("--engine ray runs models, and --mode score has none; leave it out")
        if self.compare is not None and not self.html:
            raise UsageError("--compare is shown in report.html; leave --html false out")
        if not self.models:
            raise UsageError("--model needs at least one run folder such as weights/exp1/unet")
        needs = {"predict": ("images",), "score": ("labels",), "both": ("images", "labels")}
        self._check_folders(needs[self.mode])

    @property
    def backend(self) -> str | None:
        """The backend to load: none runs a model where masks are scored, and NumPy loads fast."""
        return "numpy" if self.mode == "score" and self.compare is None else None

    @property
    def output_folders(self) -> list[str]:
        """Where results go, which a command looks at before it begins."""
        written = [self.output, None if self.mode == "score" else self.predictions]
        return [folder for folder in written if folder is not None]

    @property
    def models(self) -> list[str]:
        """The models that answer together."""
        return model_paths(self.model)

    @property
    def predictor_options(self) -> dict[str, Any]:
        """Keyword options of `Predictor`."""
        names = ("fit", "tta", "tile", "overlap")
        return {name: getattr(self, name) for name in names}

    def _check_folders(self, needed: tuple[str, ...]) -> None:
        """Check that a folder in place of a data set has the other one that the mode needs."""
        missing = [name for name in needed if getattr(self, name) is None]
        if missing and (self.images or self.labels):
            raise UsageError(f"--mode {self.mode} of folders needs --{missing[0]} too")


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

    @property
    def output_folders(self) -> list[str]:
        """Where results go, which a command looks at before it begins."""
        return [self.output_path]

    def __post_init__(self) -> None:
        """Check the ranges and that labels come with images."""
        require_at_least(self, 1, "classes", "batch_size")
        require_at_least(self, 32, "input_height", "input_width")
        if self.mIOU and not (self.val_images and self.val_annotations):
            raise UsageError(
                "--mIOU True needs --val_images and --val_annotations, the folders to score"
            )
