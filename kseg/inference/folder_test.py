"""`kseg test`: segment a folder, and score a folder that has labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kseg.config import FolderTestConfig
from kseg.data.dataset import Dataset
from kseg.data.pairing import list_images, pair_folders
from kseg.inference.bare_weights import (
    SUFFIX,
    check_flags,
    info_from_flags,
    load_bare_weights,
)
from kseg.inference.evaluate import evaluate_split
from kseg.inference.predict import predict_files
from kseg.inference.predictor import Predictor


def folder_test(config: FolderTestConfig) -> None:
    """Segment `test_images` into `output_path`; with `mIOU`, print and write the scores too.

    Raises:
        ValueError: A folder or the weights are missing, or flags disagree with the weights.
    """
    predictor = _load(config)
    output = Path(config.output_path)
    if config.mIOU:
        evaluate_split(predictor, _labelled(config, predictor), "test", output, config.batch_size)
    if config.mIOU and not Path(config.test_images).is_dir():
        return
    predict_files(predictor, list_images(Path(config.test_images)), output, config.batch_size)


def _labelled(config: FolderTestConfig, predictor: Predictor) -> Dataset:
    pairs = pair_folders(Path(config.val_images), Path(config.val_annotations))
    names, ignored = predictor.info.class_names, predictor.info.ignore_class
    return Dataset("test", (), (), pairs, names, ignored, channels=predictor.channels)


def _load(config: FolderTestConfig) -> Predictor:
    if config.weights_path.endswith(SUFFIX):
        info = info_from_flags(config, config.ignore_class)
        return Predictor(load_bare_weights(config.weights_path, info), info)
    predictor = Predictor.load(config.weights_path)
    check_flags(config, predictor.info)
    if config.ignore_class is not None:
        predictor.info = replace(predictor.info, ignore_class=config.ignore_class)
    return predictor
