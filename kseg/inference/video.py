"""Videos and cameras: decoding and encoding of their frames."""

from __future__ import annotations

import math
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from kseg.files import replacing
from kseg.inference.sources import Film

USUAL_FPS = 25.0
_ENCODERS = {".mp4": (cv2.CAP_FFMPEG, "mp4v"), ".avi": (cv2.CAP_OPENCV_MJPEG, "MJPG")}


class Frames:
    """The frames of a video file or a camera, to be used in a `with` statement.

    Args:
        film: Which one.

    Attributes:
        fps: Frames per second; 25 where the source does not say.
        size: Height and width.
        count: Number of frames as the file states it, or None.

    Raises:
        ValueError: It cannot be opened or has no frame.
    """

    def __init__(self, film: Film):
        is_camera = film.is_camera
        # After an error a thread may still decode ahead, and FFmpeg would wait for ever if its
        # memory were given back meanwhile.
        self._lock = threading.Lock()
        with _quiet_opencv():
            if isinstance(film.source, int):
                self._capture = cv2.VideoCapture(film.source)
            else:
                # Other decoders would take clip_1.mp4 for a picture of a numbered series.
                self._capture = cv2.VideoCapture(str(film.source), cv2.CAP_FFMPEG)
            self._first = self._decode()
        if self._first is None:
            self._capture.release()
            what = "no such camera" if is_camera else "this is no video that can be decoded"
            raise ValueError(f"{film}: {what}")
        fps, frames = (
            self._capture.get(name) for name in (cv2.CAP_PROP_FPS, cv2.CAP_PROP_FRAME_COUNT)
        )
        self.fps = fps if math.isfinite(fps) and 0 < fps <= 1000 else USUAL_FPS
        self.size: tuple[int, int] = self._first.shape[:2]
        self.count = int(frames) if frames > 0 and not is_camera else None

    def read(self, _: object = None) -> np.ndarray | None:
        """Return the next frame, RGB `(H, W, 3)`, or None after the last one or when closed.

        Several threads may call it.
        """
        with self._lock:
            return self._next()

    def _next(self) -> np.ndarray | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return self._decode()

    def _decode(self) -> np.ndarray | None:
        done, frame = self._capture.read()
        return cv2.cvtColor(frame, cv2.COLOR_BGR2RGB) if done else None

    def __enter__(self) -> Frames:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the source, after a frame that is being decoded."""
        with self._lock:
            self._first = None
            self._capture.release()


@contextmanager
def _quiet_opencv() -> Iterator[None]:
    # FFmpeg and OpenCV would print lines of their own about damaged files.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


def film_suffix(size: tuple[int, int]) -> str:
    """Return the ending of a video of frames of some height and width.

    It is MPEG-4, or Motion JPEG for odd sizes, of which OpenCV's MPEG-4 drops a row or a column.
    """
    return ".avi" if size[0] % 2 or size[1] % 2 else ".mp4"


class FilmWriter:
    """Counts the frames that it passes on."""

    def __init__(self, writer: cv2.VideoWriter):
        self._writer = writer
        self.frames = 0

    def write(self, frame: np.ndarray) -> None:
        """Append a frame `(H, W, 3)` uint8, blue first."""
        self._writer.write(frame)
        self.frames += 1


@contextmanager
def film_writer(path: Path, fps: float, size: tuple[int, int]) -> Iterator[FilmWriter]:
    """Give a writer of frames (BGR); the file takes its place when it is complete.

    Args:
        path: The video to write, with the ending of `film_suffix`.
        fps: Frames per second.
        size: Height and width of the frames.

    Raises:
        ValueError: OpenCV cannot write it, or the disk is full.
    """
    writes, codec = _ENCODERS[path.suffix]
    with replacing(path) as draft, _quiet_opencv():
        fourcc = cv2.VideoWriter.fourcc(*codec)
        writer = cv2.VideoWriter(str(draft), writes, fourcc, max(fps, 1), size[::-1])
        if not writer.isOpened():
            raise ValueError(f"{path}: no video of {size[1]}x{size[0]} pixels can be written")
        counting = FilmWriter(writer)
        try:
            yield counting
        finally:
            writer.release()
        # OpenCV does not say when it could not write.
        if counting.frames and not _is_complete(draft, counting.frames):
            raise ValueError(f"{path}: the video was not written to its end; is the disk full?")
        if path.suffix == ".avi":
            _set_speed(draft, fps)


def _is_complete(path: Path, frames: int) -> bool:
    """Tell whether a video has that many frames by its header, and the last one."""
    capture = cv2.VideoCapture(str(path))
    try:
        stated = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        return stated == frames and _read_last(capture, frames)
    finally:
        capture.release()


def _read_last(capture: cv2.VideoCapture, frames: int) -> bool:
    capture.set(cv2.CAP_PROP_POS_FRAMES, frames - 1)
    read, _ = capture.read()
    return read


def _set_speed(path: Path, fps: float) -> None:
    """Write the speed into an AVI file, of which OpenCV's encoder keeps whole numbers only.

    The main header gives microseconds per frame, that of the stream frames per 1000 seconds.
    """
    with path.open("r+b") as file:
        header = file.read(512)
        file.seek(header.index(b"avih") + 8)
        file.write(struct.pack("<I", round(1e6 / fps)))
        file.seek(header.index(b"strh") + 28)
        file.write(struct.pack("<II", 1000, round(1000 * fps)))
