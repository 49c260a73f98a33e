"""`kseg demo`: load the models, then serve the page until Ctrl+C."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from kseg.config import DemoConfig
from kseg.demo.offline import offline
from kseg.demo.segmenter import Segmenter

if TYPE_CHECKING:
    from kseg.demo.offline import App

_LOCAL = ("127.0.0.1", "localhost", "::1")
_LARGEST_UPLOAD = "1gb"
_TERMINATED = 128 + signal.SIGTERM


def demo(config: DemoConfig) -> None:
    """Serve the page and print its address.

    Raises:
        ValueError: Gradio is not installed, a path is no model, or the port is taken.
    """
    _require_gradio()
    models = list(dict.fromkeys(map(str, config.models)))
    with (
        _listening(config.host, config.port) as listener,
        tempfile.TemporaryDirectory(prefix="kseg-demo-") as folder,
    ):
        segmenter = Segmenter(models, max_megapixels=config.max_megapixels)
        app = page_app(models, segmenter, Path(folder), tile=config.tile, blend=config.blend)
        if config.host not in _LOCAL:
            print("warning: everyone who can reach this machine can use the page")
        print(f"{_address(listener)} (Ctrl+C ends it)", flush=True)
        _serve(app, listener)


def page_app(
    models: list[str], segmenter: Segmenter, folder: Path, *, tile: int | None, blend: float
) -> App:
    """Return the page as an ASGI application that neither calls home nor lets the page do so.

    Args:
        models: Names of the models.
        segmenter: What runs them.
        folder: Where all files go that are dropped on the page or made for it.
        tile: Side of the tiles at the start, or None.
        blend: Strength of the colours at the start.
    """
    # Gradio reads these when it is imported.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    os.environ["HF_HUB_OFFLINE"] = "1"
    import fastapi
    import gradio

    from kseg.demo.page import STYLE, Page

    fonts = ["ui-sans-serif", "system-ui", "sans-serif"]
    theme = gradio.themes.Default(font=fonts, font_mono=["ui-monospace", "monospace"])
    page = Page(models, segmenter, folder).build(tile=tile, blend=blend)
    app = gradio.mount_gradio_app(
        fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None),
        page,
        "/",
        footer_links=[],
        run_history=False,
        max_file_size=_LARGEST_UPLOAD,
        ssr_mode=False,
        theme=theme,
        css=STYLE,
    )
    return offline(app)


def _require_gradio() -> None:
    if importlib.util.find_spec("gradio") is None:
        raise ValueError("the page needs Gradio: pip install 'kseg[demo]'")


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens, before the models are loaded for nothing.

    Raises:
        ValueError: The port is taken, or the machine has no such address.
    """
    try:
        return socket.create_server((host, port), family=_family(host))
    except OSError as error:
        raise ValueError(
            f"--port {port}: cannot listen on {host} ({error.strerror}); choose another port, or "
            "--port 0 for any that is free"
        ) from None


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _serve(app: App, listener: socket.socket) -> None:
    import uvicorn

    # Else what was dropped on the page would be left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    # A page that is still open in a browser keeps a connection for ever.
    options = {"log_level": "warning", "timeout_graceful_shutdown": 1}
    try:
        uvicorn.Server(uvicorn.Config(app, **options)).run(sockets=[listener])
    except KeyboardInterrupt:
        print("the page is closed")
