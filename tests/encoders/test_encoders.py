import keras
import numpy as np
import pytest

from kseg.encoders import Encoder, encoder_spec, freeze_encoder, list_encoders
from kseg.encoders.weights import build_stock
from kseg.layers.preprocess import IMAGE_INITS, image_init_layer
from kseg.models import get_model, list_models, model_spec
from kseg.models.registry import takes_encoder

STRIDES = (2, 4, 8, 16, 32)
# One of each family; `--full` takes all.
SAMPLE = {
    "vgg16",
    "resnet50",
    "resnet50v2",
    "resnet18",
    "mobilenet",
    "mobilenetv2",
    "mobilenetv3small",
    "efficientnetb0",
    "efficientnetv2b0",
    "densenet121",
    "xception",
    "inceptionv3",
    "convnexttiny",
}
# Without features at stride 2, without normalisation, without padding, with many branches.
OTHERS = ("convnexttiny", "vgg16", "xception", "inceptionv3", "resnet50v2", "efficientnetb0")
SLOW = [pytest.param(n, marks=() if n in SAMPLE else pytest.mark.full) for n in list_encoders()]


def images(*shape):
    return np.random.default_rng(0).uniform(0, 255, shape).astype("float32")


def pyramid_model(name, channels=3, weights=None, output_stride=32):
    """A model whose outputs are the stages by their stride without dilation."""
    inputs = keras.Input((None, None, channels))
    pyramid = Encoder(name, weights)(inputs, output_stride=output_stride)
    outputs = {str(stride): tensor for stride, tensor in pyramid.stages.items()}
    return keras.Model(inputs, outputs), pyramid


def of_keras(name):
    """The function of `keras.applications` that builds this encoder's network."""
    functions = [f for f in dir(keras.applications) if f[0].isupper() and f.lower() == name]
    return getattr(keras.applications, *functions)


def run(model, x):
    return {k: keras.ops.convert_to_numpy(v) for k, v in model(x, training=False).items()}


def test_every_backbone_of_keras_applications_has_an_entry():
    offered = {name.lower() for name in dir(keras.applications) if name[0].isupper()}
    assert offered <= set(list_encoders())


