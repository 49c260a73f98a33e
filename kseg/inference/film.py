"""Segmenting videos and what a camera sees: a film of the same size and speed comes out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, nullcontext, suppress
from dataclasses import dataclass
from itertools import count, islice, takewhile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from kseg.data.channels import to_channels
from kseg.data.decode import Decoded
from kseg.inference.outputs import DRAWN, Look, Result
from kseg.inference.outputs.count import Counts
from kseg.inference.pipeline import Pipeline
from kseg.inference.records import Records
from kseg.inference.sources import Film, Item, check_targets
from kseg.inference.threads import ahead
from kseg.inference.video import Frames, film_suffix, film_writer

FILM_KINDS = (*DRAWN, "count")
"""Kinds of results that a film can be written as."""


@dataclass(frozen=True)
class FilmOptions:
    """How a film is written.

    Attributes:
        kinds: Some of `FILM_KINDS`; a video for each that is drawn.
        fps: Frames per second of the result, by default those of the source.
        frames: Frames after which to stop, by default the whole film.

    Raises:
        ValueError: One of the kinds cannot be a film.
    """

    kinds: Sequence[str] = ("overlay",)
    fps: float | None = None
    frames: int | None = None

    def __post_init__(self) -> None:
        """Check the kinds."""
        wrong = [kind for kind in self.kinds if kind not in FILM_KINDS]
        if wrong:
            raise ValueError(
                f"--save {wrong[0]} is for images; a film can be saved as {', '.join(FILM_KINDS)}"
            )


class _Drawn(NamedTuple):
    """A frame as pictures (BGR) by their kinds, and what was counted in it."""

    pictures: dict[str, np.ndarray]
    record: Any


def segment_film(pipeline: Pipeline, film: Film, options: FilmOptions | None = None) -> list[Path]:
    """Segment a film, write the results, and return the files.

    A camera goes on until `frames`, or until Ctrl-C, which keeps what was recorded so far.

    Raises:
        ValueError: The film cannot be read, or would be overwritten.
    """
    options, look = options or FilmOptions(), pipeline.look
    counts = Counts(look) if "count" in options.kinds else None
    with Frames(film) as frames:
        paths = _paths(film, look, options.kinds, film_suffix(frames.size))
        draw = _drawer(film, look, paths, counts)
        with closing(_drawn(pipeline, frames, options, draw)) as drawn:
            fps = options.fps or frames.fps
            with Records(("count",) if counts is not None else ()) as records:
                _write(drawn, paths, fps, frames.size, film, records)
                if counts is not None:
                    counts.finish(records.of("count"))
    return [*paths.values(), *(counts.final if counts is not None else ())]


def _paths(film: Film, look: Look, kinds: Iterable[str], suffix: str) -> dict[str, Path]:
    names = {kind: f"_{kind}{suffix}" for kind in kinds if kind in DRAWN}
    paths = {kind: look.target(film.name, name) for kind, name in names.items()}
    inputs = [film.source] if isinstance(film.source, Path) else []
    check_targets(inputs, [film.name], lambda _: list(paths.values()))
    return paths


def _drawer(
    film: Film, look: Look, kinds: Iterable[str], counts: Counts | None
) -> Callable[[tuple[int, np.ndarray, np.ndarray]], _Drawn]:
    """Return a function that draws a numbered frame and its labels."""

    def draw(segmented: tuple[int, np.ndarray, np.ndarray]) -> _Drawn:
        number, image, labels = segmented
        pictures = {kind: _bgr(DRAWN[kind][1](image, labels, look)) for kind in kinds}
        if counts is None:
            return _Drawn(pictures, None)
        frame = Path(f"{film.name}:{number:06d}")
        return _Drawn(pictures, counts.write(Result(Item(frame, frame), image, labels)))

    return draw


def _bgr(picture: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(picture[..., 2::-1])


def _drawn(
    pipeline: Pipeline,
    frames: Frames,
    options: FilmOptions,
    draw: Callable[[tuple[int, np.ndarray, np.ndarray]], _Drawn],
) -> Iterator[_Drawn]:
    """Yield what is drawn of each frame; threads decode and draw while the network runs."""
    wanted = count() if options.frames is None else range(options.frames)
    window = 2 * pipeline.batch_size
    decoded = ahead(frames.read, wanted, threads=1, window=window)
    there = takewhile(lambda frame: frame is not None, decoded)
    drawn = ahead(draw, _segmented(pipeline, there), threads=pipeline.threads, window=window)
    total = frames.count if options.frames is None else options.frames
    done = 0
    for one in tqdm(drawn, "segmenting", total=total, unit="frame"):
        done += 1
        yield one
    if options.frames is None and frames.count is not None and done < frames.count:
        tqdm.write(
            f"note: {done} of the {frames.count} frames that the file states could be decoded",
            file=sys.stderr,
        )


def _segmented(
    pipeline: Pipeline, frames: Iterator[np.ndarray | None]
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    number, channels = 0, pipeline.predictor.channels
    while batch := [one for one in islice(frames, pipeline.batch_size) if one is not None]:
        images = [to_channels(Decoded(one), channels, Path("the film")) for one in batch]
        for image, labels in zip(batch, pipeline.label_maps(images), strict=True):
            yield number, image, pipeline.cleaned(labels)
            number += 1


def _write(
    drawn: Iterable[_Drawn],
    paths: dict[str, Path],
    fps: float,
    size: tuple[int, int],
    film: Film,
    records: Records,
) -> None:
    """Write the videos, and keep what was counted in each frame."""
    done = 0
    with ExitStack() as stack:
        writers = {
            kind: stack.enter_context(film_writer(path, fps, size)) for kind, path in paths.items()
        }
        with suppress(KeyboardInterrupt) if film.is_camera else nullcontext():
            for one in drawn:
                for kind, writer in writers.items():
                    writer.write(one.pictures[kind])
                records.put(done, {"count": one.record})
                done += 1
        if not done:
            raise ValueError(f"{film}: stopped before the first frame was segmented")
