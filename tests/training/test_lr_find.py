import csv

import cv2
import keras
import numpy as np
import pytest
from keras import layers

from kseg.training.lr_find import (
    RateTest,
    find_learning_rate,
    has_diverged,
    suggest_rate,
    write_rate_test,
)
from kseg.training.optimizers import make_optimizer
from kseg.training.schedules import make_schedule

JIT = keras.backend.backend() == "jax"
RATES = np.geomspace(1e-7, 1.0, 100)


def bowl(steepest=1e-3, width=1.0):
    """Losses that fall along a logistic curve, steepest at a rate of one's choice."""
    return 0.2 + 1 / (1 + np.exp((np.log(RATES) - np.log(steepest)) / width))


@pytest.mark.parametrize("steepest", [1e-5, 1e-3, 1e-2])
def test_the_suggestion_is_where_the_loss_falls_steepest(steepest):
    noise = np.random.default_rng(0).normal(0, 0.02, 100)
    ratio = suggest_rate(RATES, bowl(steepest) + noise) / steepest
    # A step is a factor of 10 ** (7 / 99) = 1.18.
    assert 0.5 < ratio < 2
    assert 0.8 < suggest_rate(RATES, bowl(steepest)) / steepest < 1.25


def test_batches_that_are_harder_than_others_do_not_lead_astray():
    harder = np.tile([1.0, 0.7, 0.9, 1.4], 25)
    assert 0.4 < suggest_rate(RATES, bowl(1e-3) * harder) / 1e-3 < 2.5


def test_what_comes_after_the_lowest_loss_does_not_count():
    losses = bowl(1e-4)
    losses[90:] = np.geomspace(1, 1e9, 10)
    assert 0.8 < suggest_rate(RATES, losses) / 1e-4 < 1.25


@pytest.mark.parametrize(
    "losses",
    [np.ones(100), np.linspace(1, 3, 100), 1 + np.random.default_rng(1).normal(0, 0.1, 100)],
    ids=["still", "rising", "noise"],
)
def test_a_loss_that_never_falls_is_refused(losses):
    with pytest.raises(ValueError, match="never fell between the rates 1e-07 and 1 .* wider range"):
        suggest_rate(RATES, losses)


def test_a_loss_that_grows_at_once_is_refused():
    with pytest.raises(ValueError, match="out of bounds at the rate .*: begin with a lower rate"):
        suggest_rate(RATES[:3], np.array([1.0, 2.0, 80.0]))


def test_the_test_ends_at_four_times_the_best_running_mean():
    # From 1, the mean with memory 0.9 is (0.9 * 1 * 0.1 + 0.1 * x) / 0.19 after one more value.
    assert not has_diverged([1.0])
    assert not has_diverged([1.0, 6.6])
    assert has_diverged([1.0, 6.8])
    assert not has_diverged([-1.0, -0.5])


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(16),
            layers.BatchNormalization(),
            layers.Dropout(0.1),
            layers.Dense(1),
        ]
    )


class Regression(keras.utils.PyDataset):
    """Four batches of a linear function; no end, as a data set of Keras may have none."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        images = np.random.default_rng(index % 4).normal(size=(128, 8)).astype("float32")
        return images, images.sum(1, keepdims=True)


def everything(model):
    variables = [*model.variables, *model.optimizer.variables]
    return [keras.ops.convert_to_numpy(variable).copy() for variable in variables]


@pytest.mark.parametrize("kind", ["schedule", "number", "scaled"])
def test_the_range_test_finds_a_rate_and_leaves_the_model_as_it_was(model, kind):
    rate = 0.1
    if kind == "schedule":
        rate = make_schedule("cosine", 0.1, steps_per_epoch=4, epochs=2)
    optimizer = make_optimizer("sgd", rate, accumulate=2 if kind == "number" else 1, ema=0.9)
    if kind == "scaled":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=2.0)
    model.compile(optimizer, "mse", jit_compile=JIT)
    batches = list(Regression()[i] for i in range(4)) if kind == "number" else Regression()
    model.train_on_batch(*batches[0])
    before = everything(model)
    result = find_learning_rate(model, batches, low=1e-5, high=10.0, steps=40)
    assert model.optimizer is optimizer
    for one, other in zip(before, everything(model), strict=True):
        np.testing.assert_array_equal(one, other)
    assert 1e-4 < result.suggestion < 1
    assert len(result.rates) == len(result.losses) <= 40
    np.testing.assert_allclose(result.rates, np.geomspace(1e-5, 10, 40)[: len(result.rates)])
    # It trains on as if nothing had been.
    model.train_on_batch(*batches[1])
    steps = int(optimizer.inner_optimizer.iterations if kind == "scaled" else optimizer.iterations)
    assert steps == (1 if kind == "number" else 2)


def test_a_model_comes_back_from_a_test_that_fails(model):
    model.compile(make_optimizer("sgd", 0.1), "mse", jit_compile=JIT)
    before = everything(model)
    used_up = iter([Regression()[0]])
    with pytest.raises(ValueError, match="ran out of batches: give a list or a data set"):
        find_learning_rate(model, used_up, steps=10)
    for one, other in zip(before, everything(model), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("options", [{"low": 0.0}, {"low": 2.0}, {"steps": 9}])
def test_a_bad_range_is_refused(model, options):
    with pytest.raises(ValueError, match="needs 0 < low < high and at least 10 steps, got low"):
        find_learning_rate(model, [], **options)


def test_the_result_is_written_as_a_table_and_a_picture(tmp_path):
    picture = write_rate_test(RateTest(RATES, bowl(), 1e-3), tmp_path)
    with (tmp_path / "lr_find.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["learning_rate"]) for row in rows] == RATES.tolist()
    assert [float(row["loss"]) for row in rows] == bowl().tolist()
    assert cv2.imread(str(picture)).std() > 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lr_find.csv", "lr_find.png"]