@pytest.mark.parametrize("name", SLOW)
def test_features_have_their_strides(name):
    pyramid = Encoder(name)(keras.Input((64, 96, 3)))
    assert set(STRIDES) <= set(pyramid.features)
    for stride, feature in pyramid.features.items():
        assert feature.shape[1:3] == (64 // stride, 96 // stride)


@pytest.mark.parametrize("name", SLOW)
@pytest.mark.parametrize("output_stride", [8, pytest.param(16, marks=pytest.mark.full)])
def test_dilation_keeps_the_output_stride(name, output_stride):
    pyramid = Encoder(name)(keras.Input((64, 96, 3)), output_stride=output_stride)
    assert max(pyramid.features) == output_stride
    assert pyramid.deepest.shape[1:3] == (64 // output_stride, 96 // output_stride)
    assert pyramid.features[output_stride] is pyramid.deepest
    assert (
        pyramid.model.count_params() == Encoder(name)(keras.Input((64, 96, 3))).model.count_params()
    )


@pytest.mark.parametrize(
    ("name", "output_stride"), [("efficientnetb0", 32), ("resnet18", 8), ("inceptionv3", 16)]
)
def test_a_kernel_of_length_one_is_not_dilated(name, output_stride):
    model = Encoder(name)(keras.Input((64, 64, 3)), output_stride=output_stride).model
    for layer in model.layers:
        if hasattr(layer, "dilation_rate"):
            rates = zip(layer.kernel_size, layer.dilation_rate, strict=True)
            assert all(rate == 1 for length, rate in rates if length == 1), layer.name


def test_dilated_features_contain_the_strided_ones(tmp_path):
    # "A trous": with dilation in place of strides every other feature is the same as before.
    stock = build_stock(encoder_spec("resnet18"), 64, 3, None)
    stock.save_weights(tmp_path / "w.weights.h5")
    strided, _ = pyramid_model("resnet18", weights=tmp_path / "w.weights.h5")
    dilated, _ = pyramid_model("resnet18", weights=tmp_path / "w.weights.h5", output_stride=8)
    x = images(1, 96, 96, 3)
    fine, coarse = run(dilated, x)["32"], run(strided, x)["32"]
    np.testing.assert_allclose(fine[:, ::4, ::4], coarse, rtol=1e-3, atol=1e-3 * coarse.max())


@pytest.mark.parametrize(
    ("name", "taps"),
    [
        ("resnet50", {4: "conv2_block3_out", 16: "conv4_block6_out", 32: "conv5_block3_out"}),
        ("mobilenetv2", {4: "block_2_add", 16: "block_12_add", 32: "block_16_project_BN"}),
        ("vgg16", {1: "block1_conv2", 8: "block4_conv3", 16: "block5_conv3", 32: "block5_pool"}),
        ("densenet121", {4: "pool2_relu", 32: "relu"}),
    ],
)
def test_features_are_those_of_keras_with_the_same_weights(name, taps, tmp_path):
    stock = of_keras(name)(include_top=False, weights=None, input_shape=(96, 64, 3))
    stock.save_weights(tmp_path / "w.weights.h5")
    reference = keras.Model(
        stock.input, {str(s): stock.get_layer(t).output for s, t in taps.items()}
    )
    ours, _ = pyramid_model(name, weights=tmp_path / "w.weights.h5")
    x = images(1, 96, 64, 3) / 255
    expected, features = run(reference, x), run(ours, x)
    for stride, value in expected.items():
        np.testing.assert_allclose(features[stride], value, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["mobilenetv2", "vgg16"])
def test_grey_images_give_the_features_of_equal_colours(name, tmp_path):
    stock = build_stock(encoder_spec(name), 64, 3, None)
    stock.save_weights(tmp_path / "w.weights.h5")
    grey, _ = pyramid_model(name, channels=1, weights=tmp_path / "w.weights.h5")
    colour, _ = pyramid_model(name, weights=tmp_path / "w.weights.h5")
    x = images(1, 64, 64, 1) / 255
    expected = run(colour, np.repeat(x, 3, axis=-1))
    np.testing.assert_allclose(run(grey, x)["16"], expected["16"], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("mode", [mode for mode in IMAGE_INITS if mode != "sub_mean"])
def test_a_grey_image_is_normalised_as_its_colours_are_if_these_are_treated_alike(mode):
    x = images(1, 4, 4, 1)
    grey = keras.ops.convert_to_numpy(image_init_layer(mode, 1)(x))
    colours = keras.ops.convert_to_numpy(image_init_layer(mode)(np.repeat(x, 3, axis=-1)))
    assert np.allclose(grey, colours, atol=1e-4) == (mode not in ("caffe", "torch"))
    np.testing.assert_allclose(grey[..., 0], colours.mean(-1), atol=0.02)


@pytest.mark.parametrize("name", ["mobilenetv2", "efficientnetb0"])
def test_six_channels_of_two_equal_images_give_the_features_of_one(name, tmp_path):
    stock = build_stock(encoder_spec(name), 64, 3, None)
    stock.save_weights(tmp_path / "w.weights.h5")
    six, _ = pyramid_model(name, channels=6, weights=tmp_path / "w.weights.h5")
    three, _ = pyramid_model(name, weights=tmp_path / "w.weights.h5")
    x = images(1, 64, 64, 3) / 255
    doubled = run(six, np.concatenate([x, x], axis=-1))
    np.testing.assert_allclose(doubled["16"], run(three, x)["16"], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("convention", ["caffe", "tf", "torch"])
def test_the_convention_is_what_keras_calls_preprocessing(convention):
    x = images(1, 4, 4, 3)
    expected = keras.applications.imagenet_utils.preprocess_input(x.copy(), mode=convention)
    layer = image_init_layer(convention)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(x)), expected, atol=1e-4)


@pytest.mark.parametrize("name", ["mobilenetv3small", "convnexttiny", "efficientnetv2b0"])
def test_the_convention_is_what_keras_builds_into_the_network(name):
    stock = of_keras(name)(include_top=False, weights=None, input_shape=(32, 32, 3))
    kinds = (keras.layers.Rescaling, keras.layers.Normalization)
    built_in = [layer for layer in stock.layers if isinstance(layer, kinds)]
    x = images(1, 32, 32, 3)
    expected = x
    for layer in built_in:
        expected = layer(expected)
    ours = image_init_layer(encoder_spec(name).convention)(x)
    difference = keras.ops.convert_to_numpy(ours) - keras.ops.convert_to_numpy(expected)
    assert built_in
    assert np.abs(difference).max() < 1e-4


def test_a_frozen_encoder_keeps_weights_and_statistics_bit_for_bit():
    model = get_model("unet", 2, (64, 64, 3), encoder="mobilenetv2", image_init="auto")
    freeze_encoder(model)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss, run_eagerly=keras.backend.backend() != "jax")
    encoder = model.get_layer("encoder")
    before = encoder.get_weights()
    rest = model.get_layer("head_conv").get_weights()
    x = images(2, 64, 64, 3)
    model.train_on_batch(x, (x[..., 0] > 127).astype("uint8"))
    for old, new in zip(before, encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert np.abs(model.get_layer("head_conv").get_weights()[0] - rest[0]).max() > 0
    freeze_encoder(model, frozen=False)
    assert encoder.trainable_weights


def test_freezing_a_model_without_encoder_is_refused():
    with pytest.raises(ValueError, match="has no encoder to freeze"):
        freeze_encoder(get_model("unet", filters=4, levels=2))


def test_a_model_on_an_encoder_is_saved_and_loaded_whole(tmp_path):
    model = get_model("unet", 2, encoder="mobilenetv2", image_init="auto")
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    x = images(1, 67, 71, 3)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(model(x, training=False)),
        keras.ops.convert_to_numpy(loaded(x, training=False)),
        atol=1e-6,
    )
    freeze_encoder(loaded)


WITH_ENCODER = [name for name in list_models() if takes_encoder(name)]
ENCODERS = ["mobilenetv2", *(pytest.param(name, marks=pytest.mark.full) for name in OTHERS)]


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("name", WITH_ENCODER)
def test_every_model_that_takes_an_encoder_works_on_any(name, encoder):
    model = get_model(name, 3, (None, None, 3), encoder=encoder)
    logits = keras.ops.convert_to_numpy(model(images(1, 67, 71, 3) / 255, training=False))
    assert logits.shape == (1, 67, 71, 3)
    assert np.isfinite(logits).all()
    assert model.get_layer("encoder").trainable_weights


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoder": "resnet51"}, "unknown encoder 'resnet51': did you mean 'resnet"),
        ({"encoder": "resnet18", "encoder_weights": "imagenet"}, "no ImageNet weights to download"),
        ({"encoder": "vgg16", "encoder_weights": "no.h5"}, "'no.h5': there is no such file"),
        ({"encoder_weights": "imagenet"}, "needs an encoder"),
    ],
)
def test_a_bad_encoder_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        get_model("unet", **options)


