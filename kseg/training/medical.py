"""`kseg train_medical`: train on few images of cells, then score the cells that were found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from kseg.config import MedicalConfig
from kseg.data.dataset import Dataset, SampleFiles
from kseg.data.folds import with_fold
from kseg.files import replacing
from kseg.inference.predictor import Predictor
from kseg.losses.registry import known_options
from kseg.metrics import SplitMergeScore, best_over_thresholds, membrane_instances, v_rand
from kseg.runs import RunFolder
from kseg.training.inputs import opened_dataset
from kseg.training.processes import find_place
from kseg.training.repeats import is_repeated, single_runs
from kseg.training.start import start

FILE = "cells.json"
_MEMBRANE = "membrane"


@dataclass(frozen=True)
class CellScores:
    """What the challenge on the ISBI 2012 data set measured, over all pixels of some images.

    Attributes:
        images: Number of images.
        scored_class: Name of the class that `dice` is about: the second one, the membrane of ISBI.
        pixel_error: Share of the pixels whose class is wrong, 0..1.
        pixel_error_of_empty: The same for a prediction of the first class everywhere.
        dice: Dice of that class, 0..1.
        v_rand: How well the cells agree, at `threshold`; None where there is no cell.
        threshold: Probability from which a pixel separates cells, chosen on the validation images.
        v_rand_best: The same at `threshold_best`, the best for the scored images themselves, as
            the challenge has it.
        threshold_best: That threshold.
    """

    images: int
    scored_class: str
    pixel_error: float
    pixel_error_of_empty: float
    dice: float
    v_rand: SplitMergeScore | None = None
    threshold: float | None = None
    v_rand_best: SplitMergeScore | None = None
    threshold_best: float | None = None


@dataclass(frozen=True)
class Answers:
    """Truth and prediction of some images, of equal order.

    Attributes:
        labels: Label maps `(H, W)`.
        probabilities: Probabilities of the second class, `(H, W)`, 0..1.
        void: Label of pixels that count nowhere.
        membrane: Label of what separates cells, 0 or 1.
    """

    labels: Sequence[np.ndarray]
    probabilities: Sequence[np.ndarray]
    void: int
    membrane: int

    def confusion(self) -> np.ndarray:
        """Return the counts `(truth, prediction)` of the two classes, int64 `(2, 2)`."""
        counts = np.zeros((2, 2), np.int64)
        for labels, chance in zip(self.labels, self.probabilities, strict=True):
            valid = labels != self.void
            cells = 2 * labels[valid].astype(np.int64) + (chance[valid] > 0.5)
            counts += np.bincount(cells, minlength=4).reshape(2, 2)
        return counts

    def cells(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return numbered true cells and probabilities of what separates them.

        Images without a cell are left out. True membrane counts nowhere in the scores of cells, so
        void pixels are taken for it.
        """
        truths, maps = [], []
        for labels, chance in zip(self.labels, self.probabilities, strict=True):
            cells = membrane_instances((labels == self.membrane) | (labels == self.void))
            if cells.any():
                truths.append(cells)
                maps.append(chance if self.membrane == 1 else 1 - chance)
        return truths, maps


def train_medical(config: MedicalConfig) -> None:
    """Train as `kseg train` does, then score the cells of the images held out.

    The scores are printed and written to `evaluation/cells.json` of the run folder.

    Raises:
        ValueError: As `kseg train`, or the data set has not two classes.
    """
    config = between_cells(config, opened_dataset(config))
    start(config)
    if config.auto or config.lr_find or find_place(config).rank > 0:
        return
    runs = single_runs(replace(config, resume="")) if is_repeated(config) else [config]
    for one in runs:
        score_run(one)


def between_cells(config: MedicalConfig, dataset: Dataset) -> MedicalConfig:
    """Return the settings in which the loss knows the class that lies between cells.

    Raises:
        ValueError: The data set has not two classes, or an unknown loss.
    """
    if dataset.num_classes != 2:
        raise ValueError(
            f"{dataset.name} has {dataset.num_classes} classes; this recipe is for two, cells and "
            "what separates them: train with train.py"
        )
    options = config.loss_options
    if "background" in options or "background" not in known_options(config.loss):
        return config
    return replace(config, loss_options={**options, "background": membrane_label(dataset)})


