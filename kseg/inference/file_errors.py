"""Which exceptions one bad file raises, or an image that is too large."""

from __future__ import annotations

import errno

# What reading, predicting and writing raise.
PER_FILE = (ValueError, OSError, MemoryError)
# What the next file that is written would meet too.
_OF_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
TOO_LARGE = "the image is too large for the memory; --tile runs it in tiles"


def is_per_file(error: Exception) -> bool:
    """Tell whether other files may still go well after an exception."""
    if isinstance(error, OSError) and error.errno in _OF_DISK:
        return False
    return isinstance(error, PER_FILE) or is_out_of_memory(error)


def is_out_of_memory(error: Exception) -> bool:
    """Tell whether host or device had too little memory; each backend has its own exception."""
    said = f"{type(error).__name__} {error}".lower()
    return isinstance(error, MemoryError) or any(
        words in said for words in ("resource_exhausted", "resourceexhausted", "out of memory")
    )


def one_line(file: object, error: Exception) -> str:
    """Return an exception as one line that names the file."""
    said = " ".join(str(error).split()) or type(error).__name__
    if is_out_of_memory(error):
        said = TOO_LARGE
    return said if str(file) in said else f"{file}: {said}"
