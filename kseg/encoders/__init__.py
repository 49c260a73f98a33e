"""Encoders: backbones that turn images into a pyramid of features."""

from kseg.encoders.encoder import Encoder, FeaturePyramid, freeze_encoder
from kseg.encoders.registry import EncoderSpec, encoder_spec, list_encoders

__all__ = [
    "Encoder",
    "EncoderSpec",
    "FeaturePyramid",
    "encoder_spec",
    "freeze_encoder",
    "list_encoders",
]
