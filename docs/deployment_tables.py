"""The tables of docs/deployment.md; here: which model can be exported to which format."""

from __future__ import annotations

from collections.abc import Mapping

from deployment_int8_tables import TABLES as INT8_TABLES
from page_parts import markdown
from result_files import read_rows

COLUMNS = {
    "onnx": "ONNX Runtime",
    "openvino": "OpenVINO",
    "litert": "LiteRT",
    "savedmodel": "SavedModel",
    "pb": "TensorFlow (`.pb`)",
    "pb_opencv": "OpenCV (`.pb`)",
    "ncnn": "ncnn",
}


def matrix() -> str:
    """Return the largest difference of each export from its model, and why there is none."""
    tables = []
    titles = {
        "tiny": "Small versions of all models at {0}x{0}, static size, float32, random weights",
        "default": "The models of the founding table as they are by default, at {0}x{0}",
    }
    rows = read_rows("export_matrix.csv")
    for options, title in titles.items():
        some = [row for row in rows if row["options"] == options]
        if some:
            tables += [f"{title.format(some[0]['size'])}:", _table(some), _reasons(some)]
    return "\n\n".join(part for part in tables if part)


def _table(rows: list[Mapping[str, str]]) -> str:
    cells = {(row["model"], row["format"]): row for row in rows}
    models = sorted({row["model"] for row in rows})
    lines = [
        [f"`{model}`", *(_cell(cells.get((model, column))) for column in COLUMNS)]
        for model in models
    ]
    return markdown(("model", *COLUMNS.values()), lines, numbers=len(COLUMNS))


def _cell(row: Mapping[str, str] | None) -> str:
    if row is None:
        return ""
    return "no" if row["reason"] else f"{float(row['max_difference']):.0e}"


def _reasons(rows: list[Mapping[str, str]]) -> str:
    return "\n".join(
        f"- `{row['model']}`, {COLUMNS[row['format']]}: {row['reason'].replace('|', '/')}"
        for row in rows
        if row["reason"]
    )


TABLES = {"matrix": matrix, **INT8_TABLES}
