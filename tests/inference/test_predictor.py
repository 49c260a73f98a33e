import dataclasses

import keras
import numpy as np
import pytest

from kseg.data.resize import scores_to_size
from kseg.inference import ModelInfo, Predictor, save_model
from kseg.inference.device import has_accelerator
from kseg.inference.engines.scores import best_class
from kseg.inference.fit import Placement, labels_back, scores_back
from kseg.models import get_model

INFO = ModelInfo("unet", ("background", "bright"), None, 32, 48, 1, "divide")
RNG = np.random.default_rng(0)
SIZES = [(1, 1), (33, 101), (64, 64), (32, 48)]


def noise(height, width, channels=3):
    return RNG.integers(0, 256, (height, width, channels)).astype("uint8")


class Brightness:
    """A network with a known answer: class 1 is as probable as a pixel is bright."""

    batch_size = None

    def __init__(self, *, size=None, channels=3, power=1.0, **changes):
        self.info = dataclasses.replace(INFO, **changes)
        self.size, self.channels, self.power = size, channels, power
        self.shapes = []

    def probabilities(self, batch):
        self.shapes.append(batch.shape)
        share = (batch.astype("float32").mean(-1) / 255) ** self.power
        return np.stack([1 - share, share], -1)

    def labels(self, batch):
        return self.probabilities(batch).argmax(-1).astype("uint8")


def bright(image):
    return (image.astype("float32").mean(-1) > 127.5).astype("uint8")


@pytest.mark.parametrize("options", [{}, {"fit": "pad"}, {"tile": 32}, {"tta": "scales"}])
@pytest.mark.parametrize("resize_op", [1, 2])
def test_labels_are_the_best_class_at_the_size_of_the_image(options, resize_op):
    predictor = Predictor(Brightness(resize_op=resize_op), **options)
    images = [noise(*size) for size in SIZES]
    labels, scores = predictor.predict(images), predictor.probabilities(images)
    for image, one, score in zip(images, labels, scores, strict=True):
        assert one.shape == image.shape[:2]
        assert score.shape == (*image.shape[:2], 2)
        assert (one.dtype, score.dtype) == (np.uint8, np.float32)
        assert np.mean(one == score.argmax(-1)) > 0.999


@pytest.mark.parametrize("options", [{"fit": "pad"}, {"tile": 32}, {"fit": "pad", "tta": "d4"}])
def test_at_its_own_size_an_image_is_answered_pixel_by_pixel(options):
    predictor = Predictor(Brightness(), **options)
    images = [noise(*size) for size in SIZES]
    for image, labels in zip(images, predictor.predict(images), strict=True):
        np.testing.assert_array_equal(labels, bright(image))


def test_padded_images_of_a_size_share_a_batch_and_come_back_in_order():
    engine = Brightness()
    images = [noise(40, 60), noise(70, 30), noise(48, 64)]
    found = Predictor(engine, fit="pad").predict(images)
    # The stride of U-Net is 16; 40x60 and 48x64 are padded to the same size.
    assert sorted(engine.shapes) == [(1, 80, 32, 3), (2, 48, 64, 3)]
    for image, labels in zip(images, found, strict=True):
        np.testing.assert_array_equal(labels, bright(image))


def test_a_letterbox_that_needs_no_resizing_is_cut_out():
    predictor = Predictor(Brightness(resize_op=2))
    image = noise(32, 20)
    np.testing.assert_array_equal(predictor.predict([image])[0], bright(image))


def test_several_models_answer_with_the_mean_of_their_probabilities():
    image = np.full((50, 70, 3), 102, "uint8")  # 0.4 of 255
    models = [Brightness(), Brightness(power=2.0), Brightness(input_height=64)]
    (scores,) = Predictor(models).probabilities([image])
    np.testing.assert_allclose(scores[..., 1], (0.4 + 0.16 + 0.4) / 3, atol=1e-6)
    (labels,) = Predictor(models).predict([image])
    assert labels.shape == (50, 70)
    assert not labels.any()


def test_models_of_other_classes_or_channels_do_not_answer_together():
    first, other = Brightness(), Brightness(class_names=("background", "dark"))
    with pytest.raises(ValueError, match=r"same classes.*2 \(background, bright\) and number 2"):
        Predictor([first, other])
    with pytest.raises(ValueError, match="takes 3 channels and number 2 takes 1"):
        Predictor([first, Brightness(channels=1)])
    with pytest.raises(ValueError, match="there is no model"):
        Predictor([])
    with pytest.raises(ValueError, match="has 257 classes, but label maps hold 256 at most"):
        Predictor(Brightness(class_names=tuple(map(str, range(257)))))


