import math
import subprocess
import sys

import keras
import numpy as np
import pytest

from kseg.losses import CrossEntropy, Dice, WeightedSum, get_loss, list_losses, register
from kseg.losses.registry import known_options
from tests.losses.cases import build, takes, with_even_map
from tests.losses.gradients import gradient

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(4, 8, 8, 3)).astype("float32")
LABELS = IMAGES.argmax(-1)


def small_model():
    return keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(3, 1)])


@pytest.mark.parametrize("name", list_losses())
def test_gradient_is_exactly_0_at_void_pixels_only(name):
    labels = LABELS.copy()
    labels[:, :3] = 255
    found = gradient(with_even_map(build(name, ignore_class=255)), labels, IMAGES)
    assert (found[:, :3] == 0).all()
    assert np.isfinite(found).all()
    # Easy pixels have none in ohem_ce, and pixels far from every error next to none.
    hard = 0.2 if name == "ohem_ce" else 1.0
    assert (found[:, 3:] != 0).mean() >= hard


@pytest.mark.parametrize("name", list_losses())
def test_gradient_without_valid_pixels_is_0(name):
    loss = with_even_map(build(name, ignore_class=255))
    assert (gradient(loss, np.full_like(LABELS, 255), IMAGES) == 0).all()


@pytest.mark.parametrize("factor", [0.0, 1e4])
@pytest.mark.parametrize("name", list_losses())
def test_gradient_is_finite_at_flat_perfect_and_all_wrong_predictions(name, factor):
    loss = with_even_map(build(name))
    right = factor * np.where(LABELS[..., None] == np.arange(3), 1, -1).astype("float32")
    for scores in (right, -right):
        assert np.isfinite(gradient(loss, LABELS, scores)).all()


@pytest.mark.parametrize("name", list_losses())
def test_gradient_equals_differences_of_the_value(name):
    # A step along the gradient g changes the value by the step's length times |g|².
    loss = with_even_map(build(name))
    labels, logits = LABELS[:2], 0.5 * IMAGES[:2]
    found = gradient(loss, labels, logits).astype("float64")
    # hausdorff jumps where the most likely class of a pixel changes: not within this step.
    step = (1e-3 if name == "hausdorff" else 0.02) / np.abs(found).max()
    ends = [float(loss(labels, (logits + s * step * found).astype("float32"))) for s in (-1, 1)]
    expected = 2 * step * (found**2).sum()
    assert ends[1] - ends[0] == pytest.approx(expected, rel=2e-2)


def test_gradient_of_ce_is_p_minus_truth_over_pixels():
    # d ce / d x = (softmax(x) - one-hot) / number of pixels
    chances = np.exp(IMAGES) / np.exp(IMAGES).sum(-1, keepdims=True)
    expected = (chances - np.eye(3)[LABELS]) / LABELS.size
    found = gradient(get_loss("ce"), LABELS, IMAGES)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)


# Sorting, erosions, distances, counts of pixels, and a sum.
COMPILED = ("boundary", "ce", "ce_dice", "cl_dice", "lovasz", "ohem_ce", "unified_focal")


@pytest.mark.parametrize(
    "name",
    [
        name if name in COMPILED else pytest.param(name, marks=pytest.mark.full)
        for name in list_losses()
    ],
)
def test_fit_lowers_the_loss_under_jit(name):
    keras.utils.set_random_seed(0)
    model = small_model()
    # torch.compile takes half a minute of C++ for this model.
    jit = keras.backend.backend() != "torch"
    loss = build(name)
    data = {"x": IMAGES, "y": LABELS, "verbose": 0}
    if loss.pixel_weights:
        data["sample_weight"] = np.ones(LABELS.shape)
    model.compile(optimizer=keras.optimizers.Adam(0.1), loss=loss, jit_compile=jit)
    before = model.evaluate(**data)
    model.fit(**data, epochs=8)
    assert model.evaluate(**data) < 0.9 * before


def test_float16_outputs_of_a_model_are_summed_in_float32():
    # 4 * 256 * 256 pixels are more than float16 can count (65504).
    images = np.tile(IMAGES, (1, 32, 32, 1))
    layer = keras.layers.Conv2D(3, 1, dtype="mixed_float16")
    model = keras.Sequential([keras.Input((None, None, 3)), layer])
    model.compile(loss=get_loss("ce_dice"))
    logits = model.predict(images, verbose=0)
    expected = float(get_loss("ce_dice")(images.argmax(-1), logits.astype("float32")))
    assert logits.dtype == np.float16
    assert model.evaluate(images, images.argmax(-1), verbose=0) == pytest.approx(expected, rel=1e-3)


def test_loss_is_float32_whatever_floatx():
    old = keras.config.floatx()
    keras.config.set_floatx("float16")
    try:
        loss = get_loss("dice")(LABELS, IMAGES.astype("float16"))
    finally:
        keras.config.set_floatx(old)
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"


