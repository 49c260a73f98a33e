"""Options of the training step: mean weights, accumulated gradients, precision."""

import keras
import numpy as np
import pytest
from keras import layers

from kseg.data import open_dataset
from kseg.data.batches import Batches
from kseg.inference.model_file import read_info
from kseg.metrics import SegmentationMetrics
from kseg.runs import RunFolder
from kseg.training import train
from kseg.training.averages import averaged_weights, settle_on_averages
from kseg.training.callbacks import StopAtNaN
from tests.training.cases import rows_of, settings


def small_model(**options):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.1, **options), "mse", run_eagerly=True)
    return model


def test_the_mean_of_the_weights_is_swapped_in_for_a_while_only():
    model, plain = small_model(use_ema=True, ema_momentum=0.75), small_model()
    rng = np.random.default_rng(0)
    mean = None
    for _ in range(5):
        x, y = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
        model.train_on_batch(x, y)
        plain.train_on_batch(x, y)
        weights = plain.get_weights()
        # The mean begins with the weights after the first update.
        mean = [0.75 * m + 0.25 * w for m, w in zip(mean or weights, weights, strict=True)]
    with averaged_weights(model) as averaged:
        assert averaged
        for mine, expected in zip(model.get_weights(), mean, strict=True):
            np.testing.assert_allclose(mine, expected, atol=1e-6)
    for mine, expected in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(mine, expected, atol=1e-6)
    settle_on_averages(model)
    np.testing.assert_allclose(model.get_weights()[0], mean[0], atol=1e-6)
    with averaged_weights(plain) as averaged:
        assert not averaged


def test_the_best_checkpoint_has_the_mean_that_was_validated(parts_root, tmp_path):
    changes = {"ema": 0.9, "accumulate": 2, "clip_norm": 1.0, "optimizer_name": "adamw"}
    run = train(settings(parts_root, tmp_path / "a", **changes, epochs=1, weight_decay=0.01))
    best, last = (keras.models.load_model(path, compile=False) for path in (run.best, run.last))
    assert not np.array_equal(best.get_weights()[0], last.get_weights()[0])
    dataset = open_dataset("parts", parts_root)
    images, labels = Batches(dataset, dataset.val, 4, (32, 32)).batch(0, 0)
    scores = SegmentationMetrics(2, ["iou_score"], ignore_class=255)
    scores.update_state(labels, best.predict(images, verbose=0))
    assert read_info(run.best).best_score == pytest.approx(float(scores.result()["iou_score"]))


def test_all_options_together_survive_resuming_to_the_bit(parts_root, tmp_path):
    # 4 batches per epoch and sums of 3: an epoch ends in the middle of a sum.
    changes = {"ema": 0.9, "accumulate": 3, "clip_norm": 1.0, "optimizer_name": "adamw"}
    changes |= {"weight_decay": 0.01, "lr_schedule": "one_cycle"}
    changes |= {"model_options": {"filters": 4, "levels": 2, "dropout": 0.3}, "epochs": 3}
    expected = train(settings(parts_root, tmp_path / "whole", **changes))
    run = stopped_after_one_epoch(settings(parts_root, tmp_path / "parts", **changes))
    train(settings(parts_root, tmp_path / "parts", **changes, resume="last"))
    assert [row["epoch"] for row in rows_of(run.metrics)] == ["1", "2", "3"]
    mine, theirs = (keras.models.load_model(one.last) for one in (run, expected))
    for one, other in zip(mine.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(mine.optimizer.variables, theirs.optimizer.variables, strict=True):
        np.testing.assert_array_equal(np.array(one), np.array(other))


def stopped_after_one_epoch(config):
    """A run whose process ends while its second epoch is under way."""

    class Killed(BaseException):
        pass

    class Kill(StopAtNaN):
        def on_epoch_begin(self, epoch, logs=None):
            super().on_epoch_begin(epoch, logs)
            if epoch == 1:
                raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kseg.training.fitting.StopAtNaN", Kill)
        with pytest.raises(Killed):
            train(config)
    return RunFolder(config.run_path)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_layers_compute_in_the_chosen_precision(precision, parts_root, tmp_path):
    before = keras.config.dtype_policy().name
    run = train(settings(parts_root, tmp_path, precision=precision, epochs=1))
    assert keras.config.dtype_policy().name == before
    model = keras.models.load_model(run.last)
    kinds = {layer.compute_dtype for layer in model.layers if isinstance(layer, layers.Conv2D)}
    assert precision.removeprefix("mixed_") in kinds
    assert model.output.dtype == "float32"
    scaled = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (precision == "mixed_float16")
    assert float(rows_of(run.metrics)[0]["loss"]) > 0
