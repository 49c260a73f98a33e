"""A loss is restored from its config with every option."""

import keras
import numpy as np
import pytest

from kseg.losses import CrossEntropy, Dice, list_losses
from kseg.losses.registry import known_options
from tests.losses.cases import build, takes, with_even_map
from tests.losses.images import IMAGES, LABELS


@pytest.mark.parametrize("name", list_losses())
def test_a_config_restores_a_loss(name):
    chosen = {
        "alpha": {"c_focal": [1.0, 2.0, 3.0]}.get(name, 0.6),
        **{"asymmetric": False, "background": 1, "beta": 0.8, "class_ids": [1, 2]},
        **{"class_weights": [1.0, 2.0, 0.5]},
        **{"delta": 0.7, "from_logits": False, "gamma": 0.3, "ignore_class": 255},
        **{"iterations": 5, "label_smoothing": 0.1, "min_kept": 0.2, "per_image": True},
        **{"sigma": 3.0, "smooth": 0.5, "threshold": 0.6, "w0": 4.0, "weight": 0.3},
    }
    assert known_options(name) <= set(chosen)
    loss = build(name, **{key: value for key, value in chosen.items() if takes(name, key)})
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert again.get_config() == loss.get_config()
    assert loss.get_config() != build(name).get_config()
    chances = np.exp(IMAGES) / np.exp(IMAGES).sum(-1, keepdims=True)
    values = [float(with_even_map(one)(LABELS, chances)) for one in (loss, again)]
    assert values[0] == values[1]


def test_configs_restore_every_option():
    options = {"ignore_class": -1, "class_weights": [1.0, 2.0, 3.0], "from_logits": False}
    options |= {"per_image": True}
    ce, dice = CrossEntropy(**options), Dice(**options, class_ids=[1], smooth=0.5)
    for loss in (ce, dice, 0.25 * ce + 3 * dice):
        data = keras.saving.serialize_keras_object(loss)
        assert keras.saving.deserialize_keras_object(data).get_config() == loss.get_config()
