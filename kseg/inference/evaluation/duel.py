"""Pictures of two evaluations side by side: what each predicts for the same image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kseg.data.classes import with_channels
from kseg.data.dataset import Dataset
from kseg.inference.evaluation.classes import Classes
from kseg.inference.evaluation.compare import Evaluated, compare
from kseg.inference.evaluation.gallery import LONGEST, picture_uri
from kseg.inference.evaluation.jobs import Job, Scorer
from kseg.inference.evaluation.mask_scorer import MaskScorer
from kseg.inference.evaluation.model_scorer import ModelScorer
from kseg.inference.evaluation.views import draw_views
from kseg.inference.file_errors import PER_FILE
from kseg.inference.predictor import Predictor

# Images that are shown of those that gained and of those that lost.
_SHOWN = 5


@dataclass(frozen=True)
class Duel:
    """One image as two evaluations have it.

    Attributes:
        name: Name of the sample.
        scores: Its score here and there.
        pictures: Title and data URI of each picture: image and truth, then in pairs what is here
            and what is there.
    """

    name: str
    scores: tuple[float, float]
    pictures: dict[str, str]


@dataclass(frozen=True)
class Rival:
    """The evaluation to compare with, and what reads the samples of both.

    Attributes:
        evaluated: The evaluation.
        dataset: Reads the samples.
    """

    evaluated: Evaluated
    dataset: Dataset

    def compared(
        self, this: Evaluated, jobs: Sequence[Job], scorer: Scorer, classes: Classes
    ) -> dict[str, Any]:
        """Return what `compare` gives, with the pictures as "duels" or why there are "none".

        Args:
            this: The new evaluation.
            jobs: Its samples.
            scorer: Shows its predictions.
            classes: Classes and options of it.
        """
        options, none = classes.options, None
        duels: dict[str, list[Duel]] = {"gained": [], "lost": []}
        found = compare(this, self.evaluated, resamples=options.bootstrap, seed=options.seed)
        if found["images"]:
            try:
                theirs = scorer_of(self.evaluated, self.dataset, classes)
                duels = duels_of(found["images"], jobs, (scorer, theirs), classes.void)
            except PER_FILE as error:
                none = " ".join(str(error).split())
        return {**found, "duels": duels, "no_duels": none}


def scorer_of(other: Evaluated, dataset: Dataset, classes: Classes) -> Scorer:
    """Return what shows the predictions of an evaluation: its masks, or its model once more.

    Raises:
        ValueError: Neither of them is there any more.
    """
    scored = other.report.get("scored") or {}
    if scored.get("predictions"):
        return MaskScorer(Path(scored["predictions"]), dataset, classes)
    if not scored.get("model"):
        raise ValueError("its report names no model")
    models = [_found(Path(name), other.folder) for name in scored["model"].split(", ")]
    used, names = scored.get("options") or {}, ("fit", "tta", "tile", "overlap")
    options = {name: used[name] for name in names if name in used}
    predictor = Predictor.load(models, **options)
    dataset = with_channels(dataset, predictor.channels)
    return ModelScorer(predictor, dataset, classes, batch_size=1)


def _found(model: Path, evaluation: Path) -> Path:
    """Return a model's path, or where it is now if its run was moved with the evaluation."""
    moved = evaluation.parent / model.name
    return moved if not model.exists() and moved.exists() else model


def duels_of(
    images: Mapping[str, Any], jobs: Sequence[Job], scorers: tuple[Scorer, Scorer], void: int
) -> dict[str, list[Duel]]:
    """Return the images that "gained" and "lost" most; files that are gone are left out.

    Args:
        images: What `compare` says of single images.
        jobs: All samples.
        scorers: Show the predictions of this evaluation and of the other one.
        void: Label of pixels that do not count.
    """
    by_name = {job.name: job for job in jobs}
    return {
        key: list(_drawn(images[key][:_SHOWN], by_name, scorers, void))
        for key in ("gained", "lost")
    }


def _drawn(
    named: Sequence[Sequence[Any]],
    jobs: Mapping[str, Job],
    scorers: tuple[Scorer, Scorer],
    void: int,
) -> Iterable[Duel]:
    # Images may be large, so that their pictures alone are kept.
    wanted = [jobs[name] for name, *_ in named]
    ours, theirs = (
        {job.name: draw_views(*seen, void, LONGEST) for job, seen in scorer.look(wanted)}
        for scorer in scorers
    )
    for name, *scores in named:
        if name in ours and name in theirs:
            views = _beside(ours[name], theirs[name])
            pictures = {title: picture_uri(view) for title, view in views.items()}
            yield Duel(name, (scores[0], scores[1]), pictures)


def _beside(
    here: Mapping[str, np.ndarray], there: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    alike = {name: here[name] for name in ("image", "truth") if name in here}
    pairs = {
        f"{name}, {which}": views[name]
        for name in ("prediction", "errors")
        for which, views in (("this", here), ("other", there))
    }
    return {**alike, **pairs}
