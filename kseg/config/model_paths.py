"""One model or several, as flags name them."""

from __future__ import annotations

from pathlib import Path


def model_paths(model: list[str] | str) -> list[str]:
    """Return the paths of models that answer together.

    Args:
        model: Their list, or one text such as "A,B"; a path that exists may have a comma in it.
    """
    if not isinstance(model, str):
        return list(model)
    names = [model] if Path(model).exists() else model.split(",")
    return [name.strip() for name in names if name.strip()]
