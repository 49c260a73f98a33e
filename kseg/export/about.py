"""What an exported file itself says of its classes and of the preparation of images."""

from __future__ import annotations

import json

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
