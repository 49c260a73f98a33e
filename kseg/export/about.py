"""What an exported file says of its classes and preparation, and what it is made of."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable

from kseg.inference.sidecar import Sidecar


def about(sidecar: Sidecar) -> dict[str, str]:
    """Return the lines to keep in a file whose format has room for them, values as text or JSON."""
    info = sidecar.model
    values = {
        "model_name": info.model_name,
        "class_names": list(info.class_names),
        "palette": sidecar.palette,
        "image_init": info.image_init,
        "input": f"0..255, {sidecar.layout}, {sidecar.channels} channels (RGB where there are 3)",
        "output": sidecar.output,
        "resize_op": info.resize_op,
        "kseg_version": sidecar.kseg_version,
        "source": sidecar.source,
    }
    return {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()
    }


def tally(kinds: Iterable[str]) -> str:
    """Return kinds of operators and how many there are of each, the most frequent first."""
    return ", ".join(f"{kind} {number}" for kind, number in Counter(kinds).most_common())
