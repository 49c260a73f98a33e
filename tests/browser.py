"""Headless Chromium, driven by its DevTools protocol over two pipes: no package is needed."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --disable-dev-shm-usage "
    "--hide-scrollbars --remote-debugging-pipe"
)
# Chromium reads commands from descriptor 3 and writes what happens to descriptor 4.
_PLACE_PIPES = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); "
    "os.execv(sys.argv[3], sys.argv[3:])"
)


class Browser:
    """One page of a headless Chromium; use it in a `with` statement.

    Args:
        folder: For the profile and for downloads.
        size: Width and height of the window.
        seconds: Longest wait for anything.
    """

    def __init__(self, folder, *, size=(1280, 900), seconds=300):
        self.downloads, self._seconds = Path(folder) / "downloads", seconds
        self.events, self._buffer, self._number, self._session = [], b"", 0, None
        self.downloads.mkdir(parents=True)
        theirs, self._write = _pipe()
        self._read, answers = _pipe()
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-c", _PLACE_PIPES, str(theirs), str(answers), CHROMIUM),
                *(*FLAGS.split(), f"--user-data-dir={Path(folder) / 'profile'}", "about:blank"),
            ],
            pass_fds=(theirs, answers),
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs), os.close(answers)
        self._attach(*size)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._session = None
        self.call("Browser.close")
        self._process.wait(30)
        os.close(self._read), os.close(self._write)

    def _attach(self, width, height):
        targets = self.call("Target.getTargets")["targetInfos"]
        (page,) = (one["targetId"] for one in targets if one["type"] == "page")
        found = self.call("Target.attachToTarget", targetId=page, flatten=True)
        behaviour = {"behavior": "allow", "downloadPath": str(self.downloads)}
        self.call("Browser.setDownloadBehavior", **behaviour)
        self._session = found["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self.call(f"{domain}.enable")
        self.resize(width, height)

    def call(self, method, **parameters):
        """Send a command and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + self._seconds
        while True:
            answer = self._next(end)
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]

    def _next(self, end):
        """Return the next message, and keep it if it is an event."""
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0, end - time.monotonic()))
            assert ready, "the browser did not answer"
            self._buffer += os.read(self._read, 1 << 20)
        text, _, self._buffer = self._buffer.partition(b"\0")
        message = json.loads(text)
        if "method" in message:
            self.events.append(message)
        return message

    def open(self, address):
        """Go to a page."""
        self.call("Page.navigate", url=address)

    def run(self, expression):
        """Return the value of a JavaScript expression."""
        options = {"returnByValue": True, "awaitPromise": True}
        found = self.call("Runtime.evaluate", expression=expression, **options)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait(self, look, what="the page"):
        """Return what an expression or a function gives, as soon as it is something."""
        end = time.monotonic() + self._seconds
        # An element of the page is no value that comes back.
        code = f"(v => v instanceof Node || v)({look})"
        while not (found := look() if callable(look) else self.run(code)):
            assert time.monotonic() < end, f"{what} did not become as expected"
            time.sleep(0.1)
        return found

    def text(self, selector):
        """Return the text of an element, "" where there is none."""
        return self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def click(self, selector):
        """Click on an element."""
        self._mouse("mousePressed", "mouseReleased", selector=selector)

    def _mouse(self, *kinds, selector):
        x, y = self._middle(selector)
        for kind in kinds:
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def drop(self, selector, path):
        """Let go of a file over an element."""
        content = base64.b64encode(Path(path).read_bytes()).decode()
        self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            f" const bytes = Uint8Array.from(atob('{content}'), c => c.charCodeAt(0));"
            f" const data = new DataTransfer();"
            f" data.items.add(new File([bytes], {json.dumps(Path(path).name)}));"
            " for (const kind of ['dragenter', 'dragover', 'drop']) e.dispatchEvent("
            "new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: data})) })()"
        )

    def _middle(self, selector):
        return self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'center', behavior: 'instant'});"
            " const b = e.getBoundingClientRect();"
            " return [b.x + b.width / 2, b.y + b.height / 2] })()"
        )

    def resize(self, width, height, *, phone=False):
        """Change the size of the window."""
        options = {"deviceScaleFactor": 1, "mobile": phone}
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, **options)

    def screenshot(self, path, *, whole=False):
        """Write what is shown, or the whole page, as PNG."""
        data = self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        Path(path).write_bytes(base64.b64decode(data))

    def addresses(self):
        """Return all addresses that the page asked for so far."""
        self.run("0")
        asked = (one for one in self.events if one["method"] == "Network.requestWillBeSent")
        return [one["params"]["request"]["url"] for one in asked]


def _pipe():
    """Return a pipe whose descriptors are none of those that Chromium uses."""
    ends = os.pipe()
    moved = tuple(fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in ends)
    for end in ends:
        os.close(end)
    return moved
