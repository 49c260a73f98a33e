"""Draw how the losses behave into docs/images: over overlap, and over the size of an object."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402
import numpy as np  # noqa: E402
from loss_entries import ENTRIES, KINDS  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from kseg.data import class_weights, edge_weights  # noqa: E402
from kseg.losses import get_loss  # noqa: E402

IMAGES = Path(__file__).parent / "images"
SIZE, RADIUS = 64, 12
COLOURS = dict(zip(KINDS, ("tab:blue", "tab:red", "tab:green", "tab:purple"), strict=True))
WAYS = {"shifted": ("o", "tab:orange"), "grown": ("^", "tab:cyan"), "shrunk": ("v", "k")}
STYLES = ("-o", "--s", "-^", "--v", "-D", ":P", "-X")


def main() -> None:
    """Write both pictures."""
    draw_overlap(IMAGES / "losses_overlap.png")
    draw_balance(IMAGES / "losses_balance.png")


def disk(radius: float, shift: float = 0.0) -> np.ndarray:
    """Return a disk as 0 and 1, `(SIZE, SIZE)`; it lies left of the middle without a shift."""
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    return ((y**2 + (x + RADIUS - shift) ** 2) <= radius**2).astype("int32")


def predictions(way: str) -> list[np.ndarray]:
    """Return disks that fit the truth less and less; grown ones reach three times its area."""
    if way == "shifted":
        return [disk(RADIUS, shift) for shift in range(0, 2 * RADIUS + 9, 2)]
    grown, shrunk = (12, 13, 14, 15, 16, 17, 18.5, 20, 22), (12, 11, 10, 9, 8, 7, 6, 5, 4, 2.5, -1)
    return [disk(radius) for radius in (grown if way == "grown" else shrunk)]


def logits_of(mask: np.ndarray, logit: float) -> np.ndarray:
    """Return what a network that draws this mask might say, `(1, SIZE, SIZE, 1)`."""
    noise = np.random.default_rng(0).normal(scale=0.2, size=mask.shape)
    return (logit * (2.0 * mask - 1) + noise)[None, ..., None].astype("float32")


def loss_of(name: str, truth: np.ndarray) -> keras.losses.Loss:
    """Return a loss with its defaults, and with what a disk of this size asks for."""
    if name == "weighted_ce":
        return get_loss(name, class_weights=class_weights(np.bincount(truth.ravel()), "balanced"))
    return get_loss(name, **({"iterations": 2 * RADIUS} if name == "cl_dice" else {}))


def weight_map(loss: keras.losses.Loss, truth: np.ndarray) -> np.ndarray | None:
    """Return the map of weights for a loss that needs one."""
    return edge_weights(truth)[None] if loss.pixel_weights else None


def loss_value(name: str, truth: np.ndarray, logits: np.ndarray) -> float:
    """Return the value of a loss for one image with a sigmoid channel."""
    loss = loss_of(name, truth)
    return float(loss(truth[None], logits, sample_weight=weight_map(loss, truth)))


def equals(curves: dict[str, np.ndarray]) -> Iterator[tuple[str, list[str]]]:
    """Yield the first name of each set of losses with the same curve, and all names of the set."""
    left = dict(curves)
    while left:
        first = next(iter(left))
        same = [name for name in left if np.allclose(left[name], curves[first], rtol=1e-3)]
        yield first, same
        left = {name: curve for name, curve in left.items() if name not in same}


def draw_overlap(path: Path) -> None:
    """Draw one chart per loss: its value over the IoU of truth and prediction."""
    truth = disk(RADIUS)
    masks = {way: predictions(way) for way in WAYS}
    steps = {way: [iou(truth, mask) for mask in masks[way]] for way in WAYS}
    curves = {
        name: {way: [loss_value(name, truth, logits_of(m, 4)) for m in masks[way]] for way in WAYS}
        for name in ENTRIES
    }
    figure = Figure((10, 12), layout="constrained")
    first, *axes = figure.subplots(5, 4).flat
    draw_sketch(first)
    groups = list(equals({name: np.concatenate([*c.values()]) for name, c in curves.items()}))
    for axis, (name, same) in zip(axes, groups, strict=False):
        for way, (marker, colour) in WAYS.items():
            axis.plot(steps[way], curves[name][way], marker=marker, color=colour, ms=4, lw=1)
        axis.set_title(" = ".join(same), fontsize=10, color=COLOURS[ENTRIES[name].kind])
        axis.set_xlim(1.03, -0.03)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    for axis in axes[len(groups) :]:
        axis.axis("off")
    figure.supxlabel("IoU of truth and prediction, from right to wrong")
    figure.supylabel("value of the loss")
    save(figure, path)


def iou(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Return the IoU of two masks."""
    return float((truth & predicted).sum() / (truth | predicted).sum())


