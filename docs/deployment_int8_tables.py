"""The tables of docs/deployment.md about 8 bits and about times."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter

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
    """Return how fast one image is on every runtime, a table for each device."""
    rows = read_rows("deployment_latency.csv")
    if not rows:
        return ""
    cases = sorted({_case(row) for row in rows})
    cells = {(*_case(row), row["runtime"]): row for row in rows}
    runtimes = list(dict.fromkeys(row["runtime"] for row in rows))
    parts = []
    for device, own in groupby(cases, key=itemgetter(0)):
        lines = [
            [
                f"`{case[1]}`, {case[2]}x{case[2]}",
                *(_time(cells.get((*case, one))) for one in runtimes),
            ]
            for case in own
        ]
        table = markdown(("model", *runtimes), lines, numbers=len(runtimes))
        parts.append(f"On {device}:\n\n{table}")
    return "\n\n".join(parts)


def _case(row: Mapping[str, str]) -> tuple[str, str, int]:
    return row["device"], row["model"], int(row["size"])


def _time(row: Mapping[str, str] | None) -> str:
    if not row or not row["p50_ms"]:
        return ""
    is_base = row["times_as_fast"] == "1.0"
    return f"{row['p50_ms']} ms" if is_base else row["times_as_fast"]


TABLES = {"int8": int8, "latency": latency}
