"""The JSON file beside an exported model: how to feed it, and what its classes mean."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from kseg import __version__
from kseg.files import replacing
from kseg.inference.model_file import ModelInfo
from kseg.palette import class_palette

_CHOICES = {
    "output": ("logits", "probabilities", "labels"),
    "layout": ("NHWC", "NCHW"),
    "input_dtype": ("uint8", "float32"),
}


@dataclass(frozen=True)
class Sidecar:
    """What an exported model's own file does not say in a way that every runtime can read.

    The graph takes images of 0..255, RGB where they have colours; normalisation is part of it.

    Attributes:
        format: What made the file for: "onnx", "openvino", "litert", "ncnn", "pb", ...
        model: Architecture, classes, input size and resize mode, as in the `.keras` file.
        input: Name of the graph's input.
        outputs: Names of its outputs; the first one is the answer.
        channels: Channels of the images.
        output: What the first output is; "logits" and "probabilities" have a channel per class, or
            a single one for class 1 of two, and "labels" are class numbers `(N, H, W)`.
        layout: Order of the axes of input and scores.
        input_dtype: Type of the input.
        size: Height and width the graph is fixed to, None for any from 32x32.
        batch_size: Batch that the graph is fixed to, None for any.
        palette: Colours `(r, g, b)` of the classes; by default those of `kseg.palette`.
        source: The run that was exported.
        kseg_version: Version that wrote the file.
        facts: What is worth knowing about the file, such as its opset; for people.
        parity: How its answers compared with those of the original when it was written.
    """

    format: str
    model: ModelInfo
    input: str
    outputs: Sequence[str]
    channels: int = 3
    output: Literal["logits", "probabilities", "labels"] = "logits"
    layout: Literal["NHWC", "NCHW"] = "NHWC"
    input_dtype: Literal["uint8", "float32"] = "float32"
    size: tuple[int, int] | None = None
    batch_size: int | None = None
    palette: Sequence[tuple[int, int, int]] = ()
    source: str = ""
    kseg_version: str = __version__
    facts: Mapping[str, Any] = field(default_factory=dict)
    parity: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the choices and fill in the colours."""
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {known}, got {getattr(self, name)!r}")
        if not self.outputs:
            raise ValueError("outputs must name at least one output of the graph")
        if self.size is not None and len(self.size) != 2:
            raise ValueError(f"size must be height and width or null, got {self.size!r}")
        colours = self.palette or class_palette()[: len(self.model.class_names)].tolist()
        object.__setattr__(self, "palette", tuple(tuple(colour) for colour in colours))
        object.__setattr__(self, "outputs", tuple(self.outputs))
        object.__setattr__(self, "size", None if self.size is None else tuple(self.size))

    def write(self, model_file: Path) -> Path:
        """Write the file that belongs beside `model_file`, in one step, and return its path."""
        path = sidecar_path(model_file)
        with replacing(path) as draft:
            draft.write_text(json.dumps(asdict(self), indent=2) + "\n", "utf-8")
        return path

    @classmethod
    def read(cls, model_file: Path) -> Sidecar:
        """Read the file beside `model_file`; what a later version added to it is left out.

        Raises:
            ValueError: It is missing, damaged or lacks something.
        """
        path = sidecar_path(model_file)
        try:
            values = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            raise ValueError(
                f"{model_file}: {path.name} is missing beside it, which says how images are "
                "prepared and what the classes mean; copy it along with the model, or export "
                "the model again"
            ) from None
        except (OSError, ValueError) as error:
            raise ValueError(f"{path}: this is no readable JSON file ({error})") from None
        try:
            model = ModelInfo(**_known(ModelInfo, values["model"]))
            return cls(**{**_known(cls, values), "model": model})
        except (KeyError, TypeError, ValueError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else error
            raise ValueError(f"{path}: this does not describe a model: {reason}") from None


def sidecar_path(model_file: str | Path) -> Path:
    """Return where the description of an exported model is: `model.onnx.json` for `model.onnx`."""
    path = Path(model_file)
    return path.with_name(f"{path.name}.json")


def _known(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that a dataclass has fields for, all without a default among them."""
    for one in fields(kind):
        if one.default is one.default_factory is MISSING and one.name not in values:
            raise KeyError(one.name)
    return {one.name: values[one.name] for one in fields(kind) if one.name in values}
