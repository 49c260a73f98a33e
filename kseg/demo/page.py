"""The page itself: where to drop an image, what to choose, and what is shown."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from kseg.demo.legend import legend
from kseg.demo.segmenter import Answer, Segmenter
from kseg.inference.outputs import LabelMaps, Look, Pictures

WHOLE = "whole image"
TILES = (256, 512, 1024)
# How often files are looked through, and how old they become: an hour and a day.
KEPT = 3_600, 86_400
EMPTY = "Drop an image to begin."
STYLE = """
.legend { border-collapse: collapse; width: 100%; }
.legend th, .legend td { padding: 0.2em 0.6em; text-align: right; }
.legend th:nth-child(2), .legend td:nth-child(2) { text-align: left; width: 100%; }
.legend span { display: inline-block; width: 1em; height: 1em; border: 1px solid #888; }
#message [role=alert] { color: #b91c1c; font-weight: 600; }
.dark #message [role=alert] { color: #f87171; }
"""


class Page:
    """The page of some models.

    Args:
        models: Their paths, which are their names on the page.
        segmenter: What runs them.
        folder: For pictures and masks, until the page is closed.
    """

    def __init__(self, models: Sequence[str], segmenter: Segmenter, folder: Path):
        self._models, self._segmenter, self._folder = models, segmenter, folder

    def build(self, *, tile: int | None, blend: float) -> gr.Blocks:
        """Return the page, which begins with these settings."""
        with gr.Blocks(title="kseg", analytics_enabled=False, delete_cache=KEPT) as page:
            gr.Markdown("# kseg")
            with gr.Row():
                with gr.Column(scale=1, min_width=280):
                    asked = self._settings(tile, blend)
                    message = gr.HTML(EMPTY, elem_id="message")
                with gr.Column(scale=2, min_width=280):
                    shown = [
                        gr.Image(
                            label="Overlay",
                            interactive=False,
                            buttons=["fullscreen", "download"],
                            elem_id="overlay",
                        ),
                        gr.HTML(elem_id="legend"),
                        gr.DownloadButton("Download mask", interactive=False, elem_id="mask"),
                    ]
            gr.on(
                [one.change for one in asked],
                self.show,
                asked,
                [*shown, message],
                api_visibility="private",
                trigger_mode="always_last",
            )
        return page

    def _settings(self, tile: int | None, blend: float) -> list[Any]:
        sides = sorted({*TILES, *([tile] if tile else [])})
        tiles = [(WHOLE, 0), *((f"tiles of {side} x {side}", side) for side in sides)]
        return [
            gr.File(label="Image", elem_id="image"),
            gr.Dropdown(list(self._models), value=self._models[0], label="Model"),
            gr.Dropdown(tiles, value=tile or 0, label="Tiles"),
            gr.Slider(0, 1, blend, step=0.05, label="Blend"),
        ]

    def show(self, file: str | None, model: str, tile: int, blend: float) -> tuple[Any, ...]:
        """Return picture, legend, mask and message for what was asked.

        A mistake becomes the message; then there is nothing else.
        """
        if file is None:
            return None, "", _button(None), EMPTY
        try:
            answer = self._segmenter.answer(Path(file), model, tile or None)
        except (ValueError, OSError, MemoryError) as error:
            sentence = " ".join(str(error).split()) or "There is not enough memory for this image."
            return None, "", _button(None), f'<p role="alert">{escape(sentence)}</p>'
        picture, mask = self._write(answer, blend)
        table = legend(answer.result.labels, answer.class_names)
        return picture, table, _button(mask), _facts(answer)

    def _write(self, answer: Answer, blend: float) -> tuple[str, str]:
        """Write overlay and mask to a folder of their own, and return their paths."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        look, name = Look(folder, answer.class_names, blend), answer.result.item.name
        writers = Pictures(look, "overlay"), LabelMaps(look)
        for writer in writers:
            writer.write(answer.result)
        picture, mask = (str(*writer.targets(name)) for writer in writers)
        return picture, mask


def _button(mask: str | None) -> Any:
    return gr.DownloadButton(value=mask, interactive=mask is not None)


def _facts(answer: Answer) -> str:
    height, width = answer.result.labels.shape
    name = escape(answer.result.item.path.name)
    return f"<p>{name}: {width} x {height} pixels, {answer.seconds:.2f} s</p>"
