"""What a run leaves for TensorBoard, read by TensorBoard's own reader."""

import time

import keras
import numpy as np
import pytest
from sklearn.metrics import jaccard_score

from kseg.inference.evaluation.confusion_picture import draw_confusion
from kseg.training.callbacks.profiler import ProfilerTrace
from kseg.training.callbacks.tensorboard import TensorBoardLog
from tests.training import tensorboard_runs
from tests.training.tensorboard_runs import (
    NAMES,
    VOID,
    by_hand,
    compiled,
    events,
    log_of,
    picture,
    points,
)

# Fixtures.
model, data, fitted = tensorboard_runs.model, tensorboard_runs.data, tensorboard_runs.fitted


def test_the_two_parts_have_curves_of_the_same_names(fitted):
    folder, history = fitted
    for part, prefix in (("train", ""), ("validation", "val_")):
        for tag in ("loss", "iou_score"):
            expected = list(enumerate(history[prefix + tag], 1))
            assert points(folder, part, tag) == [(n, pytest.approx(v)) for n, v in expected]
    assert [step for step, _ in points(folder, "train", "learning_rate")] == [1, 2]
    assert [n for n, v in points(folder, "train", "images_per_second") if v > 0] == [1, 2]


def test_the_iou_of_a_class_is_that_of_the_part_of_the_data(fitted, model, data):
    folder, _ = fitted
    for part, (images, labels) in zip(("train", "validation"), data, strict=True):
        found = model.predict(images, verbose=0).argmax(-1)
        expected = jaccard_score(labels.ravel(), found.ravel(), average=None)
        for name, value in zip(NAMES, expected, strict=True):
            steps = points(folder, part, f"class_iou/{name}")
            assert steps == [(1, pytest.approx(value)), (2, pytest.approx(value))]


def test_pictures_belong_to_the_validation(fitted):
    folder, _ = fitted
    tags = events(folder, "validation").Tags()["images"]
    assert tags == ["confusion", "image_truth_prediction/0", "image_truth_prediction/1"]
    assert events(folder, "train").Tags()["images"] == []


@pytest.mark.parametrize("outputs", [1, 2])
def test_a_picture_shows_image_truth_and_answer(outputs, tmp_path):
    model = compiled(outputs)
    for name, label in (("logits", 2), ("aux", 1))[:outputs]:
        model.get_layer(name).set_weights([np.zeros((1, 1, 3, 3)), np.eye(3)[label]])
    images = np.full((2, 32, 32, 3), 200, np.uint8)
    labels = np.full((2, 32, 32), 1, np.uint8)
    labels[1] = VOID
    by_hand(TensorBoardLog(tmp_path, (images, labels), VOID, 4), model, range(1))
    # The colours are (128, 0, 0) for class 1 and (0, 128, 0) for class 2, half of each mixed in.
    grey, red, green = [200] * 3, [164, 100, 100], [100, 164, 100]
    for index, expected in enumerate([(grey, red, green), (grey, grey, green)]):
        strip = picture(tmp_path, "validation", f"image_truth_prediction/{index}")
        assert strip.shape == (32, 96, 3)
        # Without the edges, where JPEG lets colours run.
        thirds = (strip[:, start + 8 : start + 24].mean((0, 1)) for start in (0, 32, 64))
        for third, colour in zip(thirds, expected, strict=True):
            np.testing.assert_allclose(third, colour, atol=6)


def test_the_settings_are_a_block_of_code_and_the_graph_is_there(fitted):
    train = events(fitted[0], "train")
    (text,) = train.Tensors("config/text_summary")[0].tensor_proto.string_val
    assert text.decode() == "    loss: ce\n    epochs: 2"
    assert {node.name for node in train.Graph().node} >= {"logits"}


def test_without_validation_all_belongs_to_the_training(model, data, tmp_path):
    log, logs = log_of(tmp_path, data), {}
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda _, known: logs.update(known))
    model.fit(*data[0], callbacks=[log, keep], verbose=0)
    assert [path.name for path in tmp_path.iterdir()] == ["train"]
    tags = events(tmp_path, "train").Tags()
    assert {"confusion", "image_truth_prediction/0"} <= set(tags["images"])
    assert "class_iou/road" in tags["scalars"]
    # Callbacks behind it, such as the one that writes metrics.csv, find the throughput.
    assert logs["images_per_second"] == pytest.approx(
        points(tmp_path, "train", "images_per_second")[0][1]
    )


