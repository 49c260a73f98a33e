"""Named sums of a loss over pixels and a loss over regions."""

from kseg.losses.algebra import WeightedSum
from kseg.losses.binary import BinaryCrossEntropy
from kseg.losses.edge_weighted import EdgeWeightedCrossEntropy
from kseg.losses.options import check_number
from kseg.losses.pixel import CrossEntropy
from kseg.losses.region import Dice, Jaccard
from kseg.losses.registry import option_names, register
from kseg.losses.unified_focal import ModifiedFocal, ModifiedFocalTversky

# Unit weights; write `get_loss("ce") + 0.5 * get_loss("dice")` for others.
_SUMS = {
    "bce_dice": (BinaryCrossEntropy, Dice),
    "ce_dice": (CrossEntropy, Dice),
    "bce_jaccard": (BinaryCrossEntropy, Jaccard),
    "ce_jaccard": (CrossEntropy, Jaccard),
    "edge_weighted_ce_dice": (EdgeWeightedCrossEntropy, Dice),
}


def build_sum(kinds, options, weights=None, name=None):
    """Return the sum of losses that each take the options they know.

    Args:
        kinds: Classes of losses.
        options: `{option: value}`; each must be known to at least one of the classes.
        weights: A weight per loss, or None for 1 each.
        name: Name of the sum.

    Raises:
        ValueError: If an option has a bad value.
    """
    terms = []
    for kind in kinds:
        known = option_names(kind)
        terms.append(kind(**{key: value for key, value in options.items() if key in known}))
    return WeightedSum(terms, weights, name=name)


def _register_sum(name, kinds):
    @register(name, *kinds)
    def build(**options):
        return build_sum(kinds, options, name=name)


for _name, _kinds in _SUMS.items():
    _register_sum(_name, _kinds)


@register("unified_focal", ModifiedFocal, ModifiedFocalTversky)
def unified_focal(*, weight=0.5, **options):
    """Return the unified focal loss: a focal loss over pixels and one over regions.

    Yeung et al. (2022, arXiv:2102.04525), by default their asymmetric form: `delta` weighs
    the foreground, `gamma` lets easy background pixels count less and drives on foreground
    classes that are nearly right. Class 0 is the background, all others are foreground. With
    `asymmetric=False` both halves treat all classes alike, with the exponents and weights of
    the authors' code, where the text has `1 - gamma` and `gamma` exchanged. A perfect
    prediction gives 0.

    Args:
        weight: Weight of the pixels' half, `1 - weight` that of the regions' half; 0 to 1.
        **options: See `ModifiedFocal` and `ModifiedFocalTversky`.

    Returns:
        A `WeightedSum`.

    Raises:
        ValueError: If an option has a bad value.
    """
    weight = check_number("weight", weight, 0.0, 1.0)
    kinds = ModifiedFocal, ModifiedFocalTversky
    return build_sum(kinds, options, [weight, 1.0 - weight], "unified_focal")
