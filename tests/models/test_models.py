import keras
import numpy as np
import pytest

from kseg.models import get_model, list_models, model_spec
from kseg.models.cost import count_macs
from tests.tiny import tiny_options

each_model = pytest.mark.parametrize("name", list_models())


def run(model, images):
    # Called directly: `predict` would compile each of the many models.
    return keras.ops.convert_to_numpy(model(images, training=False))


def random_images(*shape):
    return np.random.default_rng(0).integers(0, 256, shape).astype("uint8")


@each_model
def test_parameters_and_macs_are_those_of_the_spec(name):
    model = get_model(name, 2, (224, 224, 3))
    assert model.count_params() == model_spec(name).parameters
    assert count_macs(model) == model_spec(name).macs


def test_the_papers_width_has_the_papers_parameters():
    # 31.0 M in the paper's graph; batch norm and the 3x3 up-convolutions bring it to 34.5 M.
    assert get_model("unet", filters=64).count_params() == 34_541_826


@each_model
@pytest.mark.parametrize("size", [(67, 71), (96, 160), (32, 33)])
@pytest.mark.parametrize(("classes", "channels"), [(1, 1), (3, 3)])
def test_the_output_has_the_size_of_any_input(name, size, classes, channels):
    model = get_model(name, classes, (None, None, channels), **tiny_options(name))
    logits = run(model, random_images(2, *size, channels).astype("float32"))
    assert logits.shape == (2, *size, classes)
    assert logits.dtype == np.float32


@each_model
def test_padding_does_not_change_sizes_that_fit(name):
    # A model for open sizes pads by nothing; one for a fixed size has no padding layer at all.
    fixed = get_model(name, 2, (64, 64, 3), **tiny_options(name))
    opened = get_model(name, 2, **tiny_options(name))
    opened.set_weights(fixed.get_weights())
    assert not [layer for layer in fixed.layers if layer.name == "pad"]
    images = random_images(1, 64, 64, 3).astype("float32") / 255
    np.testing.assert_allclose(run(fixed, images), run(opened, images), atol=1e-5)


@each_model
@pytest.mark.parametrize("options", [{}, {"image_init": "divide", "activation": "softmax"}])
def test_a_saved_model_loads_without_custom_objects(name, options, tmp_path):
    model = get_model(name, 2, **tiny_options(name), **options)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    images = random_images(1, 67, 71, 3).astype("float32")
    np.testing.assert_array_equal(run(model, images), run(loaded, images))


@each_model
def test_every_trainable_weight_is_trained(name):
    model = get_model(name, 2, image_init="divide", **tiny_options(name))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss, jit_compile=False)
    before = [np.copy(weight) for weight in model.get_weights()]
    trainable = {id(weight) for weight in model.trainable_weights}
    images = random_images(4, 64, 64, 3)
    for _ in range(2):
        model.train_on_batch(images, (images[..., 0] > 127).astype("uint8"))
    for old, new, weight in zip(before, model.get_weights(), model.weights, strict=True):
        # A bias before batch normalisation has no influence, hence no gradient.
        if id(weight) in trainable and weight.name != "bias":
            assert np.abs(new - old).max() > 0, weight.path


@each_model
def test_mixed_precision_gives_float32_logits(name):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = get_model(name, 2, image_init="divide", **tiny_options(name))
    finally:
        keras.config.set_dtype_policy("float32")
    logits = run(model, random_images(1, 64, 64, 3))
    assert logits.dtype == np.float32
    assert np.isfinite(logits).all()


@each_model
def test_layer_names_are_given_not_numbered_by_chance(name):
    first, second = (get_model(name, **tiny_options(name)) for _ in range(2))
    assert [layer.name for layer in first.layers] == [layer.name for layer in second.layers]


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
    assert run(unpooling, random_images(1, 67, 71, 3)).shape == (1, 67, 71, 2)


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
