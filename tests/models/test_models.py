"""What must hold for every registered model; `KERAS_BACKEND` chooses where it is checked."""

import functools
import importlib.util
from pathlib import Path

import keras
import numpy as np
import pytest

from kseg.layers.unpool import MaxPoolWithIndices
from kseg.models import get_model, list_models, model_spec, without_aux_heads
from kseg.models.cost import count_macs
from kseg.models.registry import option_names
from tests.conftest import ROOT
from tests.models.paper_counts import PAPER_COUNTS
from tests.tiny import tiny_options

each_model = pytest.mark.parametrize("name", list_models())
CLASSES = 3


def slow_sizes(*sizes):
    return [pytest.param(size, marks=pytest.mark.full) for size in sizes]


@functools.cache
def tiny(name):
    """A small version of a model, built once for all tests that do not change it."""
    keras.utils.set_random_seed(0)
    return get_model(name, CLASSES, **tiny_options(name))


def run(model, images):
    # Called directly: `predict` would compile each of the many models.
    return keras.ops.convert_to_numpy(model(images, training=False))


def random_images(*shape):
    return np.random.default_rng(0).integers(0, 256, shape).astype("float32") / 255


@each_model
def test_parameters_and_macs_are_those_of_the_spec(name):
    model = get_model(name, 2)
    assert model.count_params() == model_spec(name).parameters
    assert count_macs(model, (224, 224)) == model_spec(name).macs


@each_model
def test_the_founding_tables_count_is_kept_or_the_difference_explained(name):
    spec = model_spec(name)
    same = spec.founding_parameters in (None, spec.parameters)
    assert bool(spec.founding_reason) != same


def papers():
    for paper in PAPER_COUNTS:
        # Keras builds the large ones slowly.
        marks = [pytest.mark.full] if paper.parameters > 2e7 else []
        yield pytest.param(paper, marks=marks, id=f"{paper.name}-{paper.parameters:g}")


@pytest.mark.parametrize("paper", list(papers()))
def test_parameters_are_within_two_percent_of_what_is_published(paper):
    model = get_model(paper.name, paper.num_classes, **paper.options)
    assert model.count_params() == pytest.approx(paper.parameters, rel=0.02), paper.source


@each_model
def test_every_model_has_a_published_count_to_compare_with(name):
    # The table's own eighteen are held to its counts, exactly.
    assert model_spec(name).founding_parameters or name in {paper.name for paper in PAPER_COUNTS}


@each_model
@pytest.mark.parametrize("size", [(67, 71), *slow_sizes((96, 160), (32, 33))])
def test_the_output_has_the_size_of_any_input(name, size):
    images = random_images(2, *size, 3)
    logits = run(tiny(name), images)
    assert logits.shape == (2, *size, CLASSES)
    assert logits.dtype == np.float32
    assert np.isfinite(logits).all()
    # What is missing to the stride is seen as the mirrored image, as a user could mirror it.
    stride = tiny(name).get_layer("pad").multiple
    missing = [(0, -length % stride) for length in size]
    mirrored = run(tiny(name), np.pad(images, [(0, 0), *missing, (0, 0)], "reflect"))
    cropped = mirrored[:, : size[0], : size[1]]
    np.testing.assert_allclose(logits, cropped, atol=1e-4 * np.abs(cropped).max())


@each_model
@pytest.mark.parametrize(
    ("classes", "channels"),
    [(1, 4), *(pytest.param(c, n, marks=pytest.mark.full) for c, n in [(2, 1), (11, 7), (1, 3)])],
)
def test_any_number_of_classes_and_channels(name, classes, channels):
    model = get_model(name, classes, (None, None, channels), **tiny_options(name))
    assert run(model, random_images(1, 67, 71, channels)).shape == (1, 67, 71, classes)


@each_model
def test_padding_does_not_change_sizes_that_fit(name):
    # A model for open sizes pads by nothing; one for a fixed size has no padding layer at all.
    opened = tiny(name)
    side = max(64, model_spec(name).stride)
    fixed = get_model(name, CLASSES, (side, side, 3), **tiny_options(name))
    fixed.set_weights(opened.get_weights())
    assert not [layer for layer in fixed.layers if layer.name == "pad"]
    images = random_images(1, side, side, 3)
    expected = run(opened, images)
    np.testing.assert_allclose(run(fixed, images), expected, atol=1e-4 * np.abs(expected).max())


