import keras
import numpy as np
import pytest
from keras import layers

from kseg.training.learning_rate import learning_rate_family, resolve_learning_rate
from kseg.training.optimizers import (
    DEFAULT_LEARNING_RATES,
    exclude_from_decay,
    make_optimizer,
)
from kseg.training.schedules import make_schedule

JIT = keras.backend.backend() == "jax"
each_name = pytest.mark.parametrize("name", DEFAULT_LEARNING_RATES)


def fitting(name, steps):
    """Losses of a 1x1 convolution fitted to another one, its gradients by hand."""
    rng = np.random.default_rng(0)
    pixels = rng.normal(size=(64, 4)).astype("float32")
    truth = pixels @ rng.normal(size=(4, 3)) + 1
    kernel = keras.Variable(rng.normal(size=(1, 1, 4, 3)), dtype="float32")
    bias = keras.Variable(np.zeros(3), dtype="float32")
    optimizer = make_optimizer(name, resolve_learning_rate(None, name, 4, "unet"))
    losses = []
    for _ in range(steps):
        error = pixels @ keras.ops.convert_to_numpy(kernel)[0, 0] - truth
        error += keras.ops.convert_to_numpy(bias)
        losses.append(float((error**2).mean()))
        slope = 2 * error / error.size
        gradients = (pixels.T @ slope)[None, None], slope.sum(0)
        optimizer.apply([keras.ops.array(g, "float32") for g in gradients], [kernel, bias])
    return losses


@each_name
def test_each_optimizer_lowers_a_loss_at_its_default_rate(name):
    losses = fitting(name, 15)
    assert losses[-1] < losses[0]


@each_name
def test_an_optimizer_with_its_schedule_survives_saving(name):
    rate = make_schedule("one_cycle", 0.1, steps_per_epoch=4, epochs=5)
    optimizer = make_optimizer(name, rate, weight_decay=0.01, clip_norm=2, accumulate=2, ema=0.9)
    saved = keras.saving.serialize_keras_object(optimizer)
    again = keras.saving.deserialize_keras_object(saved)
    assert type(again) is type(optimizer)
    assert again.get_config() == optimizer.get_config()
    assert again.get_config()["gradient_accumulation_steps"] == 2


def test_sgd_has_nesterov_momentum_and_clips_the_norm_over_all_weights():
    first, second = keras.Variable([0.0]), keras.Variable([0.0])
    optimizer = make_optimizer("SGD", 1.0, clip_norm=1.0)
    optimizer.apply([keras.ops.array([3.0]), keras.ops.array([4.0])], [first, second])
    # The norm 5 becomes 1; the first step is (1 + momentum) times the gradient.
    found = [float(variable[0]) for variable in (first, second)]
    np.testing.assert_allclose(found, [-1.9 * 0.6, -1.9 * 0.8], rtol=1e-6)


def test_accumulated_gradients_are_averaged_before_one_update():
    weight = keras.Variable([0.0])
    optimizer = make_optimizer("sgd", 1.0, accumulate=2)
    optimizer.apply([keras.ops.array([1.0])], [weight])
    assert float(weight[0]) == 0
    optimizer.apply([keras.ops.array([3.0])], [weight])
    assert float(weight[0]) == pytest.approx(-1.9 * 2)


@pytest.mark.parametrize("accumulate", [1, 2, 4])
def test_the_mean_of_the_weights_forgets_per_update_not_per_batch(accumulate):
    weight = keras.Variable([0.0])
    optimizer = make_optimizer("adam", 1e-3, accumulate=accumulate, ema=0.9)
    still = keras.ops.zeros(1)
    for _ in range(accumulate):
        optimizer.apply([still], [weight])
    weight.assign([1.0])
    for updates in (1, 2, 3):
        for _ in range(accumulate):
            optimizer.apply([still], [weight])
        (mean,) = optimizer._model_variables_moving_average
        assert float(mean[0]) == pytest.approx(1 - 0.9**updates, rel=1e-5)


@pytest.fixture
def small_model():
    model = keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            layers.Conv2D(4, 3, padding="same"),
            layers.BatchNormalization(),
            layers.SeparableConv2D(4, 3, padding="same"),
            layers.LayerNormalization(),
            layers.Reshape((16, 4)),
            layers.Dense(2),
        ]
    )
    for variable in model.trainable_variables:
        variable.assign(keras.ops.ones(variable.shape))
    return model


def shrink(model):
    """Names of the variables that a step without any gradient changes, and by what share."""
    before = [keras.ops.convert_to_numpy(v).copy() for v in model.trainable_variables]
    zeros = [keras.ops.zeros(v.shape) for v in model.trainable_variables]
    # On JAX, Keras' loss scaling works inside a compiled step only.
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    optimizer.apply(zeros, model.trainable_variables)
    shares = [
        float((1 - keras.ops.convert_to_numpy(v) / old).max())
        for v, old in zip(model.trainable_variables, before, strict=True)
    ]
    names = [variable.name for variable in model.trainable_variables]
    return {(name, round(share, 5)) for name, share in zip(names, shares, strict=True)}


DECAYED = {("kernel", 0.05), ("depthwise_kernel", 0.05), ("pointwise_kernel", 0.05)}
KEPT = {("bias", 0), ("gamma", 0), ("beta", 0)}


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_weight_decay_leaves_biases_and_normalisation_alone(small_model, name):
    small_model.compile(make_optimizer(name, 0.1, weight_decay=0.5), "mse")
    exclude_from_decay(small_model.optimizer, small_model)
    assert shrink(small_model) == DECAYED | KEPT


