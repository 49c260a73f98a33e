import keras
import numpy as np
import pytest

from kseg.training.callbacks import MetricsCsv, read_metrics
from kseg.training.optimizers import make_optimizer
from kseg.training.plateau import Plateau, stands_still

JIT = keras.backend.backend() == "jax"


def rates_over(values, mode="max", optimizer=None, earlier=(), **options):
    """The rate after each epoch whose value is given; `earlier` are values of another phase."""
    optimizer = optimizer or make_optimizer("sgd", 1.0)
    rows = [{"epoch": epoch + 1, "val_score": value} for epoch, value in enumerate(earlier)]
    options["first_epoch"] = len(rows)
    rates = []
    callback = Plateau(lambda: rows, "val_score", mode, **options)
    callback.set_model(type("Model", (), {"optimizer": optimizer})())
    for epoch, value in enumerate(values, len(rows)):
        rows.append({"epoch": epoch + 1, "val_score": value})
        callback.on_epoch_end(epoch)
        rates.append(float(optimizer.learning_rate))
    return rates


def test_the_rate_falls_after_patience_epochs_without_a_better_value():
    # Best at epoch 2; 3 and 4 wait, again 5 and 6; 7 is better; 8 and 9 wait.
    values = [0.1, 0.5, 0.5, 0.4, 0.3, 0.4, 0.6, 0.2, 0.2]
    expected = [1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]
    assert rates_over(values, factor=0.5, patience=2) == expected
    assert rates_over([-v for v in values], "min", factor=0.5, patience=2) == expected


def test_the_rate_falls_where_that_of_keras_does():
    values = np.random.default_rng(0).normal(size=40).tolist()
    optimizer = make_optimizer("sgd", 1.0)
    model = type("Model", (), {"optimizer": optimizer})()
    theirs = keras.callbacks.ReduceLROnPlateau(
        "val_score", mode="max", factor=0.5, patience=3, min_delta=0, min_lr=0.01
    )
    theirs.set_model(model)
    theirs.on_train_begin()
    expected = []
    for epoch, value in enumerate(values):
        theirs.on_epoch_end(epoch, {"val_score": value})
        expected.append(float(optimizer.learning_rate))
    found = rates_over(values, factor=0.5, patience=3, min_rate=0.01)
    assert found == expected
    assert found[-1] == pytest.approx(0.01)


def test_a_rate_below_the_lowest_stays():
    optimizer = make_optimizer("sgd", 1e-3)
    assert rates_over([0.0, 0.0], optimizer=optimizer, patience=1, min_rate=0.1)[-1] < 2e-3


def test_nan_is_never_better():
    nan = float("nan")
    assert stands_still([nan, nan], 2)
    assert not stands_still([nan, nan, 1.0], 2)
    assert stands_still([1.0, nan], 1)


def test_epochs_of_an_earlier_phase_do_not_count():
    found = rates_over([0.1, 0.2, 0.2, 0.2], earlier=[0.9, 0.9], factor=0.5, patience=2)
    assert found == [1, 1, 1, 0.5]


def training_of(folder, model, epochs, first=0):
    images, truth = np.ones((2, 3), "float32"), np.zeros((2, 1), "float32")
    log = MetricsCsv(folder / "metrics.csv", first)
    plateau = Plateau(log, "loss", "max", factor=0.5, patience=2)
    model.fit(
        *(images, truth),
        epochs=epochs,
        initial_epoch=first,
        callbacks=[log, plateau],
        shuffle=False,
        verbose=0,
    )
    model.save(folder / "model.keras")
    return [row["learning_rate"] for row in read_metrics(folder / "metrics.csv")]


def test_a_resumed_run_lowers_the_rate_as_the_uninterrupted_one(tmp_path):
    # The loss falls all the time, so that its highest value stays the first one.
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(make_optimizer("sgd", 0.01), "mse", jit_compile=JIT)
    start = model.get_weights()
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    expected = training_of(whole, model, 6)
    np.testing.assert_allclose(expected, [0.01, 0.01, 0.01, 0.005, 0.005, 0.0025], rtol=1e-6)
    again = keras.models.clone_model(model)
    again.set_weights(start)
    again.compile(make_optimizer("sgd", 0.01), "mse", jit_compile=JIT)
    training_of(parts, again, 4)
    resumed = keras.models.load_model(parts / "model.keras")
    assert training_of(parts, resumed, 6, first=4) == expected
    for one, other in zip(model.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_wrong_place_or_column_is_refused():
    rows = [{"epoch": 1, "loss": 0.5}]
    with pytest.raises(ValueError, match="no row of epoch 2: it must come after MetricsCsv"):
        Plateau(lambda: rows, "loss", "min").on_epoch_end(1)
    with pytest.raises(ValueError, match="no 'val_loss' in the metrics, which have: epoch, loss"):
        Plateau(lambda: rows, "val_loss", "min").on_epoch_end(0)


def test_wrong_options_are_refused():
    with pytest.raises(ValueError, match="mode of Plateau must be 'max' or 'min', got 'auto'"):
        Plateau(list, "loss", "auto")
    with pytest.raises(ValueError, match="factor of .* must be above 0, below 1, got 2"):
        Plateau(list, "loss", "min", factor=2)