def test_a_class_without_pixels_has_no_curve(model, data, tmp_path):
    images, labels = data[0]
    model.fit(images, np.minimum(labels, 1), callbacks=[log_of(tmp_path, data)], verbose=0)
    scalars = events(tmp_path, "train").Tags()["scalars"]
    assert {tag for tag in scalars if tag.startswith("class")} == {
        "class_iou/ground",
        "class_iou/road",
    }


def test_without_names_there_is_nothing_about_single_classes(model, data, tmp_path):
    by_hand(log_of(tmp_path, data, class_names=()), model, range(1))
    assert [tag for tag in events(tmp_path, "train").Tags()["scalars"] if "class" in tag] == []
    assert "confusion" not in events(tmp_path, "validation").Tags()["images"]


def test_a_resumed_run_continues_every_curve_without_doubles(fitted, model, data, tmp_path):
    by_hand(log_of(tmp_path, data), model, range(3), iou_score=0.1)
    by_hand(log_of(tmp_path, data, first_epoch=1), model, range(1, 4), iou_score=0.9)
    values = [value for _, value in points(tmp_path, "train", "iou_score")]
    assert values == pytest.approx([0.1, 0.9, 0.9, 0.9])
    for part in ("train", "validation"):
        found = events(tmp_path, part)
        tags = found.Tags()
        assert "class_iou/road" in tags["scalars"]
        for tag in tags["scalars"]:
            assert [event.step for event in found.Scalars(tag)] == [1, 2, 3, 4], tag
        for tag in tags["images"]:
            assert [event.step for event in found.Images(tag)] == [1, 2, 3, 4], tag


def test_an_epoch_is_on_the_disk_when_it_ends(model, data, tmp_path):
    log = log_of(tmp_path, data)
    by_hand(log, model, range(2))
    assert points(tmp_path, "validation", "loss") == [(1, 0.25), (2, 1.25)]
    log.on_train_end()


def test_the_time_of_the_validation_does_not_count(model, data, tmp_path):
    log, logs, pause = log_of(tmp_path, data), {"loss": 1.0}, 0.2
    log.set_model(model)
    log.on_train_begin()
    start = time.perf_counter()
    log.on_epoch_begin(0)
    log.on_test_begin()
    time.sleep(pause)
    log.on_epoch_end(0, logs)
    assert 4 / logs["images_per_second"] <= time.perf_counter() - start - pause


def test_of_several_outputs_the_answer_is_scored(data, tmp_path):
    model, (images, labels) = compiled(outputs=2), data[0]
    truth = {"logits": labels, "aux": labels}
    model.fit(images, truth, callbacks=[log_of(tmp_path, data)], verbose=0)
    found = model.predict(images, verbose=0)["logits"].argmax(-1)
    expected = jaccard_score(labels.ravel(), found.ravel(), average=None)
    assert points(tmp_path, "train", "class_iou/road") == [(1, pytest.approx(expected[1]))]


def test_counts_are_written_into_the_confusion_picture():
    few, many = (draw_confusion(np.diag([n, n]), ["a", "$b_$"]) for n in (10, 10**6))
    assert few.shape == many.shape
    assert few.dtype == np.uint8
    assert (few != many).any()


def test_of_many_classes_the_smallest_are_drawn_as_one():
    # 40 classes with 100, 101, ... pixels: the 11 smallest are 0 to 10.
    matrix = np.diag(np.arange(100, 140))
    matrix[0, 39] = 7
    merged = np.zeros((30, 30), int)
    merged[:29, :29] = np.diag(np.arange(111, 140))
    merged[29, 29], merged[29, 28] = sum(range(100, 111)), 7
    names = [f"class {n}" for n in range(40)]
    expected = draw_confusion(merged, [*names[11:], "11 others"])
    np.testing.assert_array_equal(draw_confusion(matrix, names), expected)


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="Keras has no profiler for PyTorch")
@pytest.mark.parametrize(("epochs", "traces"), [(4, 1), (1, 0)])
def test_some_steps_are_profiled(epochs, traces, model, data, tmp_path, capsys):
    trace = ProfilerTrace(tmp_path, first_step=2, steps=2)
    model.fit(*data[0], batch_size=4, epochs=epochs, callbacks=[trace], verbose=0)
    assert len(list(tmp_path.glob("plugins/profile/*/*.xplane.pb"))) == traces
    assert ("nothing was profiled" in capsys.readouterr().out) == (traces == 0)


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="the others have a profiler")
def test_a_backend_without_profiler_says_so(tmp_path):
    with pytest.raises(ValueError, match="--profile: Keras has no profiler for the backend torch"):
        ProfilerTrace(tmp_path)