def test_the_decay_of_a_loaded_model_is_kept_to_kernels_again(small_model, tmp_path):
    small_model.compile(make_optimizer("sgd", 0.1, weight_decay=0.5), "mse")
    exclude_from_decay(small_model.optimizer, small_model)
    shrink(small_model)
    small_model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    exclude_from_decay(loaded.optimizer, loaded)
    found = {name: share for name, share in shrink(loaded) if share}
    # The second step has the momentum of the first, which was 0.
    assert found == dict(DECAYED)


def test_a_loss_scaling_optimizer_hands_the_exclusion_on(small_model):
    inner = make_optimizer("sgd", 0.1, weight_decay=0.5)
    small_model.compile(keras.optimizers.LossScaleOptimizer(inner), "mse")
    exclude_from_decay(small_model.optimizer, small_model)
    assert shrink(small_model) == DECAYED | KEPT


@pytest.mark.parametrize("name", ["adafactor", "lamb"])
def test_training_goes_on_from_a_file(small_model, tmp_path, name):
    rate = make_schedule("polynomial", 0.01, steps_per_epoch=2, epochs=4, options={"warm_up": 0.2})
    small_model.compile(make_optimizer(name, rate), "mse", jit_compile=JIT)
    images = np.random.default_rng(0).normal(size=(4, 4, 4, 3)).astype("float32")
    truth = np.zeros((4, 16, 2), "float32")
    small_model.fit(images, truth, batch_size=2, epochs=2, shuffle=False, verbose=0)
    small_model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for model in (small_model, loaded):
        model.fit(images, truth, batch_size=2, epochs=1, shuffle=False, verbose=0)
    for one, other in zip(small_model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert float(loaded.optimizer.learning_rate) == float(rate(6))


def test_ftrl_wipes_out_the_initial_weights_and_is_refused():
    weight = keras.Variable([1.0, -1.0])
    keras.optimizers.Ftrl(0.001).apply([keras.ops.full([2], 1e-3)], [weight])
    assert np.abs(keras.ops.convert_to_numpy(weight)).max() < 1e-3
    with pytest.raises(ValueError, match="'ftrl' does not suit .* wipes out the initial weights"):
        make_optimizer("ftrl", 0.1)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("adm", {}, "unknown optimizer 'adm': did you mean 'adam'"),
        ("muon", {}, "take adamw"),
        ("adam", {"weight_decay": -1}, "weight_decay must be at least 0, got -1"),
        ("adam", {"clip_norm": 0}, "clip_norm must be above 0, got 0"),
        ("adam", {"accumulate": 0}, "accumulate must be at least 1, got 0"),
        ("adam", {"ema": 1}, "ema must be at least 0 and below 1, got 1"),
    ],
)
def test_wrong_settings_are_refused_in_one_sentence(name, options, message):
    with pytest.raises(ValueError, match=message):
        make_optimizer(name, 0.1, **options)


@pytest.mark.parametrize(
    ("optimizer", "batch", "family", "expected"),
    [
        # batch / 16 times the rate, kept within the limits.
        ("sgd", 2, "unet", 1.25e-3),
        ("SGD", 8, "deeplab", 3.5e-3),
        ("sgd", 4, "deeplab", 1.75e-3),
        ("sgd", 16, "deeplab_xception", 7e-3),
        ("sgd", 1000, "unet", 1e-1),
        ("sgd", 1, "deeplab", 5e-4),
        ("adam", 2, "unet", 1e-4),
        ("adamw", 64, "unet", 1e-4),
        ("adam", 12, "deeplab", 3.75e-4),
        ("adam", 2, "deeplab", 3e-4),
        ("nadam", 64, "deeplab", 5e-4),
        ("adam", 16, "deeplab_xception", 1e-4),
        ("sgd", 2, "pyramid", 1.25e-3),
    ],
)
def test_the_automatic_rate_grows_with_the_batch_within_limits(optimizer, batch, family, expected):
    assert resolve_learning_rate("auto", optimizer, batch, family) == pytest.approx(expected)


def test_a_rate_that_is_given_or_left_out_does_not_depend_on_the_batch():
    assert resolve_learning_rate(3, "sgd", 2, "unet") == 3.0
    assert resolve_learning_rate(0.0, "lion", 2, "unet") == 0.0
    for name, rate in DEFAULT_LEARNING_RATES.items():
        assert resolve_learning_rate(None, name, 2, "deeplab") == rate


def test_rates_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="a number or 'auto', got 'high'"):
        resolve_learning_rate("high", "sgd", 2, "unet")
    with pytest.raises(ValueError, match="auto has no rule for Lion: it knows sgd, adam"):
        resolve_learning_rate("auto", "Lion", 2, "unet")
    with pytest.raises(ValueError, match="did you mean 'adam'"):
        resolve_learning_rate(None, "adaam", 2, "unet")


def test_the_family_of_a_model_names_xception():
    assert learning_rate_family("unet") == "unet"
    assert learning_rate_family("deeplab_v3_plus") == "deeplab"
    assert learning_rate_family("deeplab_v3_plus", "keras_xception") == "deeplab_xception"
    assert learning_rate_family("deeplab_v3_plus_xception") == "deeplab_xception"
