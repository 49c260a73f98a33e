"""A small model, its data and the logs of its training."""

import cv2
import keras
import numpy as np
import pytest
from keras import layers
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from kseg.metrics import SegmentationMetrics
from kseg.training.callbacks.tensorboard import TensorBoardLog

NAMES = ("ground", "road", "car/van")
VOID = 255


def compiled(outputs=1):
    x = keras.Input((None, None, 3))
    heads = {name: layers.Conv2D(3, 1, name=name)(x) for name in ("logits", "aux")[:outputs]}
    model = keras.Model(x, heads if outputs > 1 else heads["logits"])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    scores = SegmentationMetrics(3, ["iou_score"], ignore_class=VOID)
    model.compile(
        keras.optimizers.SGD(0.0),
        loss if outputs == 1 else {"logits": loss, "aux": loss},
        metrics=[scores] if outputs == 1 else {"logits": [scores]},
        jit_compile=False,
    )
    return model


@pytest.fixture(scope="module")
def model():
    return compiled()


@pytest.fixture(scope="module")
def data():
    """Training images and labels, and others for the validation."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, 16, 16, 3), np.uint8)
    labels = (images[..., 0] // 86).astype(np.uint8)
    return (images[:4], labels[:4]), (images[4:], labels[4:])


def log_of(folder, data, **options):
    return TensorBoardLog(folder, data[1], VOID, 4, **{"class_names": NAMES, **options})


def events(folder, part):
    return EventAccumulator(str(folder / part), {"images": 0, "scalars": 0}).Reload()


def points(folder, part, tag):
    return [(event.step, event.value) for event in events(folder, part).Scalars(tag)]


def picture(folder, part, tag):
    encoded = events(folder, part).Images(tag)[-1].encoded_image_string
    return cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def by_hand(callback, model, epochs, **logs):
    """Call a callback as `fit` does, without training."""
    callback.set_model(model)
    callback.on_train_begin()
    for epoch in epochs:
        callback.on_epoch_begin(epoch)
        callback.on_test_begin()
        callback.on_epoch_end(epoch, {"loss": epoch + 0.5, "val_loss": epoch + 0.25, **logs})


@pytest.fixture(scope="module")
def fitted(model, data, tmp_path_factory):
    """The log of two epochs in which the weights do not move, and the logs of Keras."""
    folder = tmp_path_factory.mktemp("log")
    log = log_of(folder, data, config_text="loss: ce\nepochs: 2\n")
    training, validation = data
    options = {"validation_data": validation, "batch_size": 2, "epochs": 2, "verbose": 0}
    return folder, model.fit(*training, callbacks=[log], **options).history
