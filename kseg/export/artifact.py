"""What a converter hands back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kseg.inference.engines import Engine, open_engine
from kseg.inference.sidecar import Sidecar


@dataclass(frozen=True)
class Artifact:
    """An exported model in the draft folder, which holds nothing else.

    Attributes:
        main: Its file, or its folder: the path that the converter was given. All else in that
            folder is moved into place before it.
        sidecar: What `open` needs to run it.
        facts: What is worth knowing about it; printed, and kept in the sidecar.
        open: Opens `main` on its real runtime.
        unchecked: Why it cannot run here, which takes the place of the comparison; else empty.
    """

    main: Path
    sidecar: Sidecar
    facts: Mapping[str, Any] = field(default_factory=dict)
    open: Callable[[Path], Engine] = open_engine
    unchecked: str = ""
