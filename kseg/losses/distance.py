"""Exact Euclidean distances on the device, under every backend's compiler."""

from keras import ops

_FAR = 1e9


def distances(masks):
    """Return the distance of each pixel to the nearest True pixel of its map.

    The squared distance is the smallest sum of squared steps along the columns and along the
    rows (Felzenszwalb & Huttenlocher 2012, "Distance Transforms of Sampled Functions"), here
    by trying every row and every column: `H + W` passes over the maps, that need no
    data-dependent loop. Without any True pixel the distance is 0. No gradient flows.

    Args:
        masks: bool `(N, H, W, C)`.

    Returns:
        float32 `(N, H, W, C)` in pixels, 0 at True pixels.
    """
    masks = ops.stop_gradient(masks)
    squares = ops.where(masks, 0.0, _FAR)
    for axis in (1, 2):
        squares = _nearest(squares, axis)
    return ops.where(squares < _FAR, ops.sqrt(squares), 0.0)


def _nearest(squares, axis):
    """Return the smallest of `squares[k] + (i - k)²` over `k`, for every `i` of an axis."""
    length = ops.shape(squares)[axis]
    places = ops.reshape(
        ops.arange(length, dtype="float32"), [-1 if a == axis else 1 for a in range(4)]
    )

    def visit(k, best):
        line = ops.take(squares, ops.reshape(k, (1,)), axis=axis)
        return ops.minimum(best, line + ops.square(places - ops.cast(k, "float32")))

    return ops.fori_loop(0, length, visit, squares)
