"""Each loss alone teaches a tiny U-Net to find disks in noise, which no threshold finds."""

import functools

import keras
import numpy as np
import pytest

from kseg.data import edge_weights
from kseg.losses import get_loss, list_losses
from kseg.models import get_model

SIZE, BATCH, RATE = 64, 4, 0.02
# The rare class twice; as many erosions as the largest radius; the rest as it comes.
OPTIONS = {"weighted_ce": {"class_weights": [1, 2]}, "cl_dice": {"iterations": 14}}
# Alone these take two and three times the steps, as errors near the boundary cost next to nothing;
# the pages advise a sum with `dice`, which learns as fast as any other.
EPOCHS = {"boundary": 16, "hausdorff": 24}
# About 5 s each; the others are trained with `--full`.
EVERY_DAY = ("ce", "dice", "edge_weighted_ce", "f_tversky", "lovasz", "mcc", "ohem_ce")
SIGMOID = ("bce", "b_focal", "dice", "f_tversky", "lovasz")


def disks(count, seed):
    """Two to four disks per image under noise half as strong as their contrast, 22 % in all."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIZE, :SIZE]
    labels = np.zeros((count, SIZE, SIZE), "int32")
    for label in labels:
        for _ in range(rng.integers(2, 5)):
            radius, (top, left) = rng.uniform(6, 14), rng.uniform(0, SIZE, 2)
            label[(y - top) ** 2 + (x - left) ** 2 <= radius**2] = 1
    images = labels + rng.normal(scale=0.5, size=labels.shape)
    return images[..., None].astype("float32"), labels


def dice(truth, predicted):
    return 2 * (truth & predicted).sum() / (truth.sum() + predicted.sum())


@functools.cache
def network(channels):
    """A U-Net of 7,490 weights (two channels) and its weights before any training."""
    keras.utils.set_random_seed(0)
    model = get_model("unet", channels, (SIZE, SIZE, 1), filters=8, levels=2)
    return model, model.get_weights()


def trained_dice(loss, channels=2, epochs=8):
    """Train with a loss, and return the Dice of the disks in images not trained on."""
    model, weights = network(channels)
    model.set_weights(weights)
    keras.utils.set_random_seed(0)
    images, labels = disks(32, seed=0)
    rate = keras.optimizers.schedules.CosineDecay(RATE, epochs * len(images) // BATCH)
    model.compile(keras.optimizers.Adam(rate), loss)
    model.optimizer.build(model.trainable_variables)  # TensorFlow then traces the step once.
    maps = np.stack([edge_weights(label) for label in labels]) if loss.pixel_weights else None
    model.fit(images, labels, BATCH, epochs, sample_weight=maps, verbose=0)
    images, labels = disks(16, seed=1)
    logits = keras.ops.convert_to_numpy(model(images, training=False))
    predicted = logits[..., -1] > (logits[..., 0] if channels == 2 else 0)
    return dice(labels == 1, predicted)


def test_the_best_threshold_has_a_dice_of_0_72():
    images, labels = disks(16, seed=1)
    found = [dice(labels == 1, images[..., 0] > t) for t in np.linspace(0, 1.5, 61)]
    assert max(found) == pytest.approx(0.72, abs=0.01)


def each(names, full):
    marks = {name: [pytest.mark.full] if name in full else [] for name in names}
    return pytest.mark.parametrize("name", [pytest.param(n, marks=marks[n]) for n in names])


@each(list_losses(), {*list_losses()} - {*EVERY_DAY})
def test_a_loss_trains_a_unet_beyond_a_dice_of_0_95(name):
    loss = get_loss(name, **OPTIONS.get(name, {}))
    assert trained_dice(loss, epochs=EPOCHS.get(name, 8)) > 0.95


@each(EPOCHS, EPOCHS)
def test_beside_dice_a_loss_of_distances_trains_as_fast_as_others(name):
    assert trained_dice(get_loss("dice") + 0.01 * get_loss(name)) > 0.95


@each(SIGMOID, SIGMOID[1:])
def test_a_loss_trains_a_unet_with_a_sigmoid_channel(name):
    assert trained_dice(get_loss(name), channels=1) > 0.95
