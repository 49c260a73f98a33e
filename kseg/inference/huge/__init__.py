"""Images larger than the memory: read, segmented and written a few rows at a time."""

from kseg.inference.huge.arrays import ArraySink, ArraySource
from kseg.inference.huge.sinks import open_sink
from kseg.inference.huge.sources import open_source
from kseg.inference.huge.strips import Sink, Source, peak_bytes, segment_file, segment_strips

__all__ = [
    "ArraySink",
    "ArraySource",
    "Sink",
    "Source",
    "open_sink",
    "open_source",
    "peak_bytes",
    "segment_file",
    "segment_strips",
]
