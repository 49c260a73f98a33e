"""Pretrained weights of an encoder, also for images of other than three channels."""

from __future__ import annotations

import warnings
from pathlib import Path

import keras
import numpy as np

from kseg.encoders.registry import EncoderSpec


def build_stock(spec: EncoderSpec, size: int, channels: int, weights: str | None) -> keras.Model:
    """Build the backbone for `size` x `size` images and load its weights.

    Args:
        spec: The encoder.
        size: Height and width.
        channels: Number of image channels. Kernels for three are adapted to others: one channel
            gets the sum over colours, more repeat R, G, B, R, ... scaled by 3 / channels, so that
            activations keep their size.
        weights: None, "imagenet" (Keras' own download) or the path of a weights file of the same
            `keras.applications` network without top.

    Raises:
        ValueError: No such file, a file of another network, or an encoder without such weights.
    """
    _check(spec, weights)
    if weights is None or channels == 3:
        return _load(spec, (size, size, channels), weights)
    stock = _load(spec, (size, size, channels), None)
    source = _load(spec, (size, size, 3), weights)
    bgr = spec.convention == "caffe"
    stock.set_weights(
        [
            _adapt(value, new.shape, bgr)
            for value, new in zip(source.get_weights(), stock.weights, strict=True)
        ]
    )
    return stock


def _check(spec: EncoderSpec, weights: str | None) -> None:
    if weights is None:
        return
    if weights == "imagenet":
        if not spec.imagenet:
            raise ValueError(
                f"there are no ImageNet weights to download for {spec.name!r}; give the path of a "
                "weights file, or None"
            )
    elif not Path(weights).is_file():
        raise ValueError(
            f"encoder_weights={str(weights)!r}: there is no such file; give None, 'imagenet' or "
            "the path of a weights file"
        )


def _load(spec: EncoderSpec, shape: tuple[int, int, int], weights: str | None) -> keras.Model:
    with warnings.catch_warnings():
        # Any number of channels is fine here.
        warnings.filterwarnings("ignore", message="This model usually expects")
        if weights is None:
            return spec.build(shape, None)
        load = _download if weights == "imagenet" else _load_file
        return load(spec, shape, weights)


def _download(spec: EncoderSpec, shape: tuple[int, int, int], weights: str) -> keras.Model:
    try:
        return spec.build(shape, weights)
    except Exception as error:  # Keras raises no narrower one where a download fails.
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            f"the ImageNet weights of {spec.name!r} could not be had ({reason}); give the path of "
            "a weights file that you have, or None"
        ) from error


def _load_file(spec: EncoderSpec, shape: tuple[int, int, int], weights: str) -> keras.Model:
    try:
        with warnings.catch_warnings():
            # Keras only warns where layers of the network are missing in the file.
            warnings.filterwarnings("error", message="Skipping", category=UserWarning)
            return spec.build(shape, str(weights))
    except (ValueError, OSError, KeyError, UserWarning) as error:
        missing = isinstance(error, UserWarning)
        reason = "layers are missing in it" if missing else str(error).strip().splitlines()[0]
        raise ValueError(
            f"encoder_weights={str(weights)!r} does not hold the weights of {spec.name!r} without "
            f"its top ({reason})"
        ) from error


def _adapt(value: np.ndarray, shape: tuple[int, ...], bgr: bool) -> np.ndarray:
    if value.shape == tuple(shape):
        return value
    (axis,) = np.flatnonzero(np.not_equal(value.shape, shape))
    colours = np.flip(value, axis) if bgr else value
    channels = shape[axis]
    if value.ndim == 1:
        return np.resize(colours, channels)
    if channels == 1:
        return colours.sum(axis, keepdims=True)
    return np.take(colours, np.arange(channels) % 3, axis) * (3 / channels)
