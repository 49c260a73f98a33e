"""LiteRT files in all precisions: they answer as the model does and describe themselves."""

import json

import cv2
import keras
import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="models are exported on TensorFlow")
pytest.importorskip("ai_edge_litert", reason="pip install ai-edge-litert")

from ai_edge_litert.interpreter import Interpreter
from tensorflow.lite.tools import flatbuffer_utils

from kseg.config import LitertConfig
from kseg.config.parse import UsageError
from kseg.data.parts import iter_parts
from kseg.export.litert import METADATA
from kseg.export.run import export_source
from kseg.inference.engines import open_engine
from kseg.models import list_models, model_spec
from tests.export.tiny_source import CLASSES, SIZE, tiny_source

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="models are exported on TensorFlow"
)
RNG = np.random.default_rng(0)
FOUNDING = [name for name in list_models() if model_spec(name).founding_parameters]
# Pooling with indices, pyramid pooling and three transposed convolutions.
DAILY = ("segnet", "pspnet", "fcn8")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of images."""
    folder = tmp_path_factory.mktemp("pictures")
    for index, (image, _) in enumerate(iter_parts("train", 8, size=SIZE)):
        cv2.imwrite(str(folder / f"{index}.png"), image)
    return folder


@pytest.fixture
def exported(export_to, pictures):
    """A function that exports the U-Net with options and returns what was written."""

    def run(**options):
        if options.get("precision") == "int8":
            # Random weights give nearly equal scores, of which 8 bits lose the order.
            options = {"calibration_data": str(pictures), "agreement": 0.8, **options}
        return export_to(LitertConfig, "model.tflite", **options)

    return run


def images(*shape):
    return RNG.integers(0, 256, (*shape, 3), dtype=np.uint8)


def ends_of(path):
    """Return the types of input and output."""
    model = Interpreter(str(path))
    return tuple(
        np.dtype(one["dtype"]).name
        for one in (*model.get_input_details(), *model.get_output_details())
    )


def test_float32_answers_as_the_model(exported, source):
    done = exported()
    batch = images(2, *SIZE)
    found = open_engine(done.path).probabilities(batch)
    np.testing.assert_allclose(found, source.engine.probabilities(batch), atol=1e-5)
    assert ends_of(done.path) == ("float32", "float32")


def test_open_sizes_take_images_of_any_size(exported, source):
    engine = open_engine(exported(dynamic_batch=True, dynamic_size=True).path)
    for batch in (images(2, 45, 70), images(1, 64, 33)):
        np.testing.assert_allclose(
            engine.probabilities(batch), source.engine.probabilities(batch), atol=1e-5
        )


def test_fewer_bits_make_smaller_files_that_answer_nearly_alike(exported, source):
    batch = images(1, *SIZE)
    expected = source.engine.probabilities(batch)
    sizes = []
    for precision, atol in (("float32", 1e-5), ("float16", 0.01), ("dynamic", 0.1), ("int8", 0.15)):
        done = exported(precision=precision, agreement=0.8)
        sizes.append(done.size)
        np.testing.assert_allclose(open_engine(done.path).probabilities(batch), expected, atol=atol)
    assert sizes[1] < 0.75 * sizes[0]
    assert sizes[3] < 0.75 * sizes[0]


@pytest.mark.parametrize(
    ("options", "ends"),
    [
        ({"input_dtype": "uint8"}, ("uint8", "float32")),
        ({"input_dtype": "uint8", "quantized_output": True}, ("uint8", "uint8")),
        ({"input_dtype": "uint8", "output": "labels"}, ("uint8", "uint8")),
    ],
)
def test_8_bits_can_go_in_and_come_out(options, ends, exported, source):
    done = exported(precision="int8", **options)
    assert ends_of(done.path) == ends
    batch = images(2, *SIZE)
    same = open_engine(done.path).labels(batch) == source.engine.labels(batch)
    assert same.mean() > 0.8
    assert done.facts["calibrated on"] == "8 images"


def test_the_file_says_itself_what_its_classes_mean(exported):
    model = flatbuffer_utils.read_model(str(exported().path))
    (entry,) = (one for one in model.metadata if one.name == METADATA.encode())
    about = json.loads(bytes(model.buffers[entry.buffer].data))
    assert json.loads(about["class_names"]) == list(CLASSES)


def test_scores_as_bytes_are_for_8_bits():
    with pytest.raises(UsageError, match="--quantized_output is for the scores of"):
        LitertConfig(quantized_output=True)


@pytest.mark.parametrize("name", DAILY)
def test_other_models_answer_alike(name, tmp_path):
    source = tiny_source(name, 64)
    config = LitertConfig(output_path=str(tmp_path / "model.tflite"), repeats=0, tolerance=1e-5)
    assert export_source(source, config).parity.agreement == 1


@pytest.mark.full
@pytest.mark.parametrize("name", FOUNDING)
def test_every_founding_model_answers_alike(name, tmp_path):
    source = tiny_source(name, 64)
    config = LitertConfig(output_path=str(tmp_path / "model.tflite"), repeats=0)
    assert export_source(source, config).parity.max_difference <= 1e-4
