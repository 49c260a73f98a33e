"""What report.json says of what was scored, and how."""

from __future__ import annotations

from typing import Any

from kseg.config import EvaluateConfig
from kseg.inference.evaluation.options import EvaluationOptions
from kseg.inference.evaluation.truth import Truth, run_of, run_settings
from kseg.inference.predictor import Predictor


def scored_by(
    config: EvaluateConfig, truth: Truth, predictor: Predictor | None = None
) -> dict[str, Any]:
    """Return what the settings say was scored.

    Args:
        config: The settings.
        truth: What they stand for.
        predictor: The model, None where masks are scored.
    """
    about, measured = described(truth, predictor), EvaluationOptions.of(config)
    run, masks_of_model = run_of(config.models[0]), predictor is None and not config.predictions
    return {
        "mode": config.mode,
        **about,
        "model": str(run.path) if masks_of_model else about["model"],
        "labels": config.labels,
        "options": {**(config.predictor_options if predictor else {}), **measured.reported()},
        "run_config": run_settings(run) if masks_of_model else about["run_config"],
    }


def described(truth: Truth, predictor: Predictor | None) -> dict[str, Any]:
    """Return what is known without settings."""
    models = [str(getattr(one, "name", "model")) for one in predictor.engines] if predictor else []
    return {
        "dataset": truth.dataset.name,
        "split": truth.split,
        "model": ", ".join(models) or None,
        "model_name": predictor.info.model_name if predictor else None,
        "predictions": None,
        "labels": None,
        "options": None,
        "run_config": run_settings(run_of(models[0])) if models else None,
    }
