"""Semantic segmentation with Keras 3; import what you need from the subpackages."""

__version__ = "0.1.0"
