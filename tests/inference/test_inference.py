import dataclasses
import json
import re
import zipfile

import keras
import numpy as np
import pytest
from PIL import Image

from kseg.cli import main
from kseg.config import PredictConfig
from kseg.inference import ModelInfo, Predictor, load_model, save_model
from kseg.inference.model_file import copy_model, read_info
from kseg.inference.predict import predict
from kseg.models import get_model
from tests.tiny import tiny_options


@keras.saving.register_keras_serializable("kseg_tests")
class BrightPixels(keras.layers.Layer):
    """Scores class 1 where an image is brighter than 127.5: a network with a known answer."""

    def call(self, inputs):
        score = keras.ops.mean(inputs, axis=-1, keepdims=True) - 127.5
        return keras.ops.concatenate([-score, score], axis=-1)


INFO = ModelInfo("unet", ("background", "bright"), None, 32, 48, 1, "divide")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    inputs = keras.Input((None, None, 3))
    path = tmp_path_factory.mktemp("run") / "best.keras"
    save_model(keras.Model(inputs, BrightPixels()(inputs)), path, INFO)
    return path


@pytest.fixture
def pictures(tmp_path):
    """Two images of different sizes, bright in the right half."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, size in (("a.png", (60, 80)), ("b.png", (33, 101))):
        image = np.zeros((*size, 3), "uint8")
        image[:, size[1] // 2 :] = 255
        Image.fromarray(image).save(folder / name)
    return folder


def test_predictions_have_the_size_and_place_of_the_image(checkpoint, pictures, tmp_path):
    predict(PredictConfig(str(checkpoint), str(pictures), str(tmp_path / "out")))
    for name, size in (("a", (60, 80)), ("b", (33, 101))):
        labels = np.array(Image.open(tmp_path / "out" / f"{name}_label.png"))
        truth = np.zeros(size)
        truth[:, size[1] // 2 :] = 1
        assert labels.shape == size
        assert np.mean(labels == truth) > 0.97
        assert Image.open(tmp_path / "out" / f"{name}_overlay.jpg").size == size[::-1]


@pytest.mark.parametrize("resize_op", [1, 2])
def test_both_resize_modes_find_the_bright_half(checkpoint, resize_op):
    model, info = load_model(checkpoint)
    predictor = Predictor(model, dataclasses.replace(info, resize_op=resize_op))
    image = np.zeros((50, 200, 3), "uint8")
    image[:, 120:] = 255
    (labels,) = predictor.predict([image])
    assert np.mean(labels == (image[..., 0] > 0)) > 0.97


def test_a_smaller_last_batch_changes_nothing(checkpoint):
    predictor = Predictor.load(checkpoint)
    image = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype("uint8")
    (alone,), (padded,) = predictor.predict([image]), predictor.predict_padded([image], 3)
    np.testing.assert_array_equal(alone, padded)


def test_a_bad_file_is_reported_and_the_others_are_done(checkpoint, pictures, tmp_path, capsys):
    (pictures / "broken.png").write_text("no image")
    arguments = ["--model", checkpoint, "--input", pictures, "--output", tmp_path / "out"]
    with pytest.raises(SystemExit, match="2"):
        main(["predict", *map(str, arguments)])
    printed = capsys.readouterr()
    assert "1 of 3 files could not be read" in printed.err
    assert "broken.png" in printed.out + printed.err
    assert len(list((tmp_path / "out").glob("*_label.png"))) == 2


def test_files_of_one_stem_do_not_overwrite_each_other(checkpoint, pictures, tmp_path):
    Image.open(pictures / "a.png").save(pictures / "a.bmp")
    written = predict(PredictConfig(str(checkpoint), str(pictures), str(tmp_path / "out"), "label"))
    names = {path.name for path in written}
    assert names == {"a_bmp_label.png", "a_png_label.png", "b_label.png"}


def test_one_image_is_enough(checkpoint, pictures, tmp_path):
    config = PredictConfig(
        str(checkpoint), str(pictures / "a.png"), str(tmp_path / "out"), "overlay"
    )
    assert [path.name for path in predict(config)] == ["a_overlay.jpg"]


def test_folders_are_scored_as_in_the_founding_project(checkpoint, pictures, tmp_path, capsys):
    labels = tmp_path / "labels"
    labels.mkdir()
    for path in pictures.iterdir():
        bright = np.array(Image.open(path))[..., 0] > 0
        Image.fromarray(bright.astype("uint8")).save(labels / path.name)
    flags = {
        "test_images": pictures,
        "output_path": tmp_path / "out",
        "weights_path": checkpoint,
        "classes": 2,
        "input_height": 32,
        "input_width": 48,
        "mIOU": True,
        "val_images": pictures,
        "val_annotations": labels,
    }
    main(["test", *(f"--{name}={value}" for name, value in flags.items())])
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["means"]["mean_iou"] > 0.94
    assert (tmp_path / "out" / "a_label.png").is_file()
    assert "bright" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--classes=3", "--classes is 3, but .* was trained with 2"),
        ("--input_height=64", "--input_height is 64, but .* was trained with 32"),
    ],
)
def test_flags_that_disagree_with_the_weights_are_named(flag, message, checkpoint, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["test", "--weights_path", str(checkpoint), flag])
    assert re.search(message, capsys.readouterr().err)


def test_bare_weights_need_the_flags(pictures, tmp_path, capsys):
    weights = tmp_path / "enet.weights.h5"
    get_model("enet", 2, image_init="divide").save_weights(weights)
    common = ["--weights_path", str(weights), "--test_images", str(pictures), "--model_name=enet"]
    size = ["--input_height", "32", "--input_width", "32"]
    main(["test", *common, *size, "--output_path", str(tmp_path / "out")])
    assert (tmp_path / "out" / "b_label.png").is_file()
    with pytest.raises(SystemExit, match="2"):
        main(["test", *common, *size, "--classes", "5"])
    assert "do not fit 'enet' with 5 classes" in capsys.readouterr().err


def test_a_checkpoint_is_replaced_as_a_whole_or_not_at_all(tmp_path, monkeypatch):
    model = get_model("unet", **tiny_options("unet"))
    path = tmp_path / "last.keras"
    save_model(model, path, INFO)
    before = path.read_bytes()

    def full_disk(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save_model(model, path, dataclasses.replace(INFO, epochs=9))
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    copy_model(path, tmp_path / "best.keras")
    assert read_info(tmp_path / "best.keras") == read_info(path)


def test_a_foreign_model_file_is_refused(tmp_path):
    get_model("unet", **tiny_options("unet")).save(tmp_path / "foreign.keras")
    with pytest.raises(ValueError, match="was not written by kseg"):
        Predictor.load(tmp_path / "foreign.keras")
    (tmp_path / "text.keras").write_text("hello")
    with pytest.raises(ValueError, match="no readable .keras file"):
        Predictor.load(tmp_path / "text.keras")


def test_a_sigmoid_channel_gives_two_labels():
    from kseg.inference.predictor import scores_to_labels

    assert scores_to_labels(np.array([[[-1.0], [2.0]]])).tolist() == [[0, 1]]
