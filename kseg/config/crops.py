"""Checks of the windows of `kseg train`."""

from __future__ import annotations

from typing import Any

from kseg.config.parse import UsageError


def check_crops(config: Any) -> None:
    """Raise UsageError for windows that are no parts of the resized images, or half said."""
    if (config.crop_height is None) != (config.crop_width is None):
        raise UsageError("--crop_height and --crop_width belong together: give both")
    used = {
        "crops_per_image": config.crops_per_image > 1,
        "crop_foreground": config.crop_foreground > 0,
        "val_crops": config.val_crops,
    }
    if config.crop is None and any(used.values()):
        flag = next(name for name in used if used[name])
        raise UsageError(f"--{flag} needs --crop_height and --crop_width")
    for side in ("height", "width"):
        crop, whole = getattr(config, f"crop_{side}"), getattr(config, f"input_{side}")
        if crop is not None and crop > whole:
            raise UsageError(
                f"--crop_{side} {crop} is larger than --input_{side} {whole}; crops are parts "
                "of the resized images"
            )