def test_a_model_fixed_to_a_size_gets_images_of_that_size():
    engine = Brightness(size=(64, 96))
    (labels,) = Predictor(engine).predict([noise(50, 50)])
    assert engine.shapes == [(1, 64, 96, 3)]
    assert labels.shape == (50, 50)
    image = noise(50, 50)
    np.testing.assert_array_equal(Predictor(engine, fit="pad").predict([image])[0], bright(image))
    with pytest.raises(ValueError, match="image of 50x65 pixels .* the 96x64 that the model is"):
        Predictor(engine, fit="pad").predict([noise(65, 50)])
    with pytest.raises(ValueError, match="tiles of 64x64 do not fit .* fixed to 96x64"):
        Predictor(engine, tile=64)
    with pytest.raises(ValueError, match="tta='d4' needs"):
        Predictor(engine, tta="d4")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fit": "crop"}, "fit must be one of trained, pad; got 'crop'"),
        ({"tta": "all"}, "tta must be one of none"),
        ({"tile": 16}, "tile must be at least 32, got 16"),
        ({"tile": 64, "overlap": 1.0}, "overlap is 1.0"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Predictor(Brightness(), **options)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 4, 1), "uint8"), r"\(height, width, 3\), got \(4, 4, 1\)"),
        (np.zeros((4, 0, 3), "uint8"), r"got \(4, 0, 3\)"),
        (np.zeros((4, 4), "uint8"), r"got \(4, 4\)"),
        (np.zeros((4, 4, 3), "uint16"), "floating point in 0..255, got uint16"),
    ],
)
def test_arrays_that_are_no_images_are_refused(image, message):
    with pytest.raises(ValueError, match=message):
        Predictor(Brightness()).predict([image])


def test_deep_and_grey_images_are_taken():
    predictor = Predictor(Brightness(channels=1), fit="pad")
    grey = noise(40, 40, 1)
    expected = bright(grey)
    for image in (grey, grey[..., 0], grey.astype("float64")):
        np.testing.assert_array_equal(predictor.predict([image])[0], expected)


def test_no_images_give_no_labels():
    for options in ({}, {"fit": "pad"}, {"tile": 64}):
        assert Predictor(Brightness(), **options).predict([]) == []


def test_planes_are_compared_as_argmax_does():
    scores = RNG.integers(0, 4, (5, 30, 40)).astype("float32")
    for count in (2, 3, 5):
        np.testing.assert_array_equal(best_class(scores[:count]), scores[:count].argmax(0))
    np.testing.assert_array_equal(best_class(scores[:1], 1.0), scores[0] > 1)


@pytest.mark.parametrize("classes", [2, 4])
def test_resized_labels_are_those_of_interpolated_logits(classes):
    logits = RNG.normal(0, 3, (32, 48, classes)).astype("float32")
    for size in ((61, 90), (20, 31)):
        expected = scores_to_size(logits, size, 1)
        place = Placement(0, 0, 32, 48)
        labels = labels_back(softmax(logits), place, size)
        assert np.mean(labels == expected.argmax(-1)) > 0.999
        np.testing.assert_allclose(
            scores_back(softmax(logits), place, size), softmax(expected), atol=1e-4
        )


def test_labels_are_the_same_wherever_scores_are_resized():
    assert has_accelerator() in (True, False)
    scores, inner = RNG.random((32, 48, 4)).astype("float32"), Placement(2, 4, 28, 40)
    host, device = (labels_back(scores, inner, (61, 90), on_device=one) for one in (False, True))
    assert device.dtype == host.dtype == np.uint8
    assert np.mean(host == device) > 0.999


@pytest.fixture(scope="module")
def run_folders(tmp_path_factory):
    """Two runs of a tiny U-Net."""
    folders = []
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        model = get_model("unet", 2, image_init="divide", filters=4, levels=3)
        folders.append(tmp_path_factory.mktemp(f"run{seed}"))
        save_model(model, folders[-1] / "best.keras", INFO)
    return folders


def test_runs_are_loaded_and_answer_alone_and_together(run_folders):
    image = noise(32, 48)
    alone = [Predictor.load(folder) for folder in run_folders]
    for predictor in alone:
        logits = keras.ops.convert_to_numpy(predictor.engines[0].model(image[None]))[0]
        np.testing.assert_array_equal(predictor.predict([image])[0], logits.argmax(-1))
        (scores,) = predictor.probabilities([image])
        np.testing.assert_allclose(scores, softmax(logits), atol=1e-5)
    (both,) = Predictor.load(run_folders, tta="flip").probabilities([image])
    flipped = np.ascontiguousarray(image[:, ::-1])
    views = [p.probabilities([image])[0] + p.probabilities([flipped])[0][:, ::-1] for p in alone]
    np.testing.assert_allclose(both, sum(views) / 4, atol=1e-5)
    assert Predictor.load(run_folders).class_names == ["background", "bright"]


def softmax(logits):
    e = np.exp(logits - logits.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def test_a_smaller_last_batch_changes_nothing():
    engine = Brightness()
    image = noise(40, 40)
    (alone,) = Predictor(engine).predict([image])
    (padded,) = Predictor(engine).predict_padded([image], 3)
    np.testing.assert_array_equal(alone, padded)
    assert engine.shapes[-1][0] == 3
