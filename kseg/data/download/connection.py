"""One HTTP request: redirects, certificates and error codes, all ending in plain sentences.

Proxies come from HTTPS_PROXY, HTTP_PROXY and NO_PROXY, passwords from ~/.netrc, and a CA file of
one's own from REQUESTS_CA_BUNDLE, as requests reads them. Certificates are always verified.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import requests
import urllib3

from kseg.data.download.addresses import check_address, redirected, shown
from kseg.data.download.errors import ConnectionLostError, DownloadError

TIMEOUT = (15.0, 60.0)
_MAX_REDIRECTS = 10
_MAY_PASS = {408, 425, 429, 500, 502, 503, 504}


@contextmanager
def open_address(
    url: str, headers: Mapping[str, str], timeout: tuple[float, float] = TIMEOUT
) -> Iterator[requests.Response]:
    """Ask for a file and yield the answer, whose body is not read yet.

    The answer is 200 (the whole file), 206 (a part) or 416 (no such part).

    Args:
        url: The address.
        headers: Additional headers of the request.
        timeout: Seconds to wait for the connection, and for any answer after that.

    Raises:
        ConnectionLostError: The network or the server failed in a way that may pass.
        DownloadError: Anything else but those answers, or a certificate that is not trusted.
    """
    sent = {"Accept-Encoding": "identity", "User-Agent": "kseg", **headers}
    with requests.Session() as session:
        check_address(url)
        for _ in range(_MAX_REDIRECTS):
            with network_errors(url):
                response = session.get(
                    url, headers=sent, stream=True, timeout=timeout, allow_redirects=False
                )
            location = session.get_redirect_target(response)
            if location is None:
                _check_status(response, url)
                yield response
                return
            response.close()
            url = redirected(url, location)
        raise DownloadError(f"{shown(url)}: the server sends us on again and again")


@contextmanager
def network_errors(url: str) -> Iterator[None]:
    """Turn what requests and urllib3 raise into one sentence.

    Raises:
        ConnectionLostError: It may pass.
        DownloadError: It will not.
    """
    try:
        yield
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        distrust = re.search(r"certificate verify failed: ([^(\[]+)", str(error))
        if distrust:
            raise DownloadError(_certificate(url, distrust[1].strip())) from None
        if isinstance(error, ValueError):
            raise DownloadError(f"{shown(url)}: this address is not valid") from None
        raise ConnectionLostError(
            f"{shown(url)}: the connection failed ({_reason(error)})"
        ) from None


def _check_status(response: requests.Response, url: str) -> None:
    code = response.status_code
    if code in (200, 206, 416):
        return
    response.close()
    answer = f"{shown(url)}: the server answers {code} {response.reason or ''}".rstrip()
    if code in _MAY_PASS:
        raise ConnectionLostError(answer)
    advice = {401: "; it wants a password", 403: "; it does not let us", 404: "; no such file"}
    raise DownloadError(answer + advice.get(code, ""))


def _certificate(url: str, reason: str) -> str:
    return (
        f"{shown(url)}: the server's certificate is not trusted ({reason}), so nothing was "
        "fetched; if your network has a certificate authority of its own, set REQUESTS_CA_BUNDLE "
        "to its CA file"
    )


def _reason(error: BaseException) -> str:
    """Return what the innermost of chained errors says."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())[:200] or type(error).__name__
