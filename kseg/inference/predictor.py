"""From images of any size to label maps of the same size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from kseg.inference.engines import Engine, KerasEngine, open_engine
from kseg.inference.engines.base import SMALLEST_SIZE
from kseg.inference.engines.scores import scores_to_labels
from kseg.inference.ensemble import check_ensemble, grouped, mean_of
from kseg.inference.huge.arrays import ArraySink, ArraySource
from kseg.inference.huge.strips import segment_strips
from kseg.inference.model_file import ModelInfo
from kseg.inference.tiles import Tiling, tiled_probabilities
from kseg.inference.tta import averaged, check_views, views_of

FITS = ("trained", "pad")


class Predictor:
    """One or several models with the image preparation that they were trained with.

    The answer of several models, or to several views of an image, is the mean of the
    probabilities.

    Args:
        engines: A model, or several of the same classes; see `kseg.inference.engines`.
        info: Classes, input size and resize mode of a `keras.Model`; engines know their own.
        fit: "trained" brings images to the input size as in training; "pad" runs them at their
            own size, padded to the stride of the model.
        tta: Views of each image, a name of `kseg.inference.tta.VIEWS`.
        tile: None, or the side of the squares that images are cut into, which run at the scale
            of the image whatever `fit` says.
        overlap: Least share of a tile that its neighbour covers too, 0..0.9.

    Raises:
        ValueError: The models do not fit together, or an option does not fit them.
    """

    def __init__(
        self,
        engines: Engine | keras.Model | Sequence[Engine],
        info: ModelInfo | None = None,
        *,
        fit: str = "trained",
        tta: str = "none",
        tile: int | None = None,
        overlap: float = 0.25,
    ):
        self.engines = _as_engines(engines, info)
        check_ensemble(self.engines)
        self.info = self.engines[0].info
        self.fit, self.tta, self.tile, self.overlap = fit, tta, tile, overlap
        views = views_of(tta)
        if fit not in FITS:
            raise ValueError(f"fit must be one of {', '.join(FITS)}; got {fit!r}")
        for engine in self.engines:
            check_views(views, engine.size, tta)
        self._check_tile()
        self._groups = grouped(self.engines, views, pad=fit == "pad")
        self._run = averaged(mean_of(self.engines), views)

    @classmethod
    def load(cls, path: str | Path | Sequence[str | Path], **options) -> Predictor:
        """Load a run folder (its best checkpoint), a `.keras` file or an export, or several.

        Args:
            path: What to load, see `open_engine`.
            **options: Those of the class.

        Raises:
            ValueError: There is no such model.
        """
        paths = [path] if isinstance(path, (str, Path)) else path
        return cls([open_engine(one) for one in paths], **options)

    @property
    def channels(self) -> int:
        """Number of channels of the images that the models take."""
        return self.engines[0].channels

    @property
    def class_names(self) -> Sequence[str]:
        """Names of the classes, in the order of their labels."""
        return self.info.class_names

    @property
    def num_classes(self) -> int:
        """Number of probabilities per pixel, at least 2."""
        return max(2, len(self.info.class_names))

    def predict(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the label map `(H, W)` uint8 of each image.

        Args:
            images: Images `(H, W, channels)` in 0..255, uint8 or floating point, of any sizes.
                They run as one batch; those to be padded as one batch for each size.

        Raises:
            ValueError: An image has other channels or another type.
        """
        images = [self._checked(image) for image in images]
        if self.tile is not None:
            return [self._tiled_labels(image) for image in images]
        if len(self._groups) > 1:
            return [scores_to_labels(scores) for scores in self._scores(images)]
        (group,) = self._groups
        labels: dict[int, np.ndarray] = {}
        for part in group.batches(images):
            labels.update(zip(part.indices, group.labels(part), strict=True))
        return [labels[index] for index in range(len(images))]

    def probabilities(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the probabilities `(H, W, C)` float32 of each image, C at least 2.

        Args:
            images: As for `predict`.

        Raises:
            ValueError: An image has other channels or another type.
        """
        images = [self._checked(image) for image in images]
        if self.tile is None:
            return self._scores(images)
        options = {"tile": self.tile, "overlap": self.overlap, "num_classes": self.num_classes}
        return [tiled_probabilities(image, self._run, **options) for image in images]

    def predict_padded(self, images: Sequence[np.ndarray], batch_size: int) -> list[np.ndarray]:
        """Predict at most `batch_size` images as one batch of exactly that size.

        Backends that compile for a shape then compile once, also for a smaller last batch.
        """
        return self.predict(self.padded(images, batch_size))[: len(images)]

    def padded(self, images: Sequence[np.ndarray], batch_size: int) -> list[np.ndarray]:
        """Return images with the last one repeated, where they run as one batch of that size."""
        alone = self.tile is not None or self.fit == "pad"
        missing = 0 if alone else batch_size - len(images)
        return [*images, *[images[-1]] * missing]

    def run(self, batch: np.ndarray) -> np.ndarray:
        """Return the probabilities `(N, h, w, C)` float32 of images that are not fitted first.

        This is what cuts images into tiles by other means needs, such as `segment_file`.

        Args:
            batch: Images `(N, h, w, channels)` of a size that all models take.

        Raises:
            ValueError: They have another size or other channels.
        """
        return self._run(batch)

    def _scores(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        totals: dict[int, np.ndarray] = {}
        for group in self._groups:
            share = np.float32(len(group.engines) / len(self.engines))
            for part in group.batches(images):
                for index, scores in zip(part.indices, group.scores(part), strict=True):
                    scores = scores if share == 1 else share * scores
                    totals[index] = totals[index] + scores if index in totals else scores
        return [totals[index] for index in range(len(images))]

    def _tiled_labels(self, image: np.ndarray) -> np.ndarray:
        sink = ArraySink(*image.shape[:2])
        options = {"tile": self.tile, "overlap": self.overlap, "num_classes": self.num_classes}
        segment_strips(ArraySource(image), sink, self._run, **options)
        return sink.labels

    def _check_tile(self) -> None:
        if self.tile is None:
            return
        Tiling(self.tile, self.overlap, self.num_classes)
        if self.tile < SMALLEST_SIZE:
            raise ValueError(f"tile must be at least {SMALLEST_SIZE}, got {self.tile}")
        for engine in self.engines:
            if engine.size not in (None, (self.tile, self.tile)):
                height, width = engine.size
                raise ValueError(
                    f"tiles of {self.tile}x{self.tile} do not fit a model that is fixed to "
                    f"{width}x{height} (width x height); take tiles of that size, or a model "
                    "that takes any size"
                )

    def _checked(self, image: np.ndarray) -> np.ndarray:
        image = np.asarray(image)
        if image.ndim == 2 and self.channels == 1:
            image = image[..., None]
        if image.ndim != 3 or image.shape[-1] != self.channels or 0 in image.shape:
            raise ValueError(
                f"an image must be an array (height, width, {self.channels}), got {image.shape}"
            )
        if image.dtype == np.uint8:
            return image
        if not np.issubdtype(image.dtype, np.floating):
            raise ValueError(
                f"an image must be uint8, or floating point in 0..255, got {image.dtype}; "
                "kseg.data.io.read_image reads files so"
            )
        return image.astype(np.float32, copy=False)


def _as_engines(engines: object, info: ModelInfo | None) -> list[Engine]:
    if isinstance(engines, keras.Model):
        if info is None:
            raise ValueError("a keras.Model needs info: the classes and the input size that it has")
        return [KerasEngine(engines, info)]
    return list(engines) if isinstance(engines, Sequence) else [engines]