@each_model
def test_a_saved_model_loads_without_custom_objects(name, tmp_path):
    tiny(name).save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    images = random_images(1, 67, 71, 3)
    np.testing.assert_array_equal(run(tiny(name), images), run(loaded, images))


@each_model
def test_every_trainable_weight_is_trained(name):
    keras.utils.set_random_seed(1)
    model = get_model(name, CLASSES, **tiny_options(name))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    # Eager steps cost TensorFlow less than tracing so many graphs.
    eager = keras.backend.backend() == "tensorflow"
    model.compile(keras.optimizers.SGD(0.1), loss, run_eagerly=eager, jit_compile=False)
    before = [np.copy(weight) for weight in model.get_weights()]
    trainable = {id(weight) for weight in model.trainable_weights}
    # Four, or a normalisation of pooled features has two values that cancel each other.
    images = random_images(4, 64, 64, 3)
    for _ in range(2):
        model.train_on_batch(images, (images[..., 0] > 0.5).astype("uint8"))
    for old, new, weight in zip(before, model.get_weights(), model.weights, strict=True):
        # A bias before batch normalisation has no influence, hence no gradient.
        if id(weight) in trainable and weight.name != "bias":
            assert np.abs(new - old).max() > 0, weight.path


@each_model
def test_inference_calculates_what_training_did(name):
    # Statistics that no longer move but are the last batch's must give that batch's answer again;
    # they cannot where one layer normalises several kinds of features.
    if name == "segnext":
        pytest.skip("its matrix factorisation starts at random values in training, as published")
    keras.utils.set_random_seed(2)
    model = get_model(name, CLASSES, **tiny_options(name))
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
        elif hasattr(layer, "rate"):
            layer.rate = 0.0
    images = random_images(4, 64, 64, 3)
    trained = keras.ops.convert_to_numpy(model(images, training=True))
    np.testing.assert_allclose(run(model, images), trained, atol=2e-3 * np.abs(trained).max())


@each_model
def test_mixed_precision_gives_float32_logits_and_the_same_layers(name):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = get_model(name, CLASSES, **tiny_options(name))
    finally:
        keras.config.set_dtype_policy("float32")
    logits = run(model, random_images(1, 64, 64, 3))
    assert logits.dtype == np.float32
    assert np.isfinite(logits).all()
    # Names are given, not numbered by chance.
    assert [layer.name for layer in tiny(name).layers] == [layer.name for layer in model.layers]


@each_model
def test_no_layer_holds_code_instead_of_configuration(name):
    kinds = {type(layer).__name__ for layer in tiny(name)._flatten_layers()}
    assert "Lambda" not in kinds


AUXILIARY = [
    (name, option)
    for name in list_models()
    for option in option_names(name)
    if option in ("aux_heads", "deep_supervision")
]


@pytest.mark.parametrize(("name", "option"), AUXILIARY)
def test_auxiliary_heads_are_of_input_size_and_can_be_left_off(name, option):
    model = get_model(name, CLASSES, **{**tiny_options(name), option: True})
    images = random_images(1, 67, 71, 3)
    outputs = {key: keras.ops.convert_to_numpy(x) for key, x in model(images).items()}
    assert len(outputs) > 1
    assert "logits" in outputs
    for logits in outputs.values():
        assert logits.shape[:3] == (1, 67, 71)
        assert logits.dtype == np.float32
    alone = without_aux_heads(model)
    outputs = keras.ops.convert_to_numpy(model(images, training=False)["logits"])
    np.testing.assert_allclose(run(alone, images), outputs, rtol=1e-4, atol=1e-5)
    assert alone.count_params() <= model.count_params()


# One of each kind of layer: unpooling, recurrence, gates, dilation, attention, pooling to bins.
KINDS = ["deeplab_v2", "enet", "icnet", "pspnet", "r2attunet", "scseunet", "segformer", "segnet"]


