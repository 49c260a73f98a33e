"""`kseg evaluate`: score a model on a part of a data set."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from rich.console import Console
from tqdm import tqdm

from kseg.config import EvaluateConfig, TrainConfig, parse_config
from kseg.data.classes import with_channels, with_classes
from kseg.data.dataset import Dataset, Sample, SampleFiles
from kseg.data.registry import open_dataset
from kseg.inference.contact_sheet import contact_sheet
from kseg.inference.predictor import Predictor
from kseg.metrics import SegmentationReport, confusion_matrix, segmentation_report
from kseg.runs import RunFolder, find_checkpoint

SHEET_SAMPLES = 8


def evaluate(config: EvaluateConfig) -> SegmentationReport:
    """Score a model, print the table and write report.json, report.csv and contact_sheet.png.

    Raises:
        ValueError: No model or data set, or a model with another number of classes.
    """
    checkpoint = find_checkpoint(config.model)
    predictor = Predictor.load(checkpoint)
    dataset = _dataset_of(config, RunFolder(checkpoint.parent), predictor)
    output = Path(config.output) if config.output else RunFolder(checkpoint.parent).evaluation
    return evaluate_split(predictor, dataset, config.split, output, config.batch_size)


def _dataset_of(config: EvaluateConfig, run: RunFolder, predictor: Predictor) -> Dataset:
    trained = TrainConfig()
    if run.config.is_file():
        trained = parse_config(TrainConfig, ["--config", str(run.config)])
    name = config.dataset_name or trained.dataset_name
    dataset = open_dataset(name, config.data_root or trained.data_root)
    dataset = with_channels(dataset, predictor.channels)
    return with_classes(dataset, len(predictor.info.class_names), predictor.info.ignore_class)


def evaluate_split(
    predictor: Predictor, dataset: Dataset, split: str, output: Path, batch_size: int
) -> SegmentationReport:
    """Score one part of a data set at the original size of its images and write the results."""
    confusion, shown = score_files(predictor, dataset, dataset.splits[split], batch_size)
    report = segmentation_report(confusion, predictor.info.class_names)
    output.mkdir(parents=True, exist_ok=True)
    report.to_json(output / "report.json")
    report.to_csv(output / "report.csv")
    contact_sheet(output / "contact_sheet.png", shown, dataset.void)
    console = Console()
    console.print(report.table())
    console.print(f"scores of the {split} part and pictures are in {output}", highlight=False)
    return report


def score_files(
    predictor: Predictor, dataset: Dataset, files: Sequence[SampleFiles], batch_size: int
) -> tuple[np.ndarray, list[tuple[Sample, np.ndarray]]]:
    """Return the confusion matrix over all pixels, and some samples with their predictions."""
    num_classes, ignore = dataset.num_classes, dataset.ignore_class
    confusion = np.zeros((num_classes, num_classes), np.int64)
    shown: list[tuple[Sample, np.ndarray]] = []
    every = max(1, len(files) // SHEET_SAMPLES)
    samples = enumerate(map(dataset.load, tqdm(files, "scoring", unit="image", leave=False)))
    while batch := list(islice(samples, batch_size)):
        images = [sample.image for _, sample in batch]
        labels = predictor.predict_padded(images, min(batch_size, len(files)))
        for (index, sample), predicted in zip(batch, labels, strict=True):
            confusion += confusion_matrix(sample.labels, predicted, num_classes, ignore)
            if index % every == 0 and len(shown) < SHEET_SAMPLES:
                shown.append((sample, predicted))
    return confusion, shown
