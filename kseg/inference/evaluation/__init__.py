"""Scores of a model or of label masks: what is measured, its intervals, charts and the report."""

from kseg.inference.evaluation.bootstrap import bootstrap_intervals
from kseg.inference.evaluation.options import EvaluationOptions

__all__ = ["EvaluationOptions", "bootstrap_intervals"]
