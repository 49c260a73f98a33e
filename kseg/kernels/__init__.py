"""TensorFlow's own kernels for layers and updates that Keras composes of many operations."""

from kseg.kernels.channelwise import use_channelwise
from kseg.kernels.choose import own_kernels, use_own_kernels
from kseg.kernels.update import use_own_update

__all__ = ["own_kernels", "use_channelwise", "use_own_kernels", "use_own_update"]
