"""Writing TensorBoard's files so that nothing of a finished epoch can be lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from tensorboardX import summary
from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.proto.graph_pb2 import GraphDef
from tensorboardX.proto.summary_pb2 import Summary

_RGB = 3


class EventFile:
    """One file of events, written in the caller's thread.

    tensorboardX's `SummaryWriter` hands events to a thread of its own: its `flush` does not wait
    for them, and the last epoch before a kill is missing in the curves. The messages and the
    format of the file are tensorboardX's.

    Args:
        folder: Folder of the file; TensorBoard shows it as one run.
        first_epoch: Number of finished epochs; what earlier files of the folder say of later
            ones is hidden.
    """

    def __init__(self, folder: Path, first_epoch: int = 0):
        folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard reads files in the order of their names, which begin with the second.
        self._writer = EventsWriter(str(folder / "events"), f".{first_epoch:06d}")
        if first_epoch:
            start = SessionLog(status=SessionLog.START)
            self._write(Event(session_log=start), first_epoch + 1)

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Add a point of a curve."""
        self._write(Event(summary=summary.scalar(tag, value)), step)

    def text(self, tag: str, text: str, step: int) -> None:
        """Add a text, shown as it is: every line is indented, which is code in Markdown."""
        code = "\n".join(f"    {line}" for line in text.splitlines())
        self._write(Event(summary=summary.text(tag, code)), step)

    def picture(self, tag: str, picture: np.ndarray, step: int, extension: str = ".jpg") -> None:
        """Add a picture, uint8 RGB `(H, W, 3)`; ".jpg" suits photographs, ".png" drawings."""
        height, width, _ = picture.shape
        image = Summary.Image(
            height=height,
            width=width,
            colorspace=_RGB,
            encoded_image_string=cv2.imencode(extension, picture[..., ::-1])[1].tobytes(),
        )
        # Tags may hold the characters that tensorboardX allows in those of scalars.
        value = Summary.Value(tag=tag, image=image)
        self._write(Event(summary=Summary(value=[value])), step)

    def graph(self, graph: GraphDef) -> None:
        """Add the graph of a model."""
        self._write(Event(graph_def=graph.SerializeToString()), 0)

    def flush(self) -> None:
        """Wait until everything is on the disk."""
        self._writer.flush()

    def close(self) -> None:
        """Flush and close the file."""
        self._writer.close()

    def _write(self, event: Event, step: int) -> None:
        event.wall_time, event.step = time.time(), step
        self._writer.write_event(event)


class NoFile:
    """Takes the place of an `EventFile` in a process that writes nothing."""

    def __init__(self, folder: Path, first_epoch: int = 0):
        pass

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Return a method that does nothing."""
        return lambda *arguments, **options: None
