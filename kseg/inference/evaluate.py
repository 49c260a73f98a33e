"""`kseg evaluate`: score a model on a part of a data set, or masks against masks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from tqdm import tqdm

from kseg.config import EvaluateConfig
from kseg.data.dataset import Dataset
from kseg.inference.evaluation.classes import Classes
from kseg.inference.evaluation.compare import Evaluated, read_evaluated
from kseg.inference.evaluation.duel import Rival
from kseg.inference.evaluation.jobs import Job, Row, Scorer, jobs_of
from kseg.inference.evaluation.mask_scorer import MaskScorer
from kseg.inference.evaluation.model_scorer import ModelScorer
from kseg.inference.evaluation.options import EvaluationOptions
from kseg.inference.evaluation.results import Results
from kseg.inference.evaluation.scored import described, scored_by
from kseg.inference.evaluation.tally import Failures, Tally
from kseg.inference.evaluation.truth import Truth, info_of, results_of, truth_of, warn_of_white
from kseg.inference.model_file import ModelInfo
from kseg.inference.predictor import Predictor
from kseg.inference.ray_cluster import share_devices
from kseg.inference.ray_engine import run_files
from kseg.metrics import SegmentationReport


def evaluate(config: EvaluateConfig) -> SegmentationReport | None:
    """Predict, score or both, as `mode` says, and write the results.

    Returns:
        The scores, None where nothing is scored.

    Raises:
        ValueError: There is no model, data set or folder, they do not fit together, or at the end,
            if some images could not be used.
    """
    other = _other(config)
    if config.mode == "score":
        return _score_masks(config, other)
    if config.engine == "ray":
        share_devices()
    predictor = Predictor.load(config.models, **config.predictor_options)
    truth = truth_of(config, predictor.info, predictor.channels)
    if config.mode == "predict":
        _predict_only(config, predictor, truth)
        return None
    masks = Path(config.predictions) if config.predictions else None
    classes = Classes.of(truth.dataset, EvaluationOptions.of(config))
    size = min(config.batch_size, max(1, len(truth.files)))
    make = _scorers(truth, classes, size, masks)
    results = Results(
        _output(config),
        jobs_of(truth.files),
        make(predictor),
        classes,
        scored_by(config, truth, predictor),
        other and Rival(other, truth.dataset),
    )
    return _finish(results, _model_rows(config, make, results.scorer, results.jobs), truth)


def evaluate_split(
    predictor: Predictor,
    dataset: Dataset,
    split: str,
    output: Path,
    batch_size: int,
    options: EvaluationOptions | None = None,
) -> SegmentationReport:
    """Score one part of a data set at the original size of its images and write the results.

    Args:
        predictor: The model.
        dataset: The data set.
        split: Part of it to score.
        output: Folder for the results.
        batch_size: Images per step.
        options: What to measure and write; by default no page and no charts.

    Raises:
        ValueError: At the end, if some images could not be scored.
    """
    dataset = replace(dataset, class_names=tuple(predictor.info.class_names))
    files = dataset.splits[split]
    options = options or EvaluationOptions()
    classes = Classes.of(dataset, options)
    size = min(batch_size, max(1, len(files)))
    scorer = ModelScorer(predictor, dataset, classes, batch_size=size)
    truth = Truth(dataset, files, split)
    about = described(truth, predictor)
    scored = {"mode": "both", **about, "options": options.reported()}
    results = Results(output, jobs_of(files), scorer, classes, scored)
    return _finish(results, scorer.rows(results.jobs), truth)


def _finish(results: Results, rows: Iterable[Row], truth: Truth) -> SegmentationReport:
    total = len(results.jobs)
    if not total:
        raise ValueError("there is no image to score")
    with Tally(results.classes) as tally:
        start = time.perf_counter()
        tally.add_all(rows, total)
        seconds = time.perf_counter() - start
        if tally.failures.count == total:
            tally.failures.check(total, "scored")
        summary = results.write(tally, seconds)
        warn_of_white(truth, summary.report.confusion)
        tally.failures.check(total, "scored")
    return summary.report


def _score_masks(config: EvaluateConfig, other: Evaluated | None) -> SegmentationReport:
    truth = truth_of(config, _classes_of_masks(config), None)
    output = _output(config)
    folder = Path(config.predictions) if config.predictions else output / "predictions"
    classes = Classes.of(truth.dataset, EvaluationOptions.of(config))
    scorer = MaskScorer(folder, truth.dataset, classes)
    scored = {**scored_by(config, truth), "predictions": str(folder)}
    rival = other and Rival(other, truth.dataset)
    results = Results(output, jobs_of(truth.files), scorer, classes, scored, rival)
    return _finish(results, scorer.rows(results.jobs), truth)


def _classes_of_masks(config: EvaluateConfig) -> ModelInfo | None:
    """Return what the model of the masks says of its classes, None where flags say it."""
    if config.predictions is None:
        return info_of(config.models[0])
    if config.dataset_name is not None or config.n_classes is not None:
        return None
    try:
        return info_of(config.models[0])
    except ValueError:
        raise ValueError(
            "the classes of these masks are unknown; give --n_classes, --dataset_name for those "
            "of a data set, or --model for those of the model that made them"
        ) from None


def _predict_only(config: EvaluateConfig, predictor: Predictor, truth: Truth) -> None:
    folder = Path(config.predictions) if config.predictions else _output(config) / "predictions"
    jobs, failures = jobs_of(truth.files), Failures()
    make = _scorers(truth, None, config.batch_size, folder)
    rows = _model_rows(config, make, make(predictor), jobs)
    for row in tqdm(rows, "predicting", total=len(jobs), unit="image", leave=False):
        if row["error"]:
            failures.add(row["error"])
    print(f"{len(jobs) - failures.count} label masks are in {folder}")
    failures.check(len(jobs), "predicted")


def _scorers(
    truth: Truth, classes: Classes | None, size: int, masks: Path | None
) -> Callable[[Predictor], ModelScorer]:
    # The lists of files would go to each worker.
    dataset = replace(truth.dataset, train=(), val=(), test=())
    return partial(ModelScorer, dataset=dataset, classes=classes, batch_size=size, masks=masks)


def _model_rows(
    config: EvaluateConfig,
    make: Callable[[Predictor], ModelScorer],
    scorer: Scorer,
    jobs: Sequence[Job],
) -> Iterable[Row]:
    if config.engine == "local":
        return scorer.rows(jobs)
    load = partial(Predictor.load, config.models, **config.predictor_options)
    return run_files(
        jobs,
        partial(_worker, load, make),
        engine=config.engine,
        workers=config.workers,
        batch_size=min(config.batch_size, max(1, len(jobs))),
        address=config.ray_address,
    )


def _worker(
    load: Callable[[], Predictor], make: Callable[[Predictor], ModelScorer]
) -> Callable[[Sequence[Job]], list[Row]]:
    scorer = make(load())
    return lambda jobs: list(scorer.rows(jobs))


def _other(config: EvaluateConfig) -> Evaluated | None:
    if config.compare is None:
        return None
    other = read_evaluated(config.compare)
    if other.folder.resolve() == _output(config).resolve():
        raise ValueError(
            f"--compare {config.compare} is what this evaluation would replace; choose another "
            "--output"
        )
    return other


def _output(config: EvaluateConfig) -> Path:
    if config.output:
        return Path(config.output)
    if config.mode == "score" and config.predictions:
        return Path(config.predictions) / "evaluation"
    return results_of(config.models[0])
