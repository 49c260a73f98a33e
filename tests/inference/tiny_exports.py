"""A 1x1 convolution, which every runtime has, as a file of each format, with its description."""

import keras
import numpy as np
import pytest
from keras import layers

from kseg.inference import ModelInfo
from kseg.inference.sidecar import Sidecar

CLASSES = 3
INFO = ModelInfo("unet", ("sky", "road", "car"), None, 32, 48, 1, "divide")
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (3, 32, 48, 3)).astype("uint8")
KERNEL = RNG.normal(0, 2, (1, 1, 3, CLASSES)).astype("float32")
BIAS = np.array([0.1, -0.2, 0.3], "float32")
# What it makes of the images divided by 255.
LOGITS = np.einsum("nhwc,cd->nhwd", IMAGES / 255.0, KERNEL[0, 0]).astype("float32") + BIAS


def tiny_model(activation=None, scores=CLASSES, size=(None, None)):
    inputs = keras.Input((*size, 3), name="image")
    conv = layers.Conv2D(scores, 1, activation=activation, dtype="float32", name="head_conv")
    model = keras.Model(inputs, conv(layers.Rescaling(1 / 255)(inputs)))
    conv.set_weights([KERNEL[..., :scores], BIAS[:scores]])
    return model


def describe(path, **changes):
    values = {"format": "onnx", "model": INFO, "input": "image", "outputs": ("scores",)}
    Sidecar(**{**values, **changes}).write(path)
    return path


def onnx_file(path, *, batch=None, size=(None, None), planes=False, uint8=False):
    """Write the convolution as an ONNX graph and describe it."""
    onnx = pytest.importorskip("onnx", reason="pip install onnx")
    pytest.importorskip("onnxruntime", reason="pip install onnxruntime")
    helper, types = onnx.helper, onnx.TensorProto
    node = helper.make_node
    weights = {"kernel": KERNEL.transpose(3, 2, 0, 1) / 255, "bias": BIAS}
    nodes = [node("Cast", ["image"], ["float"], to=types.FLOAT)]
    if planes:
        nodes.append(node("Conv", ["float", "kernel", "bias"], ["scores"]))
    else:
        nodes.append(node("Transpose", ["float"], ["planes"], perm=[0, 3, 1, 2]))
        nodes.append(node("Conv", ["planes", "kernel", "bias"], ["found"]))
        nodes.append(node("Transpose", ["found"], ["scores"], perm=[0, 2, 3, 1]))
    shapes = [[batch or "n", *size, channels] for channels in (3, CLASSES)]
    if planes:
        shapes = [[n, c, h, w] for n, h, w, c in shapes]
    kind = types.UINT8 if uint8 else types.FLOAT
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", kind, shapes[0])],
        [helper.make_tensor_value_info("scores", types.FLOAT, shapes[1])],
        [onnx.numpy_helper.from_array(value.copy(), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)
    return describe(
        path,
        layout="NCHW" if planes else "NHWC",
        input_dtype="uint8" if uint8 else "float32",
        size=None if None in size else size,
        batch_size=batch,
    )


def openvino_file(path):
    ov = pytest.importorskip("openvino", reason="pip install openvino")
    model = ov.convert_model(onnx_file(path.with_suffix(".onnx")))
    ov.save_model(model, path, compress_to_fp16=False)
    return describe(path, format="openvino")


def tensorflow_graph(tf, image):
    return tf.nn.bias_add(tf.nn.conv2d(image, KERNEL / 255, 1, "SAME"), BIAS, name="scores")


def litert_file(path, *, int8=False):
    tf = pytest.importorskip("tensorflow", reason="its converter writes the file")
    function = tf.function(lambda image: tensorflow_graph(tf, image))
    graph = function.get_concrete_function(tf.TensorSpec((1, 32, 48, 3), name="image"))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph], function)
    if int8:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([one[None].astype("f4")] for one in IMAGES)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    path.write_bytes(converter.convert())
    return describe(path, format="litert", size=(32, 48), batch_size=1)


def ncnn_file(path):
    pytest.importorskip("ncnn", reason="pip install ncnn")
    # Magic number, counts of layers and blobs; a 1x1 convolution of so many outputs and weights.
    path.write_text(
        "7767517\n2 2\nInput image 0 1 in0\n"
        f"Convolution conv 1 1 in0 out0 0={CLASSES} 1=1 5=1 6={KERNEL.size}\n"
    )
    kernel = np.ascontiguousarray(KERNEL.transpose(3, 2, 0, 1) / 255)
    path.with_suffix(".bin").write_bytes(bytes(4) + kernel.tobytes() + BIAS.tobytes())
    return describe(path, format="ncnn", layout="NCHW", input="in0", outputs=("out0",))


def pb_file(path):
    tf = pytest.importorskip("tensorflow", reason="it writes the file")
    with tf.Graph().as_default() as graph:
        image = tf.compat.v1.placeholder(tf.float32, (None, None, None, 3), "image")
        tensorflow_graph(tf, image)
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return describe(path, format="pb")


FILES = {
    "model.onnx": onnx_file,
    "model.xml": openvino_file,
    "model.tflite": litert_file,
    "model.param": ncnn_file,
    "model.pb": pb_file,
}
