"""Models with auxiliary heads and a boundary head are trained on all of them."""

import keras
import numpy as np
import pytest
from scipy import ndimage

from kseg.inference.predictor import Predictor
from kseg.losses import get_loss
from kseg.training import train
from kseg.training.heads import head_losses, head_truth, head_weights, label_edges
from tests.tiny import OPTIONS
from tests.training.cases import rows_of, settings

HEADS = ("logits", "aux1", "boundary")
PIDNET = {"aux_heads": True, **OPTIONS["pidnet_s"]}


def test_edges_are_what_a_plain_loop_finds():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, (2, 5, 5)).repeat(5, 1).repeat(5, 2).astype("uint8")
    labels[0, :6, :7] = 255
    expected = np.zeros_like(labels)
    for image, row, column in np.ndindex(labels.shape):
        window = labels[image, max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3]
        expected[image, row, column] = len(set(window[window != 255].tolist())) > 1
    expected[labels == 255] = 255
    np.testing.assert_array_equal(label_edges(labels, 255), expected)
    assert set(np.unique(label_edges(labels, 255))) == {0, 1, 255}


def test_an_even_image_has_no_edge():
    assert not label_edges(np.full((1, 9, 9), 3, np.uint8), 255).any()
    alone = np.full((1, 9, 9), 255, np.uint8)
    alone[0, 4, 4] = 1
    assert ndimage.maximum(label_edges(alone, 255), alone != 255) == 0


def test_each_head_has_its_truth_its_loss_and_its_weight():
    labels = np.zeros((1, 8, 8), np.uint8)
    labels[:, 4:] = 1
    truth = head_truth(HEADS, labels, 255)
    assert truth["logits"] is truth["aux1"] is labels
    assert truth["boundary"].sum() == 4 * 8
    assert head_weights(HEADS, 0.4) == {"logits": 1.0, "aux1": 0.4, "boundary": 1.0}
    losses = head_losses(HEADS, get_loss("dice", ignore_class=255), 255)
    assert [type(loss).__name__ for loss in losses.values()][:2] == ["Dice", "Dice"]
    assert losses["logits"] is not losses["aux1"]
    with pytest.raises(ValueError, match="leave mixup out of the augmentation"):
        head_truth(HEADS, np.zeros((1, 8, 8, 2), np.float32), 255)


@pytest.mark.parametrize(
    ("name", "options", "loss"),
    [
        pytest.param("pidnet_s", PIDNET, "ce", marks=pytest.mark.full),
        ("unet++", {"deep_supervision": True, "levels": 3, "filters": 4}, "edge_weighted_ce"),
    ],
)
def test_a_model_with_heads_is_trained_resumed_and_predicts(
    name, options, loss, parts_root, tmp_path
):
    changes = {"model_name": name, "model_options": options, "loss": loss, "epochs": 1}
    config = settings(parts_root, tmp_path, **changes)
    run = train(config)
    train(settings(parts_root, tmp_path, **changes | {"epochs": 2, "resume": "last"}))
    rows = rows_of(run.metrics)
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert {"iou_score", "val_iou_score", "loss", "logits_loss", "aux1_loss"} <= rows[0].keys()
    parts = [float(value) for key, value in rows[1].items() if key.endswith("_loss")]
    assert all(np.isfinite(parts))
    assert isinstance(keras.models.load_model(run.last, compile=False).output, dict)
    labels = Predictor.load(run.path).predict([np.zeros((40, 36, 3), np.uint8)])
    assert labels[0].shape == (40, 36)
