"""Add losses and scale them: `get_loss("ce") + 0.5 * get_loss("dice")`."""

import math

import keras
from keras import ops

from kseg.losses.reduce import weighted_mean
from kseg.losses.truth import read_weight_map


class SummableLoss(keras.losses.Loss):
    """A float32 loss that can be added to other losses and multiplied by a number.

    `call` returns shape `(1,)`, not `()`: Keras divides by the number of replicas under
    `tf.distribute` only where something is left to reduce, and a plain scalar would make
    the gradients of all replicas add up. Called as a function, the loss is a scalar.

    A Keras `sample_weight` of one number per image multiplies that scalar by the mean weight.
    One of the labels' shape is a map of weights of pixels: a weighted mean in the losses over
    pixels, alone or in a sum; losses over regions have no use for it and refuse it without one of
    those beside them.

    Attributes:
        pixel_weights: None, or the options of the maps of weights that this loss cannot do
            without, see `edge_weighted_ce`.
        takes_pixel_weights: Whether it has a use for a map of weights of pixels.

    Args:
        name: Name of the loss.
    """

    pixel_weights: dict[str, float] | None = None
    takes_pixel_weights = False

    def __init__(self, name=None):
        # float32 whatever `keras.config.floatx()` says: sums over pixels overflow float16.
        super().__init__(name=name, dtype="float32")

    def __call__(self, y_true, y_pred, sample_weight=None):
        """Return the loss of a batch, a float32 scalar.

        Raises:
            ValueError: If shapes or labels do not fit, see `read_batch`.
        """
        if sample_weight is not None and len(ops.shape(sample_weight)) > 2:
            y_true, sample_weight = {"labels": y_true, "pixel_weights": sample_weight}, None
        return super().__call__(y_true, y_pred, sample_weight)

    def get_config(self):
        return {"name": self.name}

    def __add__(self, other):
        """Return the weighted sum of this loss and another Keras loss."""
        if not isinstance(other, keras.losses.Loss):
            return NotImplemented
        terms = [*_terms(self), *_terms(other)]
        return WeightedSum([loss for _, loss in terms], [weight for weight, _ in terms])

    def __radd__(self, other):
        """Allow a plain Keras loss, or the 0 that `sum` starts from, on the left."""
        if isinstance(other, int | float) and other == 0:
            return self
        if not isinstance(other, keras.losses.Loss):
            return NotImplemented
        return WeightedSum([other]) + self

    def __mul__(self, factor):
        """Return this loss times a number."""
        if isinstance(factor, bool) or not isinstance(factor, int | float):
            return NotImplemented
        terms = _terms(self)
        return WeightedSum([loss for _, loss in terms], [factor * weight for weight, _ in terms])

    __rmul__ = __mul__


def _terms(loss):
    if isinstance(loss, WeightedSum):
        return list(zip(loss.weights, loss.losses, strict=True))
    return [(1.0, loss)]


def _mean(loss, y_true, y_pred):
    """Return the mean of a term, and whether the map of weights, if there is one, is in it."""
    if not isinstance(y_true, dict):
        return ops.mean(loss.call(y_true, y_pred)), False
    takes = getattr(loss, "takes_pixel_weights", None)
    values = loss.call(y_true if takes else y_true["labels"], y_pred)
    if takes is not None or len(values.shape) < 3:
        return ops.mean(values), bool(takes)
    # A loss of Keras that returns a value per pixel.
    values = ops.cast(values, "float32")
    return weighted_mean(values, read_weight_map(y_true["pixel_weights"], values)), True


def _common_map(losses):
    """Return the options of the one kind of weight maps that some of the losses need."""
    needed = [loss.pixel_weights for loss in losses if getattr(loss, "pixel_weights", None)]
    if any(options != needed[0] for options in needed):
        raise ValueError(f"A sum takes one map of weights, but its losses need {needed}.")
    return needed[0] if needed else None


@keras.saving.register_keras_serializable("kseg")
class WeightedSum(SummableLoss):
    """The sum of `weight * loss` over several losses.

    A map of weights in `sample_weight` goes to the terms over pixels, also to those of Keras, which
    return a value per pixel. A sum without such a term refuses it.

    Args:
        losses: The terms, any `keras.losses.Loss`; terms of Keras itself are averaged over
            whatever they return per sample or pixel.
        weights: A finite number of at least 0 per term; None means 1 each.
        name: Name of the loss.

    Raises:
        ValueError: If there is no term, the lengths differ, a weight is negative, or two terms
            need different maps of weights.
    """

    def __init__(self, losses, weights=None, *, name=None):
        super().__init__(name=name or "_plus_".join(loss.name for loss in losses))
        self.losses = list(losses)
        self.weights = [1.0] * len(self.losses) if weights is None else list(map(float, weights))
        if not self.losses or len(self.losses) != len(self.weights):
            raise ValueError(
                f"A sum needs one weight per loss, got {len(self.losses)} losses "
                f"and {len(self.weights)} weights."
            )
        if not all(math.isfinite(weight) and weight >= 0 for weight in self.weights):
            raise ValueError(f"Weights of losses must be at least 0, got {self.weights}.")
        self.pixel_weights = _common_map(self.losses)

    @property
    def takes_pixel_weights(self):
        """Whether a term may use a map of weights; whether one of Keras does only a call tells."""
        return any(getattr(loss, "takes_pixel_weights", True) for loss in self.losses)

    def call(self, y_true, y_pred):
        """Return the weighted sum, shape `(1,)`."""
        means, takers = zip(*(_mean(loss, y_true, y_pred) for loss in self.losses), strict=True)
        if isinstance(y_true, dict) and not any(takers):
            raise ValueError(
                f"No loss of the sum {self.name!r} is over pixels and takes a map of weights as "
                "sample_weight; add one that is, such as ce, or leave the map out."
            )
        total = sum(weight * mean for weight, mean in zip(self.weights, means, strict=True))
        return ops.reshape(total, (1,))

    def get_config(self):
        losses = [keras.saving.serialize_keras_object(loss) for loss in self.losses]
        return {**super().get_config(), "losses": losses, "weights": self.weights}

    @classmethod
    def from_config(cls, config):
        losses = [keras.saving.deserialize_keras_object(loss) for loss in config["losses"]]
        return cls(**{**config, "losses": losses})
