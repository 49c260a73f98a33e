"""`kseg train_medical`: train on few images of cells, then score the cells that were found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from kseg.config import MedicalConfig
from kseg.config.repeats import is_repeated
from kseg.data.dataset import Dataset, SampleFiles
from kseg.data.folds import with_fold
from kseg.files import replacing
from kseg.inference.predictor import Predictor
from kseg.losses.registry import known_options
from kseg.runs import RunFolder
from kseg.training.cell_scores import Answers, CellScores, cell_scores
from kseg.training.inputs import opened_dataset
from kseg.training.processes import find_place
from kseg.training.repeats import single_runs
from kseg.training.start import start

FILE = "cells.json"
_MEMBRANE = "membrane"


def train_medical(config: MedicalConfig) -> None:
    """Train as `kseg train` does, then score the cells of the images held out.

    The scores are printed and written to `evaluation/cells.json` of the run folder.

    Raises:
        ValueError: As `kseg train`, or the data set has not two classes.
    """
    dataset = opened_dataset(config)
    _require_two_classes(dataset)
    if config.auto:
        # The loss is proposed, and with it its options.
        start(config)
        return
    config = between_cells(config, dataset)
    start(config)
    if config.lr_find or find_place(config).rank > 0:
        return
    runs = single_runs(replace(config, resume="")) if is_repeated(config) else [config]
    for one in runs:
        score_run(one)


def between_cells(config: MedicalConfig, dataset: Dataset) -> MedicalConfig:
    """Return the settings in which the loss knows the class that lies between cells.

    Raises:
        ValueError: An unknown loss.
    """
    options = config.loss_options
    if "background" in options or "background" not in known_options(config.loss):
        return config
    return replace(config, loss_options={**options, "background": membrane_label(dataset)})


def _require_two_classes(dataset: Dataset) -> None:
    if dataset.num_classes != 2:
        raise ValueError(
            f"{dataset.name} has {dataset.num_classes} classes; this recipe is for two, cells and "
            "what separates them: train with train.py"
        )


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
    predictor = Predictor.load(run.path, tile=config.tile)
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
