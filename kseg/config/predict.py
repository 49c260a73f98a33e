"""Settings of `kseg predict`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kseg.config.checks import require_at_least
from kseg.config.engine import EngineName, check_engine
from kseg.config.model_paths import model_paths
from kseg.config.parse import UsageError

KINDS = ("label", "colour", "overlay", "cutout", "heatmap", "labelme", "coco", "count")
Mode = Literal["predict", "dir_predict", "video", "heatmap", "fps", "export"]
Tta = Literal["none", "flip", "flips", "turns", "d4", "scales", "scales_flip"]


@dataclass
class PredictConfig:
    """Segment images, folders of them, videos or what a camera sees; or measure the speed.

    docs/prediction.md shows what comes out.

    Args:
        model: Run folder (its best checkpoint is used), `.keras` file or exported model; several,
            as `A,B` or `'[A, B]'`, answer together by the mean of their probabilities.
        input: Image, folder, pattern such as 'scans/**/*.png', video, number of a camera, or "-"
            for a list of images on standard input.
        output: Folder for the results; inputs are never written over.
        save: What to write, as `label,overlay` (the default; of videos the overlay alone):
            "label" (8-bit palette PNG of class numbers), "colour" (the colours of the classes),
            "overlay" (these over the image), "cutout" (objects alone, transparent elsewhere),
            "heatmap" (probability of each class), "labelme" (polygons, a JSON file per image),
            "coco" (polygons, one JSON file), "count" (pixels and share of area per class, printed
            and as CSV), or "all".
        blend: Strength of the colours in overlays and heat maps, 0..1.
        batch_size: Images per step.
        engine: "local" works in this process, "ray" in `workers` processes of Ray Data, here or on
            a cluster: for collections of very many files.
        workers: Processes of engine "ray", each with a model of its own.
        ray_address: Ray cluster to work on, as HOST:PORT or "auto"; by default this machine alone.
        mode: "predict" takes any input, "dir_predict" a folder, "video" a video or camera;
            "heatmap" is `--save heatmap`, "fps" measures the speed on the first image, and "export"
            writes the model as ONNX into its run folder, as `kseg export_onnx` does.
        recursive: Look for images in the folders below a folder too; results keep the folders.
        heat_class: Name or number of the only class of the heat maps; by default all.
        fit: "trained" resizes images as in training, "pad" runs them at their own size.
        tile: Side in pixels of tiles that images are cut into, which run at the image's own scale.
        overlap: Least share of a tile that its neighbour covers too, 0..0.9.
        tta: Mean over several views of an image: "flip" left-right, "flips" both ways, "turns" by
            quarters, "d4" turned and flipped, "scales" 0.75, 1 and 1.25, "scales_flip".
        strips_above: Megapixels of an image above which it is read, run in tiles and written strip
            by strip, its label map alone.
        fill_holes: Fill holes in objects of at most this many pixels.
        opening: Remove parts of objects that are thinner than twice this many pixels.
        min_size: Remove objects of fewer pixels.
        largest: Keep the largest object of each class alone.
        split_touching: Cut touching objects apart at necks that are narrower, by twice this many
            pixels or more, than both sides.
        video_fps: Frames per second of the video written, by default those of the source.
        frames: Frames after which to stop a video or camera; a camera stops at Ctrl-C too.
        test_interval: Runs that `--mode fps` takes the mean of.
    """

    model: list[str] | str = "weights/exp1/unet"
    input: str = "data/parts/test_image"
    output: str = "data/output"
    save: list[str] | str | None = None
    blend: float = 0.5
    batch_size: int = 4
    engine: EngineName = "local"
    workers: int = 2
    ray_address: str | None = None
    mode: Mode = "predict"
    recursive: bool = False
    heat_class: str | None = None
    fit: Literal["trained", "pad"] = "trained"
    tile: int | None = None
    overlap: float = 0.25
    tta: Tta = "none"
    strips_above: float = 50.0
    fill_holes: int = 0
    opening: int = 0
    min_size: int = 0
    largest: bool = False
    split_touching: int = 0
    video_fps: float | None = None
    frames: int | None = None
    test_interval: int = 100

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_at_least(self, 1, "batch_size", "frames", "test_interval")
        require_at_least(self, 0, "fill_holes", "opening", "min_size", "split_touching")
        require_at_least(self, 32, "tile")
        check_engine(self)
        for name, most in (("blend", 1), ("overlap", 0.9)):
            if not 0 <= getattr(self, name) <= most:
                raise UsageError(f"--{name} must be in 0..{most}, got {getattr(self, name)}")
        for name in ("strips_above", "video_fps"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UsageError(f"--{name} must be above 0, got {value}")
        self._check_kinds()

    def _check_kinds(self) -> None:
        wrong = [kind for kind in self.kinds or () if kind not in KINDS]
        if wrong or self.kinds == ():
            given = wrong[0] if wrong else ""
            raise UsageError(f"--save must be some of {', '.join(KINDS)}, or all; got {given!r}")
        if self.mode == "heatmap" and self.save is not None and self.kinds != ("heatmap",):
            raise UsageError("--mode heatmap writes heat maps; leave out --save, or the mode")

    @property
    def backend(self) -> str | None:
        """The backend that the mode needs, None where any will do."""
        return "tensorflow" if self.mode == "export" else None

    @property
    def output_folders(self) -> list[str]:
        """Where results go, which a command looks at before it begins."""
        return [] if self.mode in ("fps", "export") else [self.output]

    @property
    def models(self) -> list[str]:
        """The models that answer together."""
        return model_paths(self.model)

    @property
    def kinds(self) -> tuple[str, ...] | None:
        """The kinds of results that are asked for, None for the usual ones."""
        if self.mode == "heatmap" and self.save is None:
            return ("heatmap",)
        if self.save is None:
            return None
        words = _words(self.save) if isinstance(self.save, str) else self.save
        return KINDS if words == ["all"] else tuple(dict.fromkeys(words))


def _words(text: str) -> list[str]:
    return [word for word in (part.strip() for part in text.split(",")) if word]