def membrane_label(dataset: Dataset) -> int:
    """Return the label between cells: the class named membrane, else 0, the background."""
    return list(dataset.class_names).index(_MEMBRANE) if _MEMBRANE in dataset.class_names else 0


def score_run(config: MedicalConfig) -> CellScores:
    """Score the best checkpoint of a run on the test part of its data set.

    Returns:
        The scores, which are in the run folder's `evaluation/cells.json` then.
    """
    run = RunFolder(config.run_path)
    dataset = opened_dataset(config)
    if config.folds:
        dataset = with_fold(dataset, config.fold or 0, config.folds)
    predictor = Predictor.load(run.path)
    chosen_on, held_out = (
        answers(predictor, dataset, part) for part in (dataset.val, dataset.test)
    )
    scores = cell_scores(held_out, chosen_on, dataset.class_names[1])
    path = run.evaluation / FILE
    with replacing(path) as draft:
        draft.write_text(json.dumps(asdict(scores), indent=2) + "\n", "utf-8")
    _show(scores, dataset.class_names[0], path)
    return scores


def answers(predictor: Predictor, dataset: Dataset, files: Sequence[SampleFiles]) -> Answers:
    """Predict samples of a data set of two classes, at their own size."""
    samples = [dataset.load(one) for one in files]
    # One by one: what a batch needs at the images' own size is many times the images.
    chances = [predictor.probabilities([sample.image])[0][..., 1] for sample in samples]
    labels = [sample.labels for sample in samples]
    return Answers(labels, chances, dataset.void, membrane_label(dataset))


def cell_scores(held_out: Answers, chosen_on: Answers, scored_class: str) -> CellScores:
    """Score predictions.

    Args:
        held_out: What is scored.
        chosen_on: What the threshold of `v_rand` is chosen on.
        scored_class: Name of the second class.
    """
    counts = held_out.confusion()
    total, true, found = max(counts.sum(), 1), counts[1].sum(), counts[:, 1].sum()
    scores = CellScores(
        images=len(held_out.labels),
        scored_class=scored_class,
        pixel_error=float((counts[0, 1] + counts[1, 0]) / total),
        pixel_error_of_empty=float(true / total),
        # Nothing to find and nothing found is right.
        dice=float(2 * counts[1, 1] / (true + found)) if true + found else 1.0,
    )
    truths, maps = held_out.cells()
    others = chosen_on.cells()
    if not truths or not others[0]:
        return scores
    threshold, _ = best_over_thresholds(*others)
    best, score = best_over_thresholds(truths, maps)
    return replace(
        scores,
        v_rand=_at_threshold(truths, maps, threshold),
        threshold=threshold,
        v_rand_best=score,
        threshold_best=best,
    )


def _at_threshold(
    truths: Sequence[np.ndarray], maps: Sequence[np.ndarray], threshold: float
) -> SplitMergeScore:
    return best_over_thresholds(truths, maps, score=v_rand, thresholds=[threshold])[1]


def _show(scores: CellScores, first_class: str, path: Path) -> None:
    rows = [
        (
            "pixel error",
            scores.pixel_error,
            f"{scores.pixel_error_of_empty:.4f} if all is {first_class}",
        ),
        (f"{scores.scored_class} Dice", scores.dice, ""),
    ]
    for name, score, threshold, how in (
        ("V_rand", scores.v_rand, scores.threshold, "chosen on the validation images"),
        ("V_rand, best", scores.v_rand_best, scores.threshold_best, "the best for these images"),
    ):
        if score is not None:
            note = f"split {score.split:.4f}, merge {score.merge:.4f}; threshold {threshold}, {how}"
            rows.append((name, score.f_score, note))
    table = Table("score", "value", "", title=f"{scores.images} images held out")
    for name, value, note in rows:
        table.add_row(name, f"{value:.4f}", note)
    console = Console()
    console.print(table)
    console.print(f"scores of the cells: {path}", soft_wrap=True, highlight=False, markup=False)
