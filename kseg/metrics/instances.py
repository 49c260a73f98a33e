"""From a map of membranes to a map of cells."""

import numpy as np

from kseg.metrics.arrays import check_probabilities


def membrane_instances(membrane, threshold=0.5):
    """Number the cells that membranes separate.

    Args:
        membrane: Probability of membrane of one image `(H, W)`, 0 to 1, or booleans. The label
            files of ISBI 2012 hold 0 for membrane: pass `labels == 0`.
        threshold: Pixels from this probability on are membrane.

    Returns:
        int32 `(H, W)`: 0 at membrane, 1, 2, ... in the cells, which are the areas connected
        across pixel sides (connectivity 4).

    Raises:
        ValueError: If `membrane` is no image of probabilities.
    """
    from scipy import ndimage

    membrane = np.asarray(membrane)
    if membrane.ndim != 2:
        raise ValueError(f"membrane has shape {membrane.shape}, expected one image (H, W).")
    check_probabilities("membrane", membrane)
    return ndimage.label(membrane < threshold, output=np.int32)[0]


def thin_borders(instances):
    """Let the cells grow until only lines one pixel wide are left between them.

    Flooding across pixel sides at equal speed (scikit-image's watershed).

    Args:
        instances: Integer map, 0 is membrane, `(H, W)` or n-D.

    Returns:
        A map of the same shape; cells that touch already stay as they are.
    """
    from skimage.segmentation import watershed

    if not np.any(instances):
        return instances
    return watershed(np.zeros(instances.shape), instances, connectivity=1, watershed_line=True)
