"""Calibration images, 8-bit ONNX and OpenVINO, and what 8 bits cost."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

pytest.importorskip("tensorflow", reason="models are exported on TensorFlow")

from kseg.config import OnnxConfig, OpenvinoConfig
from kseg.data.io import read_image
from kseg.data.parts import write_parts
from kseg.data.resize import resize_image
from kseg.export.calibration import calibration_batches, calibration_images, evenly
from kseg.export.miou import check_drop, miou_drop
from kseg.export.parity import ParityError
from kseg.export.run import export_source
from kseg.export.source import as_source, load_source
from kseg.inference import ModelInfo
from kseg.models import get_model
from tests.inference.bright import Bright, half_bright, save_bright, save_picture
from tests.tiny import OPTIONS

SIZE = (32, 48)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder of a model that is always right on its data set of half bright images."""
    root = tmp_path_factory.mktemp("bright")
    for part, count in (("train", 5), ("test", 2)):
        for index in range(count):
            image = half_bright(40, 40 + 8 * index)
            save_picture(root / "data" / "halves" / f"{part}_image" / f"{index}.png", image)
            mask = (image[..., :1] > 0).astype("uint8")
            save_picture(root / "data" / "halves" / f"{part}_label" / f"{index}.png", mask)
    return save_run(root / "run", resize_op=2)