def test_mean_sample_weight_multiplies_the_loss():
    loss = get_loss("ce_dice")
    weights = np.array([1.0, 0.0, 2.0, 3.0], "float32")
    plain = float(loss(LABELS, IMAGES))
    assert float(loss(LABELS, IMAGES, sample_weight=weights)) == pytest.approx(1.5 * plain)


def test_losses_add_up_and_scale():
    ce, dice = get_loss("ce"), get_loss("dice")
    both = 0.5 * ce + (dice + ce) * 2
    expected = 2.5 * float(ce(LABELS, IMAGES)) + 2 * float(dice(LABELS, IMAGES))
    assert both.weights == [0.5, 2.0, 2.0]
    assert float(both(LABELS, IMAGES)) == pytest.approx(expected)
    assert float(sum([ce, dice])(LABELS, IMAGES)) == pytest.approx(
        float(get_loss("ce_dice")(LABELS, IMAGES))
    )


def test_losses_of_keras_join_a_sum():
    theirs = keras.losses.CategoricalCrossentropy(from_logits=True)
    truth = np.eye(3, dtype="float32")[LABELS]
    ours = float(get_loss("ce")(LABELS, IMAGES))
    for both in (theirs + get_loss("ce"), get_loss("ce") + theirs):
        assert float(both(truth, IMAGES)) == pytest.approx(2 * ours, rel=1e-5)


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


def test_a_map_of_weights_is_a_weighted_mean_over_pixels():
    # The mean with weights 0 and 1 is the mean over the pixels of weight 1.
    weights = (np.arange(8) < 4) * np.ones(LABELS.shape, "float32")
    kept = np.where(weights > 0, LABELS, 255)
    expected = float(get_loss("ce", ignore_class=255)(kept, IMAGES))
    for form in (weights, weights[..., None]):
        found = float(get_loss("edge_weighted_ce")(LABELS, IMAGES, sample_weight=form))
        assert found == pytest.approx(expected, rel=1e-6)


def test_in_a_sum_the_losses_over_pixels_take_the_map_of_weights():
    weights = RNG.random(LABELS.shape).astype("float32")
    both = get_loss("edge_weighted_ce", w0=5) + 2 * get_loss("dice")
    assert both.pixel_weights == {"w0": 5.0, "sigma": 5.0, "background": 0}
    expected = float(get_loss("ce")(LABELS, IMAGES, sample_weight=weights))
    expected += 2 * float(get_loss("dice")(LABELS, IMAGES))
    assert float(both(LABELS, IMAGES, sample_weight=weights)) == pytest.approx(expected, rel=1e-6)


def test_fit_passes_the_map_of_weights_on():
    model = small_model()
    model.compile(loss=get_loss("edge_weighted_ce") + get_loss("dice"))
    weights = RNG.random(LABELS.shape).astype("float32")
    found = model.evaluate(IMAGES, LABELS, sample_weight=weights, verbose=0)
    expected = float(model.loss(LABELS, model.predict(IMAGES, verbose=0), sample_weight=weights))
    assert found == pytest.approx(expected, rel=1e-5)


def test_configs_restore_every_option():
    options = {"ignore_class": -1, "class_weights": [1.0, 2.0, 3.0], "from_logits": False}
    options |= {"per_image": True}
    ce, dice = CrossEntropy(**options), Dice(**options, class_ids=[1], smooth=0.5)
    for loss in (ce, dice, 0.25 * ce + 3 * dice):
        data = keras.saving.serialize_keras_object(loss)
        assert keras.saving.deserialize_keras_object(data).get_config() == loss.get_config()


