"""Fetching a file over HTTPS, with as many goes as it takes; what came is never fetched twice."""

from __future__ import annotations

import re
import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass

import requests
from tqdm import tqdm

from kseg.data.download.addresses import shown
from kseg.data.download.connection import TIMEOUT, network_errors, open_address
from kseg.data.download.errors import (
    ConnectionLostError,
    DownloadError,
    full_disk_is_said,
    size_text,
)
from kseg.data.download.part import Part, Version

_CHUNK = 1 << 16


@dataclass(frozen=True)
class Patience:
    """How much a server may try it.

    Attributes:
        attempts: Failures to give up after; one that brought new bytes counts as the first.
        wait: Seconds before the second one; each further wait is twice as long.
        timeout: Seconds to wait for a connection, and for any answer after that.
    """

    attempts: int = 4
    wait: float = 1.0
    timeout: tuple[float, float] = TIMEOUT


def fetch(url: str, part: Part, *, max_bytes: int, patience: Patience | None = None) -> bool:
    """Fetch a file, going on with what is there if the server has the same version still.

    A server that cannot go on, or whose file changed, sends it from the beginning. An interrupted
    fetch leaves its bytes to the next one.

    Args:
        url: The address.
        part: Where the bytes go.
        max_bytes: Most that the file may have.
        patience: How long to try.

    Returns:
        Whether the file was put together of several answers.

    Raises:
        DownloadError: The file cannot be had; the sentence says why and what is kept.
    """
    patience = patience or Patience()
    failures, most, pieces = 0, part.size, 1 if part.version(url) else 0
    while True:
        pieces += 1
        try:
            _request(url, part, max_bytes, patience)
            return pieces > 1
        except ConnectionLostError as error:
            failures = 1 if part.size > most else failures + 1
            most = max(most, part.size)
            if failures >= patience.attempts:
                raise DownloadError(f"{error}{_kept(part, url)}") from None
            time.sleep(patience.wait * 2 ** (failures - 1))


def _request(url: str, part: Part, max_bytes: int, patience: Patience) -> None:
    """Ask once for what is missing and write it."""
    before = part.version(url)
    if before is not None and part.size == before.size:
        return
    headers = _go_on_headers(before, part.size)
    with open_address(url, headers, patience.timeout) as response:
        now = Version.of(response, url)
        if response.status_code == 200:
            _write(response, url, part, now, max_bytes, fresh=True)
            return
        if before is not None and _fits(response, before, now, part.size):
            _write(response, url, part, before, max_bytes, fresh=False)
            return
    # The server has another version, or no such part: nothing here is worth keeping.
    part.discard()
    if not headers:
        code = response.status_code
        raise DownloadError(f"{shown(url)}: the server answers {code} for the whole file")
    _request(url, part, max_bytes, patience)


def _go_on_headers(before: Version | None, count: int) -> dict[str, str]:
    if before is None or before.validator is None:
        return {}
    return {"Range": f"bytes={count}-", "If-Range": before.validator}


def _fits(response: requests.Response, before: Version, now: Version, count: int) -> bool:
    """Tell whether a partial answer is the rest of the version that we have the beginning of."""
    rest = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    pairs = ((before.etag, now.etag), (before.modified, now.modified), (before.size, now.size))
    same = all(old == new for old, new in pairs if old is not None and new is not None)
    return response.status_code == 206 and rest is not None and int(rest[1]) == count and same


def _write(
    response: requests.Response,
    url: str,
    part: Part,
    version: Version,
    max_bytes: int,
    *,
    fresh: bool,
) -> None:
    folder, count = part.path.parent, 0 if fresh else part.size
    if version.size is not None:
        _check_size(version.size, count, max_bytes, part, url)
    with ExitStack() as stack:
        stack.enter_context(full_disk_is_said(folder, "the part that was fetched is kept"))
        file = stack.enter_context(part.start(version) if fresh else part.go_on())
        bar = stack.enter_context(_bar(part, count, version.size))
        stack.enter_context(network_errors(url))
        for chunk in response.raw.stream(_CHUNK, decode_content=False):
            count += len(chunk)
            if count > max_bytes:
                raise DownloadError(_too_large(url, max_bytes))
            file.write(chunk)
            bar.update(len(chunk))
    if version.size is not None and count != version.size:
        raise ConnectionLostError(f"{shown(url)}: the connection ended too early")


def _bar(part: Part, count: int, total: int | None) -> tqdm:
    """Return a progress bar, which is silent where nobody watches."""
    return tqdm(
        desc=part.path.stem,
        initial=count,
        total=total,
        unit="B",
        unit_scale=True,
        disable=None,
        leave=False,
    )


def _check_size(size: int, count: int, max_bytes: int, part: Part, url: str) -> None:
    if size > max_bytes:
        raise DownloadError(_too_large(url, max_bytes))
    free = shutil.disk_usage(part.path.parent).free + (part.size - count)
    if size - count > free:
        raise DownloadError(
            f"{part.path.parent}: the disk has {size_text(free)} free but {shown(url)} needs "
            f"{size_text(size - count)}; free some space or give another place with --data_root"
        )


def _too_large(url: str, max_bytes: int) -> str:
    return (
        f"{shown(url)}: the file is larger than {size_text(max_bytes)}; raise --max_gb if that is "
        "no mistake"
    )


def _kept(part: Part, url: str) -> str:
    version = part.version(url)
    if version is None or version.validator is None:
        return "; run the command again later"
    total = f" of {size_text(version.size)}" if version.size else ""
    return f"; {size_text(part.size)}{total} are kept, run the command again to go on"
