"""Cross-entropy that makes the gaps between touching objects count."""

import keras

from kseg.losses.options import check_number, check_whole
from kseg.losses.pixel import CrossEntropy
from kseg.losses.registry import register


@register("edge_weighted_ce")
@keras.saving.register_keras_serializable("kseg")
class EdgeWeightedCrossEntropy(CrossEntropy):
    """Weighted mean over valid pixels of `-log p`, with a weight for every pixel.

    The weights are a map like that of U-Net (Ronneberger et al. 2015, arXiv:1505.04597):
    `1 + w0 exp(-(d1 + d2)² / (2 sigma²))` with the distances `d1`, `d2` to the two nearest
    objects. `kseg.data.edge_weights` computes it from labels, which takes the distances of
    objects and so belongs to the loading of data: it comes as `sample_weight` `(N, H, W)`, in
    `kseg train` by itself. The sum is divided by the sum of the weights. `class_weights`
    multiply the map, where the paper adds them to the border's term; give them to
    `edge_weights` instead to have it that way. A perfect prediction gives 0.

    Args:
        w0: Height of the weights between objects, at least 0; for whoever makes the maps.
        sigma: Their reach in pixels, above 0; likewise.
        background: Label of what lies between objects, a whole number; likewise.
        **options: See `CrossEntropy`.

    Raises:
        ValueError: If an option has a bad value, or, called, there is no map of weights.
    """

    def __init__(self, *, w0=10.0, sigma=5.0, background=0, **options):
        super().__init__(**options)
        w0, sigma = check_number("w0", w0), check_number("sigma", sigma, above=True)
        background = check_whole("background", background)
        self.pixel_weights = {"w0": w0, "sigma": sigma, "background": background}

    def terms(self, batch):
        """Return the values and weights of the pixels."""
        if batch.pixel_weights is None:
            raise ValueError(
                "edge_weighted_ce needs a map of weights (N, H, W) as sample_weight; "
                "kseg.data.edge_weights makes one from a label map."
            )
        return super().terms(batch)

    def get_config(self):
        return {**super().get_config(), **self.pixel_weights}
