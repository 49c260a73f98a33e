"""The tables of docs/deployment.md about 8 bits and about times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from page_parts import markdown
from result_files import read_rows

_FORMATS = {"onnx": "ONNX Runtime", "openvino": "OpenVINO", "litert": "LiteRT"}


def int8() -> str:
    """Return size, mean IoU and agreement of 8-bit exports beside the originals."""
    header = ("model", "runtime", "MB", "in 8 bits", "mIoU", "in 8 bits", "same class")
    rows = [
        [
            f"`{row['model']}`, {int(row['parameters']) / 1e6:.2f} M, {row['size']}",
            _FORMATS[row["format"]],
            f"{int(row['float32_bytes']) / 1e6:.2f}",
            f"{int(row['int8_bytes']) / 1e6:.2f} ({float(row['size_share']):.0%})",
            f"{float(row['miou_float32']):.4f}",
            f"{float(row['miou_int8']):.4f}",
            f"{float(row['agreement']):.3%}",
        ]
        for row in read_rows("int8.csv")
    ]
    return markdown(header, rows, numbers=5)


def latency() -> str:
    """Return the times of one image on every runtime, a column for each model, size and device."""
    rows = read_rows("deployment_latency.csv")
    if not rows:
        return ""
    columns = sorted({_column(row) for row in rows})
    cells = {(*_column(row), row["runtime"]): row for row in rows}
    runtimes = list(dict.fromkeys(row["runtime"] for row in rows))
    runtimes.sort(key=lambda name: _rank(name, columns, cells))
    lines = [[name, *(_time(cells.get((*one, name))) for one in columns)] for name in runtimes]
    header = ("", *(f"`{name}`, {size}x{size}, {device}" for name, size, device in columns))
    return markdown(header, lines, numbers=len(columns))


def _column(row: Mapping[str, str]) -> tuple[str, int, str]:
    return row["model"], int(row["size"]), row["device"]


def _rank(name: str, columns: Sequence[tuple], cells: Mapping) -> float:
    row = cells.get((*columns[0], name), {})
    return -float(row.get("p50_ms") or 0)


def _time(row: Mapping[str, str] | None) -> str:
    if not row or not row["p50_ms"]:
        return ""
    return f"{row['p50_ms']} ms ({row['times_as_fast']})"


TABLES = {"int8": int8, "latency": latency}
