"""Frozen graphs: TensorFlow and OpenCV answer as the model does."""

import json
from functools import partial

import cv2
import keras
import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="models are exported on TensorFlow")

import tensorflow as tf

from kseg.config import PbConfig
from kseg.export.pb import ABOUT
from kseg.export.pb_graph import plain_graph
from kseg.export.run import export_source
from kseg.inference import Predictor
from kseg.inference.engines import FrozenEngine, open_engine
from kseg.models import list_models, model_spec
from tests.export.tiny_source import CLASSES, SIZE, tiny_source

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="models are exported on TensorFlow"
)
RNG = np.random.default_rng(0)
FOUNDING = [name for name in list_models() if model_spec(name).founding_parameters]
# Pyramid pooling in uneven bins; gates; dilated and transposed convolutions.
DAILY = ("pspnet", "scseunet", "fcn8")


@pytest.fixture
def exported(export_to):
    """A function that exports the U-Net with options and returns what was written."""
    return partial(export_to, PbConfig, "model.pb")


def images(*shape):
    return RNG.integers(0, 256, (*shape, 3), dtype=np.uint8)


def graph_of(path):
    graph = tf.compat.v1.GraphDef()
    graph.ParseFromString(path.read_bytes())
    return graph


def test_tensorflow_and_opencv_answer_as_the_model(exported, source):
    done = exported()
    batch = images(2, *SIZE)
    expected = source.engine.probabilities(batch)
    for program in ("TensorFlow", "OpenCV"):
        engine = FrozenEngine(done.path, program=program)
        np.testing.assert_allclose(engine.probabilities(batch), expected, atol=1e-5)
        np.testing.assert_array_equal(engine.labels(batch), source.engine.labels(batch))
    assert done.facts["OpenCV"].endswith("same class 100.0000%")


def test_the_graph_has_named_ends_folded_normalisation_and_no_copies(exported):
    graph = graph_of(exported().path)
    kinds = [node.op for node in graph.node]
    assert {"image", "scores"} <= {node.name for node in graph.node}
    assert kinds.count("Placeholder") == 1
    # One product for the normalisation of the images; those of batches are in the kernels.
    assert kinds.count("Mul") == 1
    assert not {"Identity", "NoOp", "Rsqrt", "StatefulPartitionedCall"} & set(kinds)


def test_the_file_says_itself_what_its_classes_mean(exported):
    (image,) = (node for node in graph_of(exported().path).node if node.name == "image")
    about = json.loads(image.attr[ABOUT].s)
    assert json.loads(about["class_names"]) == list(CLASSES)


def test_open_sizes_take_images_of_any_size(exported, source):
    engine = open_engine(exported(dynamic_batch=True, dynamic_size=True).path)
    assert (engine.size, engine.batch_size) == (None, None)
    batch = images(2, 45, 70)
    np.testing.assert_allclose(
        engine.probabilities(batch), source.engine.probabilities(batch), atol=1e-5
    )


def test_labels_come_from_bytes(exported, source):
    done = exported(output="labels", input_dtype="uint8")
    (image,) = images(1, 60, 90)
    (found,) = Predictor(open_engine(done.path), fit="trained").predict([image])
    (expected,) = Predictor(source.engine).predict([image])
    assert found.shape == (60, 90)
    assert np.mean(found == expected) > 0.9


@pytest.mark.parametrize("name", DAILY)
def test_opencv_runs_other_models(name, tmp_path):
    source = tiny_source(name, 64)
    config = PbConfig(output_path=str(tmp_path / "model.pb"), repeats=0, tolerance=1e-5)
    done = export_source(source, config)
    batch = images(1, 64, 64)
    found = FrozenEngine(done.path, program="OpenCV").probabilities(batch)
    np.testing.assert_allclose(found, source.engine.probabilities(batch), atol=1e-5)


@pytest.mark.full
@pytest.mark.parametrize("name", FOUNDING)
def test_every_founding_model_at_its_own_size_is_one_graph(name, tmp_path):
    source = tiny_source(name, 64)
    config = PbConfig(output_path=str(tmp_path / "model.pb"), repeats=0)
    assert export_source(source, config).parity.max_difference <= 1e-4


# --- what OpenCV reads otherwise than TensorFlow


def scores_of_all(function):
    """Return what a function makes of a map in TensorFlow, and its plain graph in OpenCV."""
    kernel = RNG.normal(0, 1, (1, 1, 3, 4)).astype("float32")

    @tf.function
    def network(image):
        return tf.identity(function(tf.nn.conv2d(image, kernel, 1, "SAME")))

    image = RNG.uniform(0, 1, (1, 16, 24, 3)).astype("float32")
    concrete = network.get_concrete_function(tf.TensorSpec(image.shape, name="image"))
    graph = plain_graph(concrete, "scores")
    options = {"engine": cv2.dnn.ENGINE_CLASSIC} if hasattr(cv2.dnn, "ENGINE_CLASSIC") else {}
    net = cv2.dnn.readNetFromTensorflow(
        np.frombuffer(graph.SerializeToString(), "uint8"), **options
    )
    net.setInput(np.ascontiguousarray(image.transpose(0, 3, 1, 2)))
    return network(image).numpy(), net.forward().transpose(0, 2, 3, 1)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: tf.nn.softmax(50 * x),
        lambda x: x + np.float32([1, -2, 3, 0]),
        lambda x: 1.0 - x,
        lambda x: x[:, 3:13, ::2],
        lambda x: tf.math.add_n([x, tf.nn.relu(x), tf.nn.sigmoid(x)]),
        lambda x: x + 0.0,
    ],
    ids=["softmax", "a value per channel", "difference", "slice", "three terms", "nothing"],
)
def test_an_operation_means_the_same_in_both_programs(function):
    expected, found = scores_of_all(function)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_graph_that_opencv_cannot_run_is_written_with_the_reason(tmp_path):
    source = tiny_source("segnet", SIZE)
    done = export_source(source, PbConfig(output_path=str(tmp_path / "model.pb"), repeats=0))
    assert done.parity.max_difference < 1e-5
    assert done.facts["OpenCV"].startswith("OpenCV cannot run this file")
    assert done.path.is_file()


def test_a_file_that_crashes_opencv_is_told(tmp_path):
    # Within this process it would end the export.
    source = tiny_source("bisenet_v2", 64)
    done = export_source(source, PbConfig(output_path=str(tmp_path / "model.pb"), repeats=0))
    assert done.parity.max_difference < 1e-4
    assert done.facts["OpenCV"]