def test_a_model_with_an_encoder_of_its_own_takes_no_other():
    with pytest.raises(ValueError, match="has an encoder of its own.*works with.*unet"):
        get_model("enet", encoder="resnet50")


def test_a_named_encoder_goes_before_that_of_an_alias():
    replaced = get_model("unet_resnet50", encoder="mobilenetv2")
    assert replaced.count_params() == get_model("unet", encoder="mobilenetv2").count_params()


def test_the_weights_of_another_network_are_refused(tmp_path):
    build_stock(encoder_spec("vgg16"), 64, 3, None).save_weights(tmp_path / "vgg.weights.h5")
    with pytest.raises(ValueError, match="does not hold the weights of 'mobilenetv2'"):
        get_model("unet", encoder="mobilenetv2", encoder_weights=tmp_path / "vgg.weights.h5")
    (tmp_path / "text.weights.h5").write_text("not weights")
    with pytest.raises(ValueError, match="does not hold the weights of 'vgg16'"):
        get_model("unet", encoder="vgg16", encoder_weights=tmp_path / "text.weights.h5")


def test_output_strides_are_checked():
    with pytest.raises(ValueError, match="output_stride must be 8, 16 or 32, got 4"):
        Encoder("vgg16")(keras.Input((64, 64, 3)), output_stride=4)


def test_deeplab_knows_the_xception_of_its_paper():
    # Counts and multiply-adds measured on an independent implementation at 512x512, 21 classes.
    model = get_model("deeplab_v3_plus", 21, encoder="xception")
    assert model.count_params() == 41_258_213
    assert model_spec("deeplab_v3_plus").encoder_names["keras_xception"] == "xception"


@pytest.mark.parametrize(
    ("encoder", "file"),
    [
        ("mobilenetv2", "mobilenetv2_notop.weights.h5"),
        pytest.param("mobilenet", "mobilenet_notop_dequantised.weights.h5", marks=pytest.mark.full),
        pytest.param("vgg16", "vgg16_notop_float16.weights.h5", marks=pytest.mark.full),
        pytest.param("resnet50", "resnet50_notop_float16.weights.h5", marks=pytest.mark.full),
    ],
)
def test_imagenet_weights_beat_random_ones_clearly(encoder, file, real_data):
    from encoder_probe import probe

    camvid, path = real_data("camvid"), real_data("imagenet_weights") / file
    scores = [probe(encoder, weights, camvid, (30, 20)) for weights in (None, path)]
    (_, random_iou), (_, trained_iou) = scores
    assert trained_iou > random_iou + 0.08
