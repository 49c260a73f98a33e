import keras
import numpy as np
import pytest
from keras.optimizers.schedules import LearningRateSchedule, deserialize, serialize

from kseg.training.schedule_options import SCHEDULES, schedule_options
from kseg.training.schedules import OneCycle, make_schedule

TOTAL = 40


def make(name, peak=0.1, steps_per_epoch=4, epochs=10, **options):
    return make_schedule(
        name, peak, steps_per_epoch=steps_per_epoch, epochs=epochs, options=options
    )


def rates(schedule, count=TOTAL):
    return np.array([float(schedule(step)) for step in range(count)])


def torch_rates(name, count=TOTAL, **options):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    schedule = getattr(torch.optim.lr_scheduler, name)(optimizer, **options)
    found = []
    for _ in range(count):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step() if len(found) < count else None
    return np.array(found)


@pytest.mark.parametrize("name", ["constant", "plateau"])
def test_a_rate_that_stays_the_same_is_a_number_that_can_be_set(name):
    assert make(name) == 0.1
    optimizer = keras.optimizers.SGD(make(name))
    optimizer.learning_rate = 0.05
    assert float(optimizer.learning_rate) == pytest.approx(0.05)


def test_the_default_steps_are_the_seeds_ten_down_to_a_hundredth():
    epochs = np.repeat(np.arange(10), 4)
    expected = 0.1 * (0.01 ** (1 / 9)) ** epochs
    np.testing.assert_allclose(rates(make("step")), expected, rtol=1e-6)
    # The first three of the seeds at 1e-4, to four digits.
    per_epoch = rates(make("step", peak=1e-4))[::4]
    np.testing.assert_allclose(per_epoch[:3], [1e-4, 5.995e-5, 3.594e-5], rtol=1e-3)
    assert per_epoch[9] == pytest.approx(1e-6)


def test_steps_fall_after_the_given_epochs():
    expected = np.repeat([0.1, 0.01, 0.001], [3 * 4, 4 * 4, 3 * 4])
    found = make_schedule(
        "step", 0.1, steps_per_epoch=4, epochs=10, options={"epochs": [3, 7], "warm_up": 0.1}
    )
    np.testing.assert_allclose(rates(found)[4:], expected[4:], rtol=1e-6)
    np.testing.assert_allclose(rates(found)[:4], [0, 0.025, 0.05, 0.075], rtol=1e-6)


def test_cosine_warms_up_in_a_twentieth_and_ends_at_a_hundredth():
    step = np.arange(TOTAL)
    # Two of forty batches warm up; the wave has the 38 others.
    wave = 0.1 * (0.01 + 0.99 * (1 + np.cos(np.pi * (step - 2) / 38)) / 2)
    expected = np.where(step < 2, 0.05 * step, wave)
    np.testing.assert_allclose(rates(make("cosine")), expected, rtol=1e-5)
    assert float(make("cosine")(1000)) == pytest.approx(1e-3)


def test_cosine_without_warm_up_is_that_of_torch():
    expected = torch_rates("CosineAnnealingLR", T_max=TOTAL, eta_min=0.02)
    np.testing.assert_allclose(rates(make("cosine", warm_up=0, end=0.2)), expected, rtol=1e-5)


@pytest.mark.parametrize("power", [0.9, 2.0])
def test_polynomial_is_that_of_torch(power):
    expected = torch_rates("PolynomialLR", total_iters=TOTAL, power=power)
    np.testing.assert_allclose(rates(make("polynomial", power=power)), expected, rtol=1e-5)


def test_polynomial_takes_the_whole_rate_after_its_warm_up():
    step = np.arange(TOTAL)
    rest = 0.01 + 0.09 * (1 - np.maximum(step - 10, 0) / 30) ** 0.9
    expected = np.where(step < 10, 0.01 * step, rest)
    found = make("polynomial", warm_up=0.25, end=0.1)
    np.testing.assert_allclose(rates(found), expected, rtol=1e-5)


def test_constant_can_warm_up():
    expected = np.minimum(np.arange(TOTAL) * 0.1 / 20, 0.1)
    np.testing.assert_allclose(rates(make("constant", warm_up=0.5)), expected, rtol=1e-5)


@pytest.mark.parametrize(
    "options", [{}, {"pct_start": 0.45, "div": 10.0, "final_div": 50.0}], ids=["plain", "own"]
)
def test_one_cycle_is_that_of_torch(options):
    words = {"pct_start": "pct_start", "div": "div_factor", "final_div": "final_div_factor"}
    translated = {words[key]: value for key, value in options.items()}
    expected = torch_rates("OneCycleLR", max_lr=0.1, total_steps=TOTAL, **translated)
    np.testing.assert_allclose(rates(make("one_cycle", **options)), expected, rtol=2e-5)


