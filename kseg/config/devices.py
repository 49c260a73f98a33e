"""Checks of the settings that say on which devices and in which processes a run is made."""

from __future__ import annotations

from typing import Any

from kseg.config.checks import require_at_least
from kseg.config.parse import UsageError


def check_devices(config: Any) -> None:
    """Check `devices`, `num_processes`, `process_id` and `coordinator`.

    Raises:
        UsageError: One of them is out of its range, or one is missing.
    """
    if config.devices != "all":
        require_at_least(config, 1, "devices")
    require_at_least(config, 1, "num_processes")
    require_at_least(config, 0, "process_id")
    if not _goes_together(config):
        raise UsageError("--num_processes, --process_id and --coordinator go together")
    if config.num_processes is not None and (config.process_id or 0) >= config.num_processes:
        raise UsageError(
            f"--process_id must be below --num_processes {config.num_processes}, got "
            f"{config.process_id}"
        )
    if config.coordinator is not None:
        _check_address(config.coordinator)


def _goes_together(config: Any) -> bool:
    given = [value is not None for value in (config.process_id, config.coordinator)]
    if config.num_processes is None:
        return not any(given)
    return config.num_processes == 1 or all(given)


def _check_address(address: str) -> None:
    host, _, port = address.rpartition(":")
    # The port after it is needed too.
    if not host or not port.isdecimal() or not 0 < int(port) < 65535:
        raise UsageError(f"--coordinator must be HOST:PORT such as 10.0.0.1:5000, got {address!r}")