def test_compiled_model_loads_in_a_fresh_process(tmp_path):
    model = small_model()
    loss = get_loss("ce", ignore_class=255) + 0.5 * get_loss("dice", class_ids=[1, 2])
    model.compile(loss=loss)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", x=IMAGES, y=LABELS)
    script = (
        "import keras, numpy, kseg.losses\n"
        "model = keras.models.load_model('model.keras')\n"
        "data = numpy.load('data.npz')\n"
        "print(repr(model.evaluate(data['x'], data['y'], verbose=0)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    expected = model.evaluate(IMAGES, LABELS, verbose=0)
    assert float(run.stdout.split()[-1]) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: get_loss("dise"), "did you mean 'dice'"),
        (lambda: get_loss("ce", smooth=1), "Unknown option of loss 'ce': 'smooth'"),
        (lambda: get_loss("dice", smoth=1), "did you mean 'smooth'"),
        (lambda: get_loss("dice", smooth=-1), "smooth must be at least 0, got -1"),
        (lambda: get_loss("ce", class_weights=[1, -2]), "class_weights must be at least 0"),
        (lambda: get_loss("ce", class_weights=[0, 0]), "not all 0"),
        (lambda: get_loss("ce", ignore_class=1.5), "ignore_class takes whole numbers, got 1.5"),
        (lambda: get_loss("dice", class_ids=[]), "class_ids needs classes"),
        (lambda: -1 * get_loss("ce"), "Weights of losses must be at least 0"),
        (lambda: WeightedSum([]), "got 0 losses"),
        (lambda: register("ce")(CrossEntropy), "registered twice"),
        (lambda: get_loss("weighted_ce"), "weighted_ce needs class_weights"),
        (lambda: get_loss("ce", class_weights="enet"), "--class_weights enet"),
        (lambda: get_loss("ce", label_smoothing=2), "at least 0 and at most 1, got 2"),
        (lambda: get_loss("tversky", beta=0), "beta must be above 0, got 0"),
        (lambda: get_loss("tversky", alpha=math.nan), "alpha must be at least 0, got nan"),
        (lambda: get_loss("c_focal", alpha=[-1, 1]), "alpha must be at least 0"),
        (lambda: get_loss("b_focal", alpha=2), "alpha must be at least 0 and at most 1, got 2"),
        (lambda: get_loss("c_focal", gamma="2"), "gamma must be at least 0, got '2'"),
        (lambda: get_loss("ohem_ce", threshold=0), "threshold must be above 0 and at most 1"),
        (lambda: get_loss("cl_dice", iterations=2.5), "iterations takes whole numbers, got 2.5"),
        (lambda: get_loss("unified_focal", weight=2), "weight must be at least 0 and at most 1"),
        (lambda: get_loss("unified_focal", gama=1), "did you mean 'gamma'"),
        (
            lambda: get_loss("edge_weighted_ce") + get_loss("edge_weighted_ce", sigma=2),
            "one map of weights, but its losses need",
        ),
    ],
)
def test_bad_options_get_one_sentence(build, sentence):
    with pytest.raises(ValueError, match=sentence):
        build()


@pytest.mark.parametrize(
    ("options", "labels", "sentence"),
    [
        ({"class_weights": [1, 2]}, LABELS, "class_weights has 2 entries, .* 3 classes"),
        ({}, LABELS[:, :4], "y_true of shape .* does not fit y_pred"),
        ({}, LABELS[0], "y_true of shape .* does not fit y_pred"),
        ({}, np.eye(4)[LABELS], "y_true has 4 channels, y_pred has 3 classes"),
        ({}, LABELS + 1, "y_true holds 3, but labels are 0 to 2"),
        ({"ignore_class": 255}, LABELS - 1, "y_true holds -1, but labels are 0 to 2, or .*255"),
        ({}, LABELS + 0.5, "y_true holds"),
        ({}, np.eye(3)[LABELS] * 0.9, "y_true holds 0.9, but the channels of one-hot truth are"),
        ({}, np.eye(3)[LABELS] * 2 - 0.5, "y_true holds -0.5, but the channels of one-hot"),
    ],
)
def test_bad_batches_get_one_sentence(options, labels, sentence):
    with pytest.raises(ValueError, match=sentence):
        get_loss("ce_dice", **options)(labels, IMAGES)


@pytest.mark.parametrize(
    ("name", "weights", "sentence"),
    [
        ("edge_weighted_ce", None, "needs a map of weights"),
        ("edge_weighted_ce", np.ones(4), "needs a map of weights"),
        ("ce", np.ones((4, 8, 7)), "sample_weight of shape .* one number per image, or one per"),
        ("ce", -np.ones(LABELS.shape), "holds negative or NaN values"),
        ("dice", np.ones(LABELS.shape), "Dice compares regions and takes no map of weights"),
    ],
)
def test_bad_maps_of_weights_get_one_sentence(name, weights, sentence):
    with pytest.raises(ValueError, match=sentence):
        get_loss(name)(LABELS, IMAGES, sample_weight=weights)


def test_alpha_of_the_wrong_length_gets_one_sentence():
    with pytest.raises(ValueError, match="alpha has 2 entries, the prediction has 3 classes"):
        get_loss("c_focal", alpha=[1, 2])(LABELS, IMAGES)


def test_class_ids_beyond_the_prediction_get_one_sentence():
    with pytest.raises(ValueError, match="class_ids holds 3, the prediction has 3 classes"):
        get_loss("dice", class_ids=[3])(LABELS, IMAGES)


def test_labels_beyond_the_classes_are_void_in_compiled_code():
    if keras.backend.backend() == "torch":
        pytest.skip("torch runs eagerly and raises")
    labels, void = LABELS.copy(), LABELS.copy()
    labels[:, :3], void[:, :3] = 7, 255
    model = small_model()
    model.compile(loss=get_loss("ce_dice", ignore_class=255))
    found = model.evaluate(IMAGES, labels, verbose=0)
    assert found == pytest.approx(model.evaluate(IMAGES, void, verbose=0))