def test_one_cycle_runs_from_the_low_rate_over_the_peak_to_nearly_nothing():
    schedule = OneCycle(0.1, 101, pct_start=0.5)
    # 0.5 * 101 - 1 = 49.5 batches up, 50.5 down.
    assert float(schedule(0)) == pytest.approx(0.1 / 25)
    assert float(schedule(49.5)) == pytest.approx(0.1)
    assert float(schedule(100)) == float(schedule(5000)) == pytest.approx(0.1 / 25 / 1e4, rel=1e-3)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_the_shortest_runs_have_rates_too(name, epochs):
    schedule = make(name, steps_per_epoch=1, epochs=epochs)
    if isinstance(schedule, LearningRateSchedule):
        found = rates(schedule, epochs + 1)
        assert np.isfinite(found).all()
        assert (found >= 0).all()
        assert found.max() <= 0.1 * (1 + 1e-6)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("constant", {"warm_up": 0.2}),
        ("step", {}),
        ("step", {"epochs": [5], "warm_up": 0.1}),
        ("cosine", {}),
        ("polynomial", {}),
        ("polynomial", {"warm_up": 0.1}),
        ("one_cycle", {}),
    ],
)
def test_a_schedule_survives_saving_with_its_optimizer(name, options):
    schedule = make_schedule(name, 0.1, steps_per_epoch=4, epochs=10, options=options)
    again = deserialize(serialize(schedule))
    assert type(again) is type(schedule)
    np.testing.assert_array_equal(rates(again), rates(schedule))
    assert keras.backend.standardize_dtype(schedule(3).dtype) == "float32"
    optimizer = keras.optimizers.SGD(schedule)
    restored = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    restored.iterations.assign(17)
    assert float(restored.learning_rate) == rates(schedule)[17]


@pytest.mark.parametrize("name", ["cosine", "polynomial", "one_cycle", "step"])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_an_optimizer_goes_through_the_whole_schedule_with_or_without_accumulation(
    name, accumulate
):
    schedule = make_schedule(name, 0.1, steps_per_epoch=4, epochs=5, accumulate=accumulate)
    steps = accumulate if accumulate > 1 else None
    optimizer = keras.optimizers.SGD(schedule, gradient_accumulation_steps=steps)
    weight = keras.Variable([0.0])
    values = [0.0]
    for _ in range(20):
        optimizer.apply([keras.ops.ones(1)], [weight])
        values.append(float(weight[0]))
    assert int(optimizer.iterations) == 20 // accumulate
    taken = -np.diff(values)
    updates = np.arange(20) % accumulate == accumulate - 1
    np.testing.assert_allclose(taken[updates], rates(schedule, 20)[updates], atol=1e-6)
    np.testing.assert_array_equal(taken[~updates], 0)


def test_a_warm_up_has_one_update_at_least():
    schedule = make_schedule("cosine", 0.1, steps_per_epoch=4, epochs=5, accumulate=4)
    np.testing.assert_allclose(rates(schedule, 5), [0, 0.025, 0.05, 0.075, 0.1], rtol=1e-6)


def test_a_run_without_an_update_is_refused():
    with pytest.raises(ValueError, match="4 batches, but an update needs 8: lower --accumulate"):
        make_schedule("constant", 0.1, steps_per_epoch=4, epochs=1, accumulate=8)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("cosin", {}, "unknown learning rate schedule 'cosin': did you mean 'cosine'"),
        ("polynomial", {"powr": 2}, "has no option 'powr': did you mean 'power'"),
        ("one_cycle", {"warm_up": 0.1}, "has no option 'warm_up': .*known are pct_start, div"),
        ("cosine", {"warm_up": 0.6}, "warm_up of the schedule 'cosine' must be from 0 to 0.5"),
        ("cosine", {"end": "low"}, "end of .* must be from 0 to 1, got 'low'"),
        ("one_cycle", {"pct_start": 1}, "pct_start of .* must be above 0, below 1, got 1"),
        ("step", {"epochs": [5, 3]}, "epochs of .* must be rising numbers of finished epochs"),
        ("step", {"epochs": [5, 10]}, r"is \[5, 10\], but the run has 10 epochs"),
        (
            "step",
            {"epochs": [1], "warm_up": 0.2},
            "8 batches, past epoch 1, .* lower warm_up",
        ),
        ("plateau", {"patience": 0}, "patience of .* a whole number of at least 1, got 0"),
        ("plateau", {"patience": True}, "patience of .* a whole number"),
    ],
)
def test_wrong_options_are_refused_in_one_sentence(name, options, message):
    with pytest.raises(ValueError, match=message) as caught:
        make_schedule(name, 0.1, steps_per_epoch=4, epochs=10, options=options)
    assert "\n" not in str(caught.value)


def test_options_that_are_not_given_are_the_defaults():
    found = schedule_options("plateau", {"patience": 3, "factor": None})
    assert found == {"factor": 0.1, "patience": 3, "min_rate": 0.0}
