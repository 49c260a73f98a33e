"""The graph of a model for TensorBoard."""

import keras
import pytest
from keras import layers
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.plugins.graph.graphs_plugin import process_graph

from kseg.models import get_model
from kseg.training.callbacks.model_graph import model_graph
from tests.tiny import tiny_options


def nodes_of(model):
    """The nodes by name, read with TensorBoard's own messages as its plugin does."""
    graph = GraphDef.FromString(model_graph(model).SerializeToString())
    process_graph.prepare_graph_for_ui(graph)
    nodes = {node.name: node for node in graph.node}
    assert len(nodes) == len(graph.node)
    for node in graph.node:
        assert all(name.split(":")[0] in nodes for name in node.input)
    return nodes


@pytest.fixture(scope="module")
def unet():
    return get_model("unet", 3, (32, None, 3), **tiny_options("unet"))


def test_there_is_a_node_per_layer_with_class_inputs_and_parameters(unet):
    nodes = nodes_of(unet)
    assert len(nodes) == len(unet.layers)
    assert sum(node.attr["parameters"].i for node in nodes.values()) == unet.count_params()
    conv = nodes["enc0/a/conv"]
    assert (conv.op, list(conv.input)) == ("Conv2D", ["pad"])
    assert conv.attr["dtype"].s == b"float32"
    (shape,) = conv.attr["_output_shapes"].list.shape
    assert [dim.size for dim in shape.dim] == [-1, 32, -1, 4]


def test_the_words_of_names_are_blocks(unet):
    blocks = {name.split("/")[0] for name in nodes_of(unet)}
    assert blocks == {"image", "pad", "enc0", "enc1", "enc2", "dec1", "dec0", "head"}


def test_names_that_keras_made_up_are_no_blocks():
    x = keras.Input((4, 4, 3), name="in")
    y = layers.MaxPooling2D(name="max_pooling2d_8")(x)
    model = keras.Model(x, layers.Conv2D(2, 1, name="mixed10_1")(y))
    assert list(nodes_of(model)) == ["in", "max_pooling2d_8", "mixed10_1"]


def test_each_call_of_a_shared_layer_is_a_node():
    x, shared = keras.Input((4, 4, 3), name="in"), layers.Conv2D(3, 1, name="conv")
    nodes = nodes_of(keras.Model(x, layers.Add(name="sum")([shared(x), shared(shared(x))])))
    assert set(nodes) == {"in", "conv", "conv_2", "conv_3", "sum"}
    assert len(set(nodes["sum"].input)) == 2


def test_a_model_in_a_model_is_a_block_and_its_neighbours_are_linked_to_what_is_in_it():
    a, b = keras.Input((4, 4, 3), name="a"), keras.Input((4, 4, 3), name="b")
    outputs = [layers.Add(name="out_sum")([a, b]), layers.ReLU(name="out_relu")(b)]
    inner = keras.Model([a, b], outputs, name="encoder")
    x = keras.Input((4, 4, 3), name="in")
    total, relu = inner([x, layers.ReLU(name="first")(x)])
    chain = keras.Sequential(
        [keras.Input((4, 4, 3)), layers.Conv2D(1, 1, name="last")], name="chain"
    )
    nodes = nodes_of(keras.Model(x, [chain(total), layers.Conv2D(1, 1, name="other")(relu)]))
    assert list(nodes["encoder/a"].input) == ["in"]
    assert list(nodes["encoder/b"].input) == ["first"]
    assert list(nodes["encoder/out/sum"].input) == ["encoder/a", "encoder/b"]
    assert list(nodes["other"].input) == ["encoder/out/relu"]
    (entry,) = nodes["chain/last"].input
    assert list(nodes[entry].input) == ["encoder/out/sum"]


def test_a_model_without_a_graph_gives_an_empty_one():
    class Plain(keras.Model):
        def call(self, x):
            return x

    assert nodes_of(Plain()) == {}


def test_a_second_output_of_a_layer_has_a_name_of_its_own():
    x = keras.Input((6, 3), name="in")
    _, state = layers.GRU(2, return_state=True, name="gru")(x)
    nodes = nodes_of(keras.Model(x, layers.Dense(1, name="dense")(state)))
    assert list(nodes["dense"].input) == ["gru:1"]
