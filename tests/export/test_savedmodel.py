"""SavedModels: they answer as the model does, and need neither kseg nor Keras."""

import json

import cv2
import keras
import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="models are exported on TensorFlow")

import tensorflow as tf

from kseg.config import SavedModelConfig
from kseg.data.resize import place, resize_image
from kseg.export.encoded import Fit
from kseg.export.run import export_source
from kseg.export.savedmodel import ABOUT_FILE
from kseg.inference import Predictor
from kseg.inference.engines import SavedModelEngine, open_engine
from tests.export.tiny_source import CLASSES, tiny_source

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="models are exported on TensorFlow"
)
SIZE = (32, 48)
RNG = np.random.default_rng(0)


def image_of(height, width, channels=3):
    """Return a smooth image, which JPEG keeps nearly as it is."""
    small = RNG.integers(0, 256, (5, 6, channels), dtype=np.uint8)
    return cv2.resize(small, (width, height)).reshape(height, width, channels)


def encoded(image, suffix):
    return cv2.imencode(suffix, image[..., ::-1])[1].tobytes()


@pytest.fixture(scope="module")
def source():
    return tiny_source("unet", SIZE, resize_op=2)


@pytest.fixture(scope="module")
def folder(source, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "unet_savedmodel"
    config = SavedModelConfig(output_path=str(path), repeats=0, dynamic_batch=True)
    assert export_source(source, config).parity.max_difference < 1e-5
    return path


def test_a_folder_of_something_else_is_never_replaced(source, folder, tmp_path):
    run = tmp_path / "unet"
    run.mkdir()
    (run / "best.keras").write_text("weeks of work")
    with pytest.raises(ValueError, match="is a folder with files of something else"):
        export_source(source, SavedModelConfig(output_path=str(run), repeats=0))
    assert (run / "best.keras").read_text() == "weeks of work"
    assert list(tmp_path.iterdir()) == [run]


def test_an_earlier_export_and_an_empty_folder_are_replaced(source, tmp_path):
    path = tmp_path / "new"
    path.mkdir()
    for _ in range(2):
        export_source(source, SavedModelConfig(output_path=str(path), repeats=0))
        (path / "left").write_text("over")
    export_source(source, SavedModelConfig(output_path=str(path), repeats=0))
    assert (path / "saved_model.pb").is_file()
    assert not (path / "left").exists()


def test_kseg_takes_the_folder_as_a_model(folder, source):
    engine = open_engine(folder)
    assert isinstance(engine, SavedModelEngine)
    images = [image_of(40, 50), image_of(64, 33)]
    for found, expected in zip(
        Predictor(engine).predict(images), Predictor(source.engine).predict(images), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_files_are_decoded_resized_and_segmented_in_a_process_without_kseg(
    folder, source, tmp_path, run_script
):
    images = [image_of(40, 50), image_of(20, 90), image_of(*SIZE)]
    for index, (image, suffix) in enumerate(zip(images, (".png", ".jpg", ".png"), strict=True)):
        (tmp_path / f"{index}").write_bytes(encoded(image, suffix))
    code = (
        "import sys\n"
        "sys.modules['kseg'] = sys.modules['keras'] = None\n"
        "import numpy as np, tensorflow as tf\n"
        f"loaded = tf.saved_model.load({str(folder)!r})\n"
        f"files = [open({str(tmp_path)!r} + f'/{{i}}', 'rb').read() for i in range(3)]\n"
        "found = loaded.signatures['encoded'](encoded=tf.constant(files))\n"
        f"np.savez({str(tmp_path / 'found.npz')!r}, **{{k: v.numpy() for k, v in found.items()}})\n"
    )
    done = run_script("-c", code)
    assert done.returncode == 0, done.stderr[-2000:]
    fitted = np.stack([resize_image(image, SIZE, 2) for image in images])
    expected = source.engine.probabilities(fitted)
    with np.load(tmp_path / "found.npz") as found:
        # Resizing rounds alike up to one step of 255; JPEG changes the second image a little.
        np.testing.assert_allclose(found["scores"], expected, atol=0.02)
        np.testing.assert_array_equal(found["labels"], found["scores"].argmax(-1))
        assert found["labels"].dtype == np.uint8
        places = [place(image.shape[:2], SIZE, 2) for image in images]
        expected_places = [(p.top, p.left, p.height, p.width) for p in places]
        np.testing.assert_array_equal(found["placement"], expected_places)


@pytest.mark.parametrize("resize_op", [1, 2])
@pytest.mark.parametrize(
    "size", [(32, 48), (20, 31), (64, 96), (61, 97), (200, 120), (33, 300), (20, 300)]
)
def test_images_are_fitted_as_in_training(size, resize_op):
    image = image_of(*size)
    found, placement = Fit(SIZE, 3, resize_op)(tf.constant(encoded(image, ".png")))
    expected = resize_image(image, SIZE, resize_op).astype(float)
    assert np.abs(found.numpy() - expected).max() <= 1
    where = place(size, SIZE, resize_op)
    assert placement.numpy().tolist() == [where.top, where.left, where.height, where.width]


def test_the_folder_says_itself_what_its_classes_mean(folder):
    about = json.loads((folder / ABOUT_FILE).read_text())
    assert json.loads(about["class_names"]) == list(CLASSES)


def test_labels_and_bytes_are_possible_too(source, tmp_path):
    path = tmp_path / "unet"
    options = {"output": "labels", "input_dtype": "uint8", "dynamic_size": True}
    export_source(source, SavedModelConfig(output_path=str(path), repeats=0, **options))
    loaded = tf.saved_model.load(str(path))
    image = image_of(*SIZE)
    found = loaded.signatures["encoded"](encoded=tf.constant([encoded(image, ".png")]))
    np.testing.assert_array_equal(found["labels"], source.engine.labels(image[None]))
    assert set(found) == {"labels", "placement"}


def test_images_that_no_file_has_leave_the_signature_out(tmp_path):
    from kseg.export.source import as_source
    from kseg.models import get_model

    base = tiny_source("unet", SIZE)
    model = get_model("unet", 3, (None, None, 5), image_init="divide", filters=4, levels=2)
    done = export_source(
        as_source(model, base.info, base.file),
        SavedModelConfig(output_path=str(tmp_path / "unet"), repeats=0),
    )
    assert done.facts["signatures"] == "serving_default"
    assert "5 channels" in done.facts["encoded"]


def test_a_folder_without_its_description_is_told(folder, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ValueError, match=r"other.json is missing beside it"):
        open_engine(tmp_path / "other")
