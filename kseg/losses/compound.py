"""Named sums of a loss over pixels and a loss over regions."""

from kseg.losses.algebra import WeightedSum
from kseg.losses.pixel import CrossEntropy
from kseg.losses.region import Dice
from kseg.losses.registry import register


@register("ce_dice")
def ce_dice(
    *,
    from_logits=True,
    ignore_class=None,
    class_weights=None,
    per_image=False,
    class_ids=None,
    smooth=0.0,
):
    """Return cross-entropy plus Dice with unit weights; write the sum yourself for others.

    Args:
        from_logits: Whether predictions are logits, not probabilities.
        ignore_class: Label of void pixels, any integer, or None.
        class_weights: A weight of at least 0 per class for both terms, or None.
        per_image: Take the mean over the values of images in both terms.
        class_ids: The classes that count in the Dice term, or None for all.
        smooth: A number of at least 0, added to numerator and denominator of Dice.

    Returns:
        A `WeightedSum`.

    Raises:
        ValueError: If an option has a bad value.
    """
    shared = {
        "from_logits": from_logits,
        "ignore_class": ignore_class,
        "class_weights": class_weights,
        "per_image": per_image,
    }
    terms = [CrossEntropy(**shared), Dice(**shared, class_ids=class_ids, smooth=smooth)]
    return WeightedSum(terms, name="ce_dice")