def save_run(folder, **changes):
    """Write a run folder as if the model had been trained on `halves` beside it."""
    folder.mkdir()
    save_bright(folder / "best.keras", **changes)
    settings = {"dataset_name": "halves", "data_root": str(folder.parent / "data")}
    (folder / "config.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    return folder


@pytest.fixture(scope="module")
def unet():
    """A U-Net with random weights that is large enough for weights to be most of the file."""
    model = get_model("unet", 3, image_init="divide", filters=16, levels=4)
    info = ModelInfo("unet", ("sky", "road", "car"), None, 64, 64, 1, "divide")
    return as_source(model, info, Path("unet.keras"))


def config_of(run, kind=OnnxConfig, **changes):
    return kind(str(run), precision="int8", **changes)


def test_calibration_images_are_training_images_fitted_as_in_training(run):
    config = config_of(run)
    images = list(calibration_images(config, load_source(config)))
    files = sorted((run.parent / "data" / "halves" / "train_image").iterdir())
    expected = [resize_image(read_image(file), SIZE, 2) for file in files]
    assert len(images) == 5
    assert all(image.dtype == np.uint8 for image in images)
    np.testing.assert_array_equal(images, expected)


def test_calibration_images_come_at_the_size_of_the_export(run):
    config = config_of(run, input_height=64, calibration_images=2)
    images = list(calibration_images(config, load_source(config)))
    assert [image.shape for image in images] == [(64, 48, 3)] * 2


def test_calibration_data_may_be_a_data_set_or_a_folder_of_images(run, tmp_path):
    source = load_source(config_of(run))
    # By its name a data set would be drawn, and into this folder.
    write_parts(tmp_path / "parts", size=(40, 40), train=4, val=1, test=1)
    for folder, count in ((tmp_path / "parts", 4), (tmp_path / "parts" / "val_image", 1)):
        config = config_of(run, calibration_data=str(folder))
        assert len(list(calibration_images(config, source))) == count


def test_images_are_taken_at_even_distances():
    assert evenly(range(9), 3) == [0, 4, 8]
    assert evenly(range(3), 5) == [0, 1, 2]


def test_batches_for_calibration_have_type_layout_and_size_of_the_graph(run):
    config = config_of(run, batch_size=2, input_dtype="uint8")
    first, *_, last = calibration_batches(config, load_source(config))
    assert (first.shape, first.dtype) == ((2, 3, *SIZE), np.uint8)
    # Five images: the last batch is filled up.
    np.testing.assert_array_equal(last[0], last[1])


@pytest.mark.parametrize("data", ["nowhere/at/all", "empty"])
def test_missing_calibration_images_are_one_sentence(run, tmp_path, data):
    (tmp_path / "empty").mkdir()
    config = config_of(run, calibration_data=str(tmp_path / data))
    with pytest.raises(ValueError, match=data):
        calibration_images(config, load_source(config))


def test_a_model_outside_a_run_needs_calibration_data(tmp_path):
    config = config_of(save_bright(tmp_path / "alone.keras"))
    with pytest.raises(ValueError, match="--calibration_data"):
        calibration_images(config, load_source(config))


def test_the_drop_of_mean_iou_is_that_of_the_held_out_images(run):
    config = config_of(run)
    source = load_source(config)
    good = Bright(resize_op=2)
    assert miou_drop(config, source, good)["mIoU drop"] == 0
    # Everything is background: IoU 1/2 of the background and 0 of the other class.
    blind = Bright(resize_op=2)
    blind.probabilities = lambda batch: good.probabilities(np.zeros_like(batch))
    blind.labels = lambda batch: good.labels(np.zeros_like(batch))
    drop = miou_drop(config, source, blind)
    assert drop["mIoU drop"] == pytest.approx(0.75, abs=1e-4)
    assert drop["mIoU on"] == "2 test images of halves"
    with pytest.raises(ParityError, match="0.7500 less mean IoU"):
        check_drop(drop, config)


def test_without_labels_it_says_why_the_drop_is_unknown(tmp_path):
    config = config_of(save_bright(tmp_path / "alone.keras"))
    drop = miou_drop(config, load_source(config), Bright())
    assert "not measured" in drop["mIoU drop"]
    check_drop(drop, config)


@pytest.mark.parametrize("kind", [OnnxConfig, OpenvinoConfig])
def test_an_8_bit_export_of_a_run_is_as_good_as_the_original(run, kind, tmp_path):
    pytest.importorskip("onnxruntime" if kind is OnnxConfig else "nncf")
    # The grey border of a letterbox is as bright as dark for this model.
    stretched = save_run(run.parent / kind.format, resize_op=1)
    path = tmp_path / f"model{kind.suffix}"
    config = config_of(stretched, kind, output_path=str(path), repeats=0)
    exported = export_source(load_source(config), config)
    assert exported.path == path
    assert exported.facts["mIoU drop"] == 0
    assert exported.facts["calibrated on"] == "5 images"


@pytest.mark.parametrize("kind", [OnnxConfig, OpenvinoConfig])
def test_an_8_bit_file_has_at_most_30_percent_of_the_size(unet, kind, tmp_path):
    pytest.importorskip("onnxruntime" if kind is OnnxConfig else "nncf")
    pictures = tmp_path / "pictures"
    rng = np.random.default_rng(0)
    for index in range(2):
        noise = rng.integers(0, 256, (64, 64, 3), "uint8")
        save_picture(pictures / f"{index}.png", noise)
    config = kind(output_path=str(tmp_path / f"plain{kind.suffix}"), repeats=0)
    small = replace(
        config,
        precision="int8",
        calibration_data=str(pictures),
        output_path=str(tmp_path / f"small{kind.suffix}"),
        # The largest of nearly equal random scores depends on the last bits.
        agreement=0,
    )
    assert export_source(unet, small).size < 0.3 * export_source(unet, config).size


def test_weights_of_8_bit_onnx_have_a_scale_for_each_channel(unet, tmp_path):
    onnx = pytest.importorskip("onnx")
    from kseg.export.graph import make_graph
    from kseg.export.onnx_int8 import quantized
    from kseg.export.onnx_model import onnx_model

    images = [np.full((1, 3, 64, 64), value, "float32") for value in (0, 255)]
    model = quantized(onnx_model(make_graph(unet, OnnxConfig()), opset=17).model, images)
    values = {one.name: onnx.numpy_helper.to_array(one) for one in model.graph.initializer}
    kernels = {
        node.input[0]: node.input[1]
        for node in model.graph.node
        if node.op_type == "DequantizeLinear" and values.get(node.input[0], np.zeros(1)).ndim == 4
    }
    assert len(kernels) > 10
    for kernel, scale in kernels.items():
        assert values[kernel].dtype == np.int8
        assert values[scale].size in values[kernel].shape[:2]
        assert values[scale].size > 1


@pytest.mark.parametrize("name", ["enet", "pspnet", "segnet"])
def test_8_bit_onnx_keeps_all_constants_of_the_graph(name):
    runtime = pytest.importorskip("onnxruntime")
    from kseg.export.graph import make_graph
    from kseg.export.onnx_int8 import quantized
    from kseg.export.onnx_model import onnx_model

    model = get_model(name, 2, image_init="divide", **OPTIONS.get(name, {}))
    source = as_source(model, ModelInfo(name, ("no", "yes"), None, 64, 64, 1, "divide"), Path(name))
    images = [np.full((1, 3, 64, 64), value, "float32") for value in (0, 255)]
    small = quantized(onnx_model(make_graph(source, OnnxConfig()), opset=17).model, images)
    session = runtime.InferenceSession(small.SerializeToString())
    (scores,) = session.run(None, {session.get_inputs()[0].name: images[1]})
    assert np.isfinite(scores).all()