@pytest.mark.parametrize("backend", ["jax", "torch"])
@pytest.mark.parametrize("names", [KINDS, pytest.param(list_models(), marks=pytest.mark.full)])
def test_the_same_weights_give_the_same_output_on_every_backend(
    names, backend, tmp_path, run_script
):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"needs {backend}")
    if keras.backend.backend() == backend:
        pytest.skip("this is the backend that the tests run on")
    images = random_images(1, 67, 71, 3)
    np.save(tmp_path / "images.npy", images)
    for name in names:
        weights = {str(i): weight for i, weight in enumerate(tiny(name).get_weights())}
        np.savez(tmp_path / f"{name}.npz", **weights)
    script = Path(__file__).with_name("backend_outputs.py")
    result = run_script(script, tmp_path, PYTHONPATH=str(ROOT), KERAS_BACKEND=backend)
    assert result.returncode == 0, result.stderr
    for name in names:
        expected = run(tiny(name), images)
        other = np.load(tmp_path / f"{name}-logits.npy")
        error = np.abs(other - expected).max() / max(1.0, np.abs(expected).max())
        assert error < 1e-4, name


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("divide", [255 / 255, 0, 51 / 255]),
        ("sub_and_divide", [1, -1, 51 / 127.5 - 1]),
        ("sub_mean", [255 - 123.68, 0 - 116.779, 51 - 103.939]),
    ],
)
def test_image_init_follows_its_formula(mode, expected):
    layer = get_model("unet", image_init=mode, **tiny_options("unet")).get_layer("image_init")
    pixel = layer(np.array([[[[255, 0, 51]]]], "uint8"))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(pixel)[0, 0, 0], expected, rtol=1e-5)


def test_activation_gives_probabilities():
    images = random_images(1, 64, 64, 3)
    softmax = get_model("unet", 3, activation="softmax", **tiny_options("unet"))
    np.testing.assert_allclose(run(softmax, images).sum(-1), 1, rtol=1e-5)
    sigmoid = get_model("unet", 1, activation="sigmoid", **tiny_options("unet"))
    assert 0 <= run(sigmoid, images).min() <= run(sigmoid, images).max() <= 1


def test_enet_can_unpool_with_indices_at_the_same_cost():
    plain, unpooling = get_model("enet"), get_model("enet", unpooling=True)
    assert plain.count_params() == unpooling.count_params()
    with_indices = [
        sum(isinstance(layer, MaxPoolWithIndices) for layer in model.layers)
        for model in (plain, unpooling)
    ]
    assert with_indices == [0, 2]
    assert run(unpooling, random_images(1, 67, 71, 3)).shape == (1, 67, 71, 2)


@pytest.mark.parametrize("channels", [1, 4, 51])
def test_enet_can_unpool_images_of_any_channels_that_it_takes(channels):
    model = get_model("enet", 2, (None, None, channels), unpooling=True)
    assert run(model, random_images(1, 67, 71, channels)).shape == (1, 67, 71, 2)


def test_enet_names_the_channels_that_it_has_room_for():
    with pytest.raises(ValueError, match="enet takes images of at most 51 channels, got 52"):
        get_model("enet", 2, (None, None, 52))


def test_batch_norm_is_useful_in_inference_after_a_short_run():
    # With Keras' momentum of 0.99 the moving variance is still mostly its initial 1 here.
    rng = np.random.default_rng(0)
    masks = np.zeros((8, 64, 64), "uint8")
    masks[:, 16:48, 16:48] = 1
    images = (masks[..., None] * 120 + rng.integers(0, 60, (8, 64, 64, 3))).astype("uint8")
    keras.utils.set_random_seed(0)
    model = get_model("unet", 2, image_init="divide", **tiny_options("unet"))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss, jit_compile=False)
    for _ in range(40):
        model.train_on_batch(images, masks)
    predicted = run(model, images).argmax(-1)
    union = np.sum((predicted == 1) | (masks == 1))
    assert np.sum((predicted == 1) & (masks == 1)) / union > 0.9
