"""The report as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from kseg.files import replacing_text
from kseg.inference.evaluation.confusion_picture import largest_classes, short_count
from kseg.inference.evaluation.gallery import Exhibit
from kseg.inference.evaluation.summary import class_rows
from kseg.inference.evaluation.views import ERROR_COLOURS, error_meanings
from kseg.palette import class_palette

TEMPLATES = Path(__file__).parent / "templates"
# Means that the head of the page shows.
_HEADLINES = {
    "mean_iou": "mean IoU",
    "object_mean_iou": "object mean IoU",
    "mean_dice": "mean Dice",
    "pixel_accuracy": "pixel accuracy",
    "mean_pixel_accuracy": "mean pixel accuracy",
}
_OPTIONAL = ("sizes", "calibration", "boundary", "auc", "v_rand")


def write_html(
    path: Path,
    report: Mapping[str, Any],
    galleries: Mapping[str, Sequence[Exhibit]],
    comparison: Mapping[str, Any] | None = None,
    speed: Mapping[str, Any] | None = None,
) -> None:
    """Write the page.

    Args:
        path: The file.
        report: The contents of report.json.
        galleries: Title and images of each gallery.
        comparison: What `compare` gives, or None.
        speed: The contents of speed.json, or None.
    """
    page = render(report, galleries, comparison, speed)
    with replacing_text(path) as file:
        file.write(page)


def render(
    report: Mapping[str, Any],
    galleries: Mapping[str, Sequence[Exhibit]],
    comparison: Mapping[str, Any] | None = None,
    speed: Mapping[str, Any] | None = None,
) -> str:
    """Return the page, see `write_html`."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(score=_score, signed=_signed, percent=_percent, count=short_count)
    names = [row["name"] for row in report["classes"]]
    return environment.get_template("report.html").render(
        report={**dict.fromkeys(_OPTIONAL), **report},
        scored=report["scored"],
        title=_title(report["scored"]),
        facts=_facts(report["scored"]),
        headlines=_headlines(report),
        classes=class_rows(report),
        colours=[_css(colour) for colour in class_palette()],
        confusion=_confusion(report),
        galleries=galleries,
        error_colours={key: _css(ERROR_COLOURS[key]) for key in error_meanings(names)},
        error_meanings=error_meanings(names),
        sizes=_sizes(report.get("sizes")),
        comparison=comparison,
        speed=speed,
        config=_yaml(report["scored"].get("run_config")),
        options=_yaml(report["scored"].get("options")),
    )


def _title(scored: Mapping[str, Any]) -> str:
    return " on ".join(
        str(part)
        for part in (scored["model"] or scored["predictions"], scored["dataset"])
        if part is not None
    )


def _facts(scored: Mapping[str, Any]) -> list[str]:
    facts = [f"{scored['images']} images"]
    facts += [f"part {scored['split']}"] if scored["split"] else []
    facts += [f"model {scored['model_name']}"] if scored["model_name"] else []
    for key, text in (("predictions", "masks of"), ("labels", "labels of")):
        facts += [f"{text} {scored[key]}"] if scored[key] else []
    ignored = scored["ignore_class"]
    return facts if ignored is None else [*facts, f"label {ignored} does not count"]


def _headlines(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    intervals = (report.get("intervals") or {}).get("means", {})
    return [
        {"title": title, "value": report["means"].get(key), "interval": intervals.get(key)}
        for key, title in _HEADLINES.items()
    ]


def _confusion(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row per true class: its name, its pixels, and the share of each prediction."""
    names = [row["name"] for row in report["classes"]]
    counts, names = largest_classes(np.array(report["confusion"]), names)
    return [
        {"name": name, "pixels": sum(row), "shares": [n / max(1, sum(row)) for n in row]}
        for name, row in zip(names, counts.tolist(), strict=True)
    ]


def _sizes(rows: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """Return the sizes with names such as "8² to 16²", without those that nothing has."""
    named = []
    for row in rows or ():
        start, end = (_side(row[key]) for key in ("from_pixels", "to_pixels"))
        name = f"below {end}" if not row["from_pixels"] else f"{start} to {end}"
        name = name if row["to_pixels"] else f"{start} and more"
        if row["objects"] or row["predicted"]:
            named.append({**row, "name": name})
    return named


def _side(pixels: int | None) -> str:
    return "" if pixels is None else f"{round(pixels**0.5)}\u00b2"


def _yaml(values: Mapping[str, Any] | None) -> str:
    return yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True) if values else ""


def _css(colour: Sequence[int]) -> str:
    return "#" + "".join(f"{int(value):02x}" for value in colour)


def _score(value: float | None, digits: int = 3) -> str:
    return "\u2013" if value is None else f"{value:.{digits}f}"


def _signed(value: float | None) -> str:
    return "\u2013" if value is None else f"{value:+.3f}".replace("-", "\u2212")


def _percent(value: float | None) -> str:
    return "\u2013" if value is None else f"{100 * value:.1f}\u00a0%"
