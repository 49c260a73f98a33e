"""Keep a page from asking for anything that is not on the server it came from."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# Inline styles and scripts are how the page itself is made.
POLICY = (
    "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; "
    "form-action 'self'; base-uri 'self'; frame-ancestors 'none'"
)
_FOREIGN = re.compile(
    rb"<script[^>]*\ssrc=[\"']?(?:https?:)?//[^>]*>.*?</script>|"
    rb"<link[^>]*\shref=[\"']?(?:https?:)?//[^>]*>",
    re.DOTALL | re.IGNORECASE,
)


def without_foreign_tags(page: bytes) -> bytes:
    """Return HTML without scripts, styles, fonts and early connections of other servers.

    The policy alone would leave `<link rel="preconnect">`, which no policy governs.
    """
    return _FOREIGN.sub(b"", page)


def offline(app: App) -> App:
    """Wrap an ASGI application: pages lose foreign tags, and every answer has the policy."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        # A page that is compressed could not be changed.
        plain = [pair for pair in scope["headers"] if pair[0].lower() != b"accept-encoding"]
        await app({**scope, "headers": plain}, receive, _Filter(send))

    return wrapped


class _Filter:
    """Passes an answer on; a page is held back until all of it is there."""

    def __init__(self, send: Send):
        self._send = send
        self._start: Message = {}
        self._page: bytearray | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif message["type"] == "http.response.body" and self._page is not None:
            self._page += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish(without_foreign_tags(bytes(self._page)))
        else:
            await self._send(message)

    async def _begin(self, message: Message) -> None:
        headers = [*message.get("headers", ()), (b"content-security-policy", POLICY.encode())]
        self._start = {**message, "headers": headers}
        kinds = [value for name, value in headers if name.lower() == b"content-type"]
        if any(kind.startswith(b"text/html") for kind in kinds):
            self._page = bytearray()
        else:
            await self._send(self._start)

    async def _finish(self, page: bytes) -> None:
        kept = [pair for pair in self._start["headers"] if pair[0].lower() != b"content-length"]
        length = (b"content-length", str(len(page)).encode())
        await self._send({**self._start, "headers": [*kept, length]})
        await self._send({"type": "http.response.body", "body": page})
