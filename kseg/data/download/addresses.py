"""Which addresses are fetched from, and how they are shown."""

from __future__ import annotations

import re
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from kseg.data.download.errors import DownloadError, quoted

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def check_address(url: str) -> None:
    """Refuse what is not encrypted; plain HTTP only reaches servers on this machine.

    Raises:
        DownloadError: The address is no https:// one.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    local = host in _THIS_MACHINE and parts.scheme == "http"
    if not host or not (parts.scheme == "https" or local):
        raise DownloadError(
            f"{shown(url)}: only addresses that begin with https:// are fetched, since anybody on "
            "the way could change what comes over others"
        )


def redirected(url: str, location: str) -> str:
    """Return the address that a server sends us on to.

    Raises:
        DownloadError: It is not encrypted while the one before was, or is no address to fetch.
    """
    following = urljoin(url, location)
    if urlsplit(url).scheme == "https" and urlsplit(following).scheme != "https":
        raise DownloadError(
            f"{shown(url)} sends us on to {shown(following)}, which is not encrypted; that is "
            "refused, give another address with --url"
        )
    check_address(following)
    return following


def shown(url: str) -> str:
    """Return an address for a message: without name and password, and without the query."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        plain = urlunsplit((parts.scheme, host, parts.path, "", ""))
    except ValueError:
        plain = url
    return plain if plain.isascii() and plain.isprintable() and " " not in plain else quoted(plain)


def file_name(url: str) -> str:
    """Return a harmless file name made of the last part of an address."""
    last = unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2]
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", last).lstrip(".")[-100:]
    return name or "archive"
