"""From files to results: decoding, network and encoding at the same time."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kseg.data.io import read_image
from kseg.inference.file_errors import PER_FILE, is_per_file, one_line
from kseg.inference.large import pixels_of, segment_large
from kseg.inference.outputs import Look, Result, Writer
from kseg.inference.postprocess import PostProcess
from kseg.inference.predictor import Predictor
from kseg.inference.records import Records
from kseg.inference.sources import Item
from kseg.inference.threads import ahead, in_batches, usual_threads

Row = dict[str, Any]

_LARGE = "large"


class _Loaded(NamedTuple):
    """A decoded image, or the row that says why there is none; neither of a large image."""

    item: Item
    image: np.ndarray | None = None
    row: Row | None = None


class _Segmented(NamedTuple):
    """What is to be written for an image, or its row if nothing is."""

    item: Item
    result: Result | None = None
    row: Row | None = None


@dataclass(frozen=True)
class Pipeline:
    """A model and what is made of its answers.

    Attributes:
        predictor: The model.
        look: Where results go and how they look.
        writers: Kinds of results by their names.
        post: Changes of the label maps.
        batch_size: Images per step of the network.
        strips_above: Pixels of an image above which its label map is written strip by strip.
        threads: Threads that decode, and as many that write.
    """

    predictor: Predictor
    look: Look
    writers: Mapping[str, Writer]
    post: PostProcess = field(default_factory=PostProcess)
    batch_size: int = 4
    strips_above: float = 50e6
    threads: int = field(default_factory=usual_threads)

    def rows(self, items: Iterable[Item]) -> Iterator[Row]:
        """Yield a dict per file, as soon as its results are written.

        Its "file" is the item, its "error" None or one sentence, "written" the files that were
        written, "records" what the writers need to know at the end, and "note" what else to say.
        Files come in their order, but for those whose images share a batch with later ones.
        """
        window = self.batch_size + self.threads
        loaded = ahead(self._load, items, threads=self.threads, window=window)
        segmented = self._segment(loaded)
        return ahead(self._write, segmented, threads=self.threads, window=window)

    def batch_rows(self, items: Sequence[Item]) -> list[Row]:
        """Return the dicts of `rows` in the order of the files."""
        rows = {row["file"]: row for row in self.rows(items)}
        return [rows[item] for item in items]

    def label_maps(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the label maps of at most `batch_size` images."""
        return self.predictor.predict_padded(images, self.batch_size)

    def cleaned(self, labels: np.ndarray) -> np.ndarray:
        """Return a label map after all changes."""
        return self.post(labels, self.look.background) if self.post else labels

    def records(self) -> Records:
        """Return a place for the "records" of rows, until `finish` needs them."""
        return Records(kind for kind, writer in self.writers.items() if writer.final)

    def finish(self, records: Records) -> list[Path]:
        """Write what is about all images, in the order of their names, and return those files."""
        for kind, writer in self.writers.items():
            writer.finish(records.of(kind))
        return [path for writer in self.writers.values() for path in writer.final]

    def _load(self, item: Item) -> _Loaded:
        try:
            if pixels_of(item.path) > self.strips_above:
                return _Loaded(item)
            return _Loaded(item, read_image(item.path, self.predictor.channels))
        except PER_FILE as error:
            return _Loaded(item, row=_failed(item, error))

    def _segment(self, loaded: Iterable[_Loaded]) -> Iterator[_Segmented]:
        for batch in in_batches(loaded, self.batch_size, self._batch_key):
            if batch[0].row is not None:
                yield from (_Segmented(one.item, row=one.row) for one in batch)
            elif batch[0].image is None:
                yield from (_Segmented(one.item, row=self._large(one.item)) for one in batch)
            else:
                yield from self._predict(batch)

    def _batch_key(self, loaded: _Loaded) -> Hashable:
        if loaded.image is None:
            return _LARGE if loaded.row is None else None
        # Images that are resized to one size anyway share a batch, whatever their own sizes.
        return loaded.image.shape if self.predictor.fit == "pad" else loaded.image.dtype.kind

    def _predict(self, batch: Sequence[_Loaded]) -> Iterator[_Segmented]:
        items = [one.item for one in batch]
        try:
            results = self._results(items, [one.image for one in batch if one.image is not None])
        except Exception as error:
            if not is_per_file(error):
                raise
            if len(batch) == 1:
                yield _Segmented(items[0], row=_failed(items[0], error))
                return
            # One of them is to blame.
            for one in batch:
                yield from self._predict([one])
        else:
            yield from map(_Segmented, items, results)

    def _results(self, items: Sequence[Item], images: Sequence[np.ndarray]) -> list[Result]:
        scores: Sequence[np.ndarray | None] = [None] * len(items)
        if any(writer.needs_probabilities for writer in self.writers.values()):
            filled = self.predictor.padded(images, self.batch_size)
            scores = self.predictor.probabilities(filled)[: len(items)]
            labels = [one.argmax(-1).astype(np.uint8) for one in scores if one is not None]
        else:
            labels = self.label_maps(images)
        return [
            Result(item, *parts) for item, *parts in zip(items, images, labels, scores, strict=True)
        ]

    def _large(self, item: Item) -> Row:
        megapixels = f"{self.strips_above / 1e6:g} megapixels"
        try:
            if self.post or "label" not in self.writers:
                raise ValueError(
                    f"{item}: of images above {megapixels} only label maps (and counts) are made, "
                    "as the model gives them; change the flags, or raise --strips_above"
                )
            made = segment_large(self.predictor, item, self.look, self.batch_size)
        except Exception as error:
            if not is_per_file(error):
                raise
            return _failed(item, error)
        record = {"file": item.file_name, "pixels": made["pixels"]}
        left_out = ", ".join(kind for kind in self.writers if kind not in ("label", "count"))
        note = f"{item}: above {megapixels}, so there is no {left_out} of it" if left_out else ""
        row = {"file": item, "error": None, "written": made["written"], "note": note}
        return {**row, "records": {"count": record, "label": None}}

    def _write(self, segmented: _Segmented) -> Row:
        item, result, row = segmented
        if result is None:
            return row or {}
        row = {"file": item, "error": None, "written": [], "records": {}, "note": ""}
        try:
            # Here, where threads share the work.
            result = replace(result, labels=self.cleaned(result.labels))
            for kind, writer in self.writers.items():
                row["records"][kind] = writer.write(result)
                row["written"] += writer.targets(item.name)
        except PER_FILE as error:
            if not is_per_file(error):
                raise
            return _failed(item, error)
        return row


def _failed(item: Item, error: Exception) -> Row:
    """Return the row of a file for which an exception was raised, as one line that names it."""
    line = one_line(item, error)
    return {"file": item, "error": line, "written": [], "records": {}, "note": ""}
