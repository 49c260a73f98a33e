"""TensorFlow's own kernels for layers that Keras composes of many operations."""

from kseg.kernels.choose import own_kernels, use_own_kernels

__all__ = ["own_kernels", "use_own_kernels"]
