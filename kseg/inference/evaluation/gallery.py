"""Pictures of the worst and best images, ready to be put into a page."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from kseg.inference.evaluation.classes import Classes
from kseg.inference.evaluation.jobs import Job, Scorer
from kseg.inference.evaluation.per_image import Ranked
from kseg.inference.evaluation.views import draw_views

# Longest side: four of them beside each other fill a screen.
LONGEST = 420
_QUALITY = 82


@dataclass(frozen=True)
class Exhibit:
    """One image of the report.

    Attributes:
        name: Name of the sample.
        score: Its score.
        pictures: Title and data URI of each picture.
    """

    name: str
    score: float
    pictures: dict[str, str]


def exhibits(
    ranked: Ranked, jobs: Sequence[Job], scorer: Scorer, classes: Classes
) -> list[Exhibit]:
    """Return the pictures of ranked images; files that are gone meanwhile are left out."""
    scores = {number: score for score, number in ranked}
    shown = []
    for job, seen in scorer.look(jobs[number] for number in scores):
        views = draw_views(*seen, classes.void, LONGEST)
        pictures = {key: picture_uri(view) for key, view in views.items()}
        shown.append(Exhibit(job.name, scores[job.number], pictures))
    return shown


def picture_uri(picture: np.ndarray) -> str:
    """Return a picture as the data URI of a JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
