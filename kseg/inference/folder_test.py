"""`kseg test`: segment a folder, and score a folder that has labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kseg.config import FolderTestConfig
from kseg.data.dataset import Dataset
from kseg.data.folders import default_class_names
from kseg.data.pairing import list_images, pair_folders
from kseg.inference.evaluate import evaluate_split
from kseg.inference.model_file import ModelInfo
from kseg.inference.predict import predict_files
from kseg.inference.predictor import Predictor
from kseg.models import get_model

_CHECKED = ("model_name", "input_height", "input_width", "resize_op", "image_init")


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
    if config.weights_path.endswith(".weights.h5"):
        return _from_bare_weights(config)
    predictor = Predictor.load(config.weights_path)
    _check_flags(config, predictor.info)
    if config.ignore_class is not None:
        predictor.info = replace(predictor.info, ignore_class=config.ignore_class)
    return predictor


def _check_flags(config: FolderTestConfig, info: ModelInfo) -> None:
    stored = {name: getattr(info, name) for name in _CHECKED}
    stored["classes"] = len(info.class_names)
    for name, value in stored.items():
        given = getattr(config, name)
        if given is not None and given != value:
            raise ValueError(
                f"--{name} is {given}, but {config.weights_path} was trained with {value}; "
                "leave the flag out"
            )


def _from_bare_weights(config: FolderTestConfig) -> Predictor:
    if not Path(config.weights_path).is_file():
        raise ValueError(f"{config.weights_path}: no such file")
    info = ModelInfo(
        model_name=config.model_name or "unet",
        class_names=default_class_names(config.classes or 2),
        ignore_class=config.ignore_class,
        input_height=config.input_height or 224,
        input_width=config.input_width or 224,
        resize_op=config.resize_op or 1,
        image_init=config.image_init or "auto",
    )
    model = get_model(info.model_name, len(info.class_names), image_init=info.image_init)
    try:
        model.load_weights(config.weights_path)
    except (ValueError, OSError) as error:
        raise ValueError(
            f"{config.weights_path}: these weights do not fit {info.model_name!r} with "
            f"{len(info.class_names)} classes ({str(error).splitlines()[0]})"
        ) from None
    return Predictor(model, info)