def draw_sketch(axis: Axes) -> None:
    """Draw the truth and one prediction of each way."""
    axis.imshow(disk(RADIUS), cmap="Greys", vmax=3)
    for way, (marker, colour) in WAYS.items():
        mask = disk({"grown": 17, "shrunk": 6}.get(way, RADIUS), 8 if way == "shifted" else 0)
        axis.contour(mask, [0.5], colors=[colour])
        axis.plot([], [], color=colour, marker=marker, ms=4, label=way)
    axis.legend(loc="upper right", fontsize=8)
    axis.set_title("truth (grey), predictions", fontsize=10)
    axis.set(xticks=[], yticks=[])


def draw_balance(path: Path) -> None:
    """Draw what an overlooked object costs, and how much of the gradient objects get."""
    disks = [disk(radius) for radius in (1.2, 1.8, 2.5, 3.5, 5, 7, 10, 14, 20)]
    figure = Figure((12, 8), layout="constrained")
    axes = figure.subplots(2, len(KINDS), sharex=True, sharey="row")
    for column, kind in zip(axes.T, KINDS, strict=True):
        draw_kind(column, kind, disks)
    axes[0, 0].set_ylabel("value of an empty prediction,\nrelative to that for the largest object")
    axes[1, 0].set_ylabel("share of the gradient on the object\nbefore anything is learnt")
    for axis in axes.flat:
        axis.grid(alpha=0.3)
        axis.xaxis.set_major_formatter("{x:g}")
    figure.supxlabel("size of the object in per cent of the image")
    save(figure, path)


def draw_kind(column: Sequence[Axes], kind: str, disks: Sequence[np.ndarray]) -> None:
    """Draw both charts of one kind of losses."""
    names = [name for name in ENTRIES if ENTRIES[name].kind == kind]
    curves = {name: np.stack([missed(name, disks), pull(name, disks)]) for name in names}
    shares = [100 * mask.mean() for mask in disks]
    for style, (name, same) in zip(STYLES, equals(curves), strict=False):
        for axis, values in zip(column, curves[name], strict=True):
            axis.semilogx(shares, values, style, ms=4, label=" = ".join(same))
    column[0].set_title(KINDS[kind], color=COLOURS[kind])
    column[0].set_yscale("log")
    column[1].legend(fontsize=9, loc="upper center", bbox_to_anchor=(0.5, -0.1))


def missed(name: str, disks: Sequence[np.ndarray]) -> np.ndarray:
    """Return the values of an empty prediction, divided by that for the last disk."""
    values = [loss_value(name, mask, logits_of(np.zeros_like(mask), 10)) for mask in disks]
    return np.array(values) / values[-1]


def pull(name: str, disks: Sequence[np.ndarray]) -> np.ndarray:
    """Return how much of the gradient falls on each disk when nothing is known yet."""
    sizes = [np.abs(gradient(loss_of(name, mask), mask)) for mask in disks]
    return np.array([g[mask == 1].sum() / g.sum() for g, mask in zip(sizes, disks, strict=True)])


class FreeLogits(keras.Model):
    """A model whose weights are its output, so that an SGD step is the gradient of a loss."""

    def __init__(self, logits: np.ndarray) -> None:
        super().__init__()
        self.logits = self.add_weight(shape=logits.shape, initializer="zeros", name="logits")
        self.logits.assign(logits)

    def call(self, inputs):  # noqa: D102
        return keras.ops.convert_to_tensor(self.logits)


def gradient(loss: keras.losses.Loss, truth: np.ndarray) -> np.ndarray:
    """Return the gradient of a loss by the logits of a fresh network, `(SIZE, SIZE)`."""
    logits = logits_of(truth, 0)
    model = FreeLogits(logits)
    model.compile(keras.optimizers.SGD(1.0), loss, run_eagerly=True)
    model.train_on_batch(np.zeros((1, 1)), truth[None], sample_weight=weight_map(loss, truth))
    return (logits - keras.ops.convert_to_numpy(model.logits))[0, ..., 0]


def save(figure: Figure, path: Path) -> None:
    """Write a PNG that holds no version or date."""
    figure.savefig(path, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
