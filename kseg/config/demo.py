"""Settings of `kseg demo`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kseg.config.checks import require_at_least, require_at_most
from kseg.config.parse import UsageError


@dataclass
class DemoConfig:
    """Open a local web page to try trained models on images of your own.

    Drop an image, choose a model, see what it finds and how large it is, download the mask. The
    page needs Gradio: pip install 'kseg[demo]'. Nothing leaves the machine.

    Args:
        models: Run folders such as weights/exp1/unet, `.keras` files or exported models; the page
            offers them for choice.
        tile: Side in pixels of the tiles that the page begins with; by default images are taken
            whole, at the size the model was trained with.
        blend: Strength of the colours that the page begins with, 0..1.
        max_megapixels: Largest image that the page takes.
        host: Address to listen on; "0.0.0.0" lets other machines in.
        port: Port to listen on; 0 takes a free one.
    """

    models: list[str] | str
    tile: int | None = None
    blend: float = 0.5
    max_megapixels: float = 25.0
    host: str = "127.0.0.1"
    port: int = 7860

    # Fields that take any number of values on the command line, and their help.
    several: ClassVar[dict[str, str]] = {
        "models": "Run folders such as weights/exp1/unet, .keras files or exported models."
    }

    def __post_init__(self) -> None:
        """Check the ranges, and that there is a model."""
        self.models = [self.models] if isinstance(self.models, str) else self.models
        if not self.models:
            raise UsageError("give at least one run folder such as weights/exp1/unet")
        require_at_least(self, 32, "tile")
        require_at_least(self, 0, "blend", "max_megapixels", "port")
        require_at_most(self, 1, "blend")
        require_at_most(self, 65535, "port")
