"""What the conversion to 8 bits costs in mean IoU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kseg.config.export_formats import CalibratedConfig
from kseg.export.calibration import evenly, truth_part
from kseg.export.parity import ParityError
from kseg.export.source import Source
from kseg.inference.engines import Engine, KerasEngine
from kseg.inference.evaluation.classes import Classes
from kseg.inference.evaluation.jobs import jobs_of
from kseg.inference.evaluation.model_scorer import ModelScorer
from kseg.inference.evaluation.options import EvaluationOptions
from kseg.inference.evaluation.tally import Tally
from kseg.inference.evaluation.truth import Truth
from kseg.inference.predictor import Predictor

DROP = "mIoU drop"

# Scoring more tells little and takes minutes on a large data set.
MOST_SCORED = 200


def miou_drop(config: CalibratedConfig, source: Source, engine: Engine) -> dict[str, Any]:
    """Score the Keras model and an exported one on held-out images of the same data set.

    Args:
        config: The settings of the export.
        source: The model.
        engine: The exported model.

    Returns:
        The mean IoU of both, their difference "mIoU drop", and what was scored; or "mIoU drop"
        alone, a text that says why it is unknown.

    Raises:
        ValueError: An image or label map cannot be read.
    """
    try:
        truth = _held_out(config, source)
    except ValueError as error:
        if config.calibration_data is None or source.run is None:
            return {DROP: f"not measured: {error}"}
        # A folder of images without labels calibrates; the run's data set may have some.
        return miou_drop(replace(config, calibration_data=None), source, engine)
    info = source.info
    if engine.size is not None:
        info = replace(info, input_height=engine.size[0], input_width=engine.size[1])
    ours = mean_iou(KerasEngine(source.model, info, source.file), truth)
    theirs = mean_iou(engine, truth)
    return {
        "mIoU of Keras": round(ours, 4),
        "mIoU of this file": round(theirs, 4),
        DROP: round(ours - theirs, 4),
        "mIoU on": f"{len(truth.files)} {truth.split} images of {truth.dataset.name}",
    }


def check_drop(facts: Mapping[str, Any], config: CalibratedConfig) -> None:
    """Refuse an export that segments worse than the settings accept.

    Args:
        facts: What `miou_drop` found.
        config: The settings.

    Raises:
        ParityError: The mean IoU is lower by more than `config.largest_drop`.
    """
    drop = facts[DROP]
    if not isinstance(drop, str) and not drop <= config.largest_drop:
        raise ParityError(
            f"the exported model has {drop:.4f} less mean IoU than the original, more than "
            f"--largest_drop {config.largest_drop:g} ({facts['mIoU on']}); nothing was written"
        )


def mean_iou(engine: Engine, truth: Truth) -> float:
    """Return the mean IoU over the classes, at the original size of the images."""
    classes = Classes.of(truth.dataset, EvaluationOptions(bootstrap=0))
    batch_size = engine.batch_size or 1
    scorer = ModelScorer(Predictor(engine), truth.dataset, classes, batch_size=batch_size)
    with Tally(classes) as tally:
        tally.add_all(scorer.rows(jobs_of(truth.files)), len(truth.files))
        tally.failures.check(len(truth.files), "scored")
        return tally.summary().report.means["mean_iou"]


def _held_out(config: CalibratedConfig, source: Source) -> Truth:
    """Return labelled images that the model did not learn from.

    Raises:
        ValueError: There are none.
    """
    for split in ("test", "val"):
        truth = truth_part(config, source, split)
        if labelled := [one for one in truth.files if one.mask is not None]:
            return truth._replace(files=evenly(labelled, MOST_SCORED))
    raise ValueError(f"the data set {truth.dataset.name} has no held-out images with labels")
