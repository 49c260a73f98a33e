"""`kseg train --auto`: what is seen in a data set, and what follows from it."""

import io
from dataclasses import replace

import keras
import numpy as np
import pytest
import tifffile
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console

from kseg.config import TrainConfig, parse_config
from kseg.data.augment import find_recipe, needs_soft_labels
from kseg.data.check import Survey
from kseg.data.classes import with_channels, with_classes
from kseg.data.dataset import Dataset, SampleFiles
from kseg.data.registry import open_dataset
from kseg.training import train
from kseg.training.propose import (
    Budget,
    Classes,
    Facts,
    Shapes,
    Sizes,
    auto,
    explain,
    given_settings,
    inspect,
    machine_budget,
    propose,
    write_proposal,
)
from kseg.training.propose.budget import gpu_memory_gb, host_memory_gb
from kseg.training.propose.cost import Cost, Network, count_elements, image_cost, training_gb
from kseg.training.propose.image_sizes import image_size
from kseg.training.propose.looks import must_be_parted, only_lines, thin_classes
from kseg.training.propose.shapes import map_shapes, summarise_shapes
from tests.data.labelme_files import document, picture, png_text, shape, write_json
from tests.layouts import save, write_layouts

CPU, GPU = Budget(8.0, backend="tensorflow"), Budget(20.0, device="gpu", cores=16, backend="jax")


def facts_of(**changes):
    """300 colour images of 256x256; a third of the pixels belong to compact objects."""
    values = {
        "name": "own",
        "train": 300,
        "val": 30,
        "test": 30,
        "channels": 3,
        "grey": False,
        "deep": False,
        "sizes": Sizes((256, 256), (256, 256), (256, 256)),
        "classes": Classes(("ground", "part"), (2000, 1000), (3000, 3000)),
        "shapes": Shapes(16, 2.0, 900.0, 0.0, (60.0, 30.0), (99.0, 50.0), (3.0, 2.0)),
    }
    return Facts(**{**values, **changes})


def of_size(height, width):
    return {"sizes": Sizes((height, width), (height, width), (height, width))}


def with_shares(*shares):
    pixels = tuple(round(1e6 * share) for share in shares)
    names = tuple(f"class {label}" for label in range(len(shares)))
    count = len(shares)
    shapes = Shapes(16, 2.0, 900.0, 0.0, (50.0,) * count, (60.0,) * count, (2.0,) * count)
    return {"classes": Classes(names, pixels, (sum(pixels),) * count), "shapes": shapes}


LINES = {"shapes": Shapes(16, 40.0, 16.0, 0.7, (60.0, 5.0), (99.0, 9.0), (9.0, 400.0))}
CELLS = {"shapes": Shapes(16, 20.0, 250.0, 0.4, (90.0, 20.0), (99.0, 30.0), (9.0, 3.0))}


# Looking at files


def write_set(folder, masks, images=None):
    for part in ("train", "test"):
        for index, mask in enumerate(masks):
            image = np.zeros((*mask.shape, 3), np.uint8) if images is None else images[index]
            save(folder / f"{part}_image" / f"{index}.png", image)
            save(folder / f"{part}_label" / f"{index}.png", mask)
    return open_dataset(folder.name, folder.parent)


def test_facts_by_hand(tmp_path):
    # A block of 10x8 pixels in images of 40x60 and 40x60; 5 rows of void in one of 80x100.
    masks = [np.zeros(size, np.uint8) for size in ((40, 60), (40, 60), (80, 100))]
    masks[0][5:15, 20:28] = 1
    masks[2][:5] = 255
    images = [np.random.default_rng(0).integers(0, 256, (*m.shape, 3), "uint8") for m in masks]
    dataset = with_classes(write_set(tmp_path / "own", masks, images), None, 255)
    facts = inspect(dataset, Survey(dataset, 1))
    assert (facts.name, facts.train, facts.test, facts.channels) == ("own", 3, 3, 3)
    assert (facts.grey, facts.deep) == (False, False)
    assert facts.classes.pixels == (2 * 2400 + 7500 - 80, 80)
    assert facts.classes.image_pixels == (2 * 2400 + 7500, 2400)
    assert facts.classes.rarest_share == pytest.approx(80 / 12300)
    assert facts.classes.void_share == pytest.approx(500 / 12800)
    assert (facts.sizes.smallest, facts.sizes.median) == ((40, 60), (40, 60))
    assert facts.sizes.largest == (80, 100)
    # Widths by heights are 1.25, 1.5, 1.5; their 5th percentile is 1.25 + 0.1 * 0.25.
    assert facts.sizes.aspect_spread == pytest.approx(1.5 / 1.275)
    assert (facts.shapes.maps, facts.shapes.objects, facts.shapes.object_pixels) == (3, 0, 80)
    assert "own: 3 training, 3 validation and 3 test images" in facts.lines()[0]


def test_bands_grey_images_and_depth_are_seen(tmp_path):
    write_layouts(tmp_path, "fields", "isbi", "streets")
    found = {}
    for name, channels in (("fields", 5), ("isbi", None), ("streets", None)):
        dataset = with_channels(open_dataset(name, tmp_path), channels)
        found[name] = inspect(dataset, Survey(dataset, 1))
    assert [facts.channels for facts in found.values()] == [5, 3, 3]
    assert [facts.grey for facts in found.values()] == [False, True, False]
    assert found["streets"].num_classes == 6
    assert found["isbi"].sizes == Sizes((48, 64), (48, 64), (48, 64))
    assert (found["isbi"].train, found["isbi"].val, found["isbi"].test) == (6, 4, 6)


def turned_jpeg(path):
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(picture((20, 30))).save(path, exif=exif)


def pages_tiff(path):
    tifffile.imwrite(path, np.zeros((4, 20, 30), "uint8"), photometric="minisblack")


@pytest.mark.parametrize(
    ("name", "write", "page", "size"),
    [
        ("a.png", lambda path: Image.fromarray(picture((20, 30))).save(path), None, (20, 30)),
        ("turned.jpg", turned_jpeg, None, (30, 20)),
        ("a.npy", lambda path: np.save(path, np.zeros((20, 30, 5), "uint8")), None, (20, 30)),
        ("a.tif", lambda path: tifffile.imwrite(path, picture((20, 30))), None, (20, 30)),
        ("b.tif", pages_tiff, 2, (20, 30)),
    ],
)
def test_sizes_come_from_headers(name, write, page, size, tmp_path):
    write(tmp_path / name)
    files = SampleFiles(tmp_path / name, page=page)
    assert image_size(Dataset("own", [files], [], [], ("a", "b")), files) == size


def test_the_size_of_an_embedded_image_is_that_of_the_image(tmp_path):
    for part in ("train", "val"):
        write_json(tmp_path / "own" / part, part, document(shape(), imageData=png_text(picture())))
    dataset = open_dataset("own", tmp_path)
    assert image_size(dataset, dataset.train[0]) == (30, 40)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x01\x00", b"II*\0rest", b"\x89PNG rest"])
def test_a_damaged_header_is_a_sentence(content, tmp_path):
    path = tmp_path / "bad.img"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"bad\.img: "):
        image_size(Dataset("own", [], [], [], ("a", "b")), SampleFiles(path))


def test_a_strip_has_its_width_and_length():
    labels = np.zeros((20, 60), np.uint8)
    labels[8:12] = 1
    shapes = summarise_shapes([map_shapes(labels, 3, 255)])
    assert (shapes.objects, shapes.object_pixels, shapes.close_share) == (1, 240, 0)
    # Distances to the border 0.5, 1.5, 1.5, 0.5: the mean is 1, a quarter of the width.
    assert (shapes.widths[1], shapes.widest[1], shapes.elongations[1]) == (4, 3, 60 / 4)
    assert (shapes.widths[2], shapes.elongations[2]) == (0, 0)


@pytest.mark.parametrize(
    ("gap", "ground", "close"), [(2, 0, 2), (6, 0, 2), (7, 0, 0), (2, 255, 0), (2, 2, 0)]
)
def test_objects_behind_a_narrow_gap_of_background_are_close(gap, ground, close):
    labels = np.zeros((30, 60), np.uint8)
    labels[5:10, 0:5] = labels[5:10, 5 + gap : 10 + gap] = 1
    labels[:15, 5 : 5 + gap] = ground
    labels[20:25, 50:55] = 1
    labels[25:28, 5:8] = 1  # a speck of nine pixels
    found = map_shapes(labels, 2, 255)
    assert sorted(found.areas) == [25, 25, 25]
    assert found.close == close


def test_a_map_of_one_class_has_the_width_of_the_image():
    found = summarise_shapes([map_shapes(np.ones((20, 40), np.uint8), 2, 255)])
    assert (found.widths[1], found.elongations[1], found.objects) == (20, 2, 1)


@pytest.mark.parametrize(
    ("name", "settings_"),
    [
        ("camvid", {"loss": "ce_dice", "class_weights": "median_frequency", "augment": "medium"}),
        ("isbi2012", {"loss": "cl_dice", "augment": "medical", "input_height": 512}),
    ],
)
def test_real_data_get_sane_settings(name, settings_, real_data, tmp_path):
    folder = real_data(name)
    dataset = open_dataset(name.removesuffix("2012"), folder.parent)
    few = replace(dataset, train=dataset.train[::25] if name == "camvid" else dataset.train[:6])
    facts = inspect(few, Survey(few, 1, cache=False))
    facts = replace(facts, train=len(dataset.train))
    found = propose(facts, CPU).values
    assert {key: found[key] for key in settings_} == settings_
    assert found["input_width"] % 32 == 0
    assert abs(found["input_width"] - facts.sizes.median[1]) <= 16
    assert found["train_batch_size"] in (2, 4)


# Rules


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"loss": "ce_dice", "class_weights": "none", "augment": "medium", "resize_op": 1}),
        (LINES, {"loss": "cl_dice", "loss_options": {"class_ids": [1], "iterations": 5}}),
        (LINES, {"class_weights": "none", "augment": "medical"}),
        (CELLS, {"loss": "edge_weighted_ce", "class_weights": "none", "augment": "medical"}),
        (with_shares(0.99, 0.01), {"loss": "ce_dice", "class_weights": "none"}),
        (with_shares(0.68, 0.3, 0.02), {"loss": "ce_dice", "class_weights": "median_frequency"}),
        (with_shares(0.7, 0.2999, 0.0001), {"class_weights": "enet"}),
        (with_shares(0.5, 0.4, 0.1), {"class_weights": "none"}),
        ({"train": 60}, {"augment": "strong", "model_options": {"filters": 16}}),
        ({"train": 30_000}, {"augment": "light", "train_batch_size": 4}),
        ({"grey": True}, {"augment": "medical"}),
        ({"channels": 5}, {"augment": "turns"}),
        ({"val": 0}, {"validate": False}),
        ({"train": 20}, {"train_batch_size": 2, "learning_rate": 0.0005, "epochs": 200}),
        (of_size(360, 480), {"input_height": 352, "input_width": 480}),
        (of_size(20, 70), {"input_height": 32, "model_options": {"filters": 16, "levels": 3}}),
        (of_size(3000, 4000), {"input_height": 384, "input_width": 512}),
        ({**LINES, **of_size(700, 700)}, {"input_height": 704}),
        ({"sizes": Sizes((200, 200), (256, 256), (400, 400), 1.8)}, {"resize_op": 2}),
    ],
)
def test_a_fact_has_its_consequence(changes, expected):
    found = propose(facts_of(**changes), CPU)
    assert {key: found.values.get(key) for key in expected} == expected


def test_an_early_stop_needs_a_long_run_and_validation():
    assert propose(facts_of(train=20), CPU).values["early_stopping"] == 50
    assert "early_stopping" not in propose(facts_of(train=20, val=0), CPU).values
    assert "early_stopping" not in propose(facts_of(), CPU).values


def test_more_images_and_a_gpu_allow_a_wider_network():
    widths = [
        propose(facts_of(train=train), GPU).values["model_options"]["filters"]
        for train in (100, 500, 5000)
    ]
    assert widths == [16, 32, 64]
    assert propose(facts_of(train=5000), GPU).values["workers"] == 8


def test_lines_and_cells_are_told_from_street_scenes():
    street = with_shares(0.3, 0.5, 0.1, 0.1)
    pole = replace(street["shapes"], widths=(50, 60, 4, 50), elongations=(2, 3, 30, 4))
    facts = facts_of(**{**street, "shapes": pole})
    assert thin_classes(facts) == [2]
    assert not only_lines(facts)
    assert only_lines(facts_of(**LINES))
    assert must_be_parted(facts_of(**CELLS))
    assert not must_be_parted(facts_of(**LINES))


def test_a_smaller_input_comes_before_a_smaller_network_except_for_lines():
    photographs, lines = (facts_of(**one, **of_size(512, 512)) for one in ({}, LINES))
    little = replace(CPU, memory_gb=2.4)
    found = propose(photographs, little).values
    assert (found["model_options"], found["input_height"] < 512) == ({"filters": 16}, True)
    found = propose(lines, replace(CPU, memory_gb=2.9)).values
    assert (found["model_options"], found["input_height"]) == ({"filters": 8}, 512)


# Memory and time


def test_layers_outputs_are_counted():
    inputs = x = keras.Input((8, 8, 3))
    for layer in (
        keras.layers.Conv2D(4, 3, padding="same"),
        keras.layers.MaxPooling2D(),
        keras.layers.Conv2D(2, 1),
    ):
        x = layer(x)
    model = keras.Model(inputs, x)
    # 8*8*4 + 4*4*4 + 4*4*2
    assert count_elements(model, (8, 8)) == 352
    assert count_elements(model, (16, 8)) == 704


def test_the_memory_of_a_step_by_hand():
    # 1.4 GB + 4 bytes * 2 images * (1.3 * 1e8 + 6 * 1e6) + 16 bytes * 1e6 weights
    cost = Cost(parameters=10**6, elements=10**8, macs=1)
    assert training_gb(cost, 10**6, 2, CPU) == pytest.approx(1.4 + 1.088 + 0.016)
    torch = replace(CPU, backend="torch")
    assert training_gb(cost, 10**6, 2, torch) == pytest.approx(1.4 + 1.968 + 0.016)


def test_four_times_the_pixels_cost_four_times_as_much():
    network = Network("unet", {"filters": 4, "levels": 3})
    small, large = (image_cost(network, (s, s), 3, 2) for s in (32, 64))
    assert large.parameters == small.parameters
    assert (large.elements, large.macs) == (4 * small.elements, 4 * small.macs)


def test_the_batch_is_the_largest_that_fits():
    facts = facts_of(train=5000, **of_size(512, 512))
    given_ = {"model_options": {"filters": 16}, "input_height": 512, "input_width": 512}
    batches = []
    for memory in (20, 9, 5, 3.3):
        budget = replace(GPU, memory_gb=memory)
        plan = propose(facts, budget, given_).plan
        batches.append(plan.fit.batch)
        assert plan.fit.memory_gb <= memory
        twice = training_gb(plan.fit.cost, 2 * 512**2, 2 * plan.fit.batch, budget)
        assert plan.fit.batch == 16 or twice > memory
    assert batches == [16, 8, 4, 2]


@pytest.mark.parametrize(
    ("budget", "changes", "message"),
    [
        (Budget(1.0), {}, r"^1 GB of memory are too little: unet with filters 8.* at 32x32"),
        (Budget(8, 0.01), {}, r"^0.01 minutes are too little: one epoch of unet .* at 32x32"),
        (CPU, {"train": 1}, "^own: the training images, 1 in all, are fewer than a batch of 2"),
        (CPU, with_shares(0, 0), "^own: no pixel of the training label maps counts"),
    ],
)
def test_what_is_too_little_is_said_in_a_sentence(budget, changes, message):
    with pytest.raises(ValueError, match=message) as error:
        propose(facts_of(**changes), budget)
    assert "\n" not in str(error.value)


def test_less_time_makes_the_run_smaller():
    facts = facts_of(train=2000, **of_size(512, 512))
    plans = [propose(facts, replace(CPU, minutes=m)).plan for m in (2000, 120, 30, 5)]
    for plan, minutes in zip(plans, (2000, 120, 30, 5), strict=True):
        assert plan.enough
        assert plan.minutes <= minutes
        assert plan.epochs >= 1
    pixels = [plan.fit.size[0] * plan.fit.size[1] for plan in plans]
    assert pixels[0] == 512**2 > pixels[-1]
    work = [plan.epochs * plan.steps * plan.fit.cost.macs for plan in plans]
    assert work == sorted(work, reverse=True)


def test_a_faster_machine_gets_more_steps():
    plans = [
        propose(facts_of(), replace(CPU, minutes=20, macs_per_second=rate)).plan
        for rate in (10e9, 40e9)
    ]
    slow, fast = (plan.epochs * plan.steps * plan.fit.cost.macs for plan in plans)
    assert fast > slow


def test_shrinking_and_hours_are_worth_a_note():
    notes = " ".join(propose(facts_of(**of_size(3000, 4000)), CPU).notes)
    assert "images shrink from 3000x4000 to 384x512" in notes
    assert "takes about" in notes
    assert "--encoder_weights imagenet" in notes


share = st.floats(0, 1)


@st.composite
def any_facts(draw):
    classes = 2
    several = lambda values: tuple(draw(values) for _ in range(classes))  # noqa: E731
    pixels = several(st.integers(0, 10**9))
    height = draw(st.integers(20, 5000))
    size = height, round(height * draw(st.floats(0.5, 2)))
    return facts_of(
        train=draw(st.integers(2, 200_000)),
        val=draw(st.integers(0, 1000)),
        grey=draw(st.booleans()),
        deep=draw(st.booleans()),
        sizes=Sizes(size, size, size, draw(st.floats(1, 5))),
        classes=Classes(
            tuple(f"class {i}" for i in range(classes)), pixels, (sum(pixels),) * classes
        ),
        shapes=Shapes(
            8,
            draw(st.floats(0, 500)),
            draw(st.floats(0, 1e6)),
            draw(share),
            several(st.floats(0, 200)),
            several(st.floats(0, 200)),
            several(st.floats(0, 1000)),
        ),
    )


@given(
    facts=any_facts(),
    memory=st.floats(0.1, 100),
    minutes=st.none() | st.floats(0.01, 10_000),
    device=st.sampled_from(["cpu", "gpu"]),
)
@settings(max_examples=15, deadline=None, derandomize=True)
def test_any_facts_give_valid_settings_within_the_budget_or_a_sentence(
    facts, memory, minutes, device
):
    budget = Budget(memory, minutes, device, backend="tensorflow")
    try:
        found = propose(facts, budget)
    except ValueError as refusal:
        said = str(refusal)
    else:
        check_proposal(found, facts, budget)
        return
    assert "too little" in said or "no pixel" in said
    assert "\n" not in said


def check_proposal(found, facts, budget):
    assert found.plan.fit.memory_gb <= budget.memory_gb
    assert budget.minutes is None or found.plan.minutes <= budget.minutes
    config = found.config()
    assert config.input_height % 32 == config.input_width % 32 == 0
    assert 2 <= config.train_batch_size <= facts.train
    assert all(one.reason and "\n" not in one.reason for one in found.decisions)
    assert not needs_soft_labels(find_recipe(config.augment).transforms(255))


# What the user decided


def test_what_is_given_is_kept_and_the_rest_fits_it():
    given_ = {
        "model_options": {"filters": 4},
        "input_height": 96,
        "train_batch_size": 3,
        "loss": "c_focal",
        "augment": "none",
        "epochs": 7,
        "data_root": "elsewhere",
    }
    found = propose(facts_of(), CPU, given_)
    assert {key: found.values[key] for key in given_} == given_
    assert (found.values["input_width"], found.plan.epochs) == (256, 7)
    assert found.values["model_name"] == "unet"
    reasons = {one.name: one.reason for one in found.decisions}
    assert {reasons[name] for name in given_} == {"as you said"}


def test_options_without_a_loss_are_those_of_the_default_loss():
    found = propose(facts_of(**LINES), CPU, {"loss_options": {"label_smoothing": 0.1}}).values
    assert (found["loss"], found["loss_options"]) == ("ce", {"label_smoothing": 0.1})


def test_pretrained_weights_bring_an_encoder_and_a_rest_for_it():
    found = propose(facts_of(), CPU, {"encoder_weights": "imagenet"})
    assert found.values["encoder"] == "mobilenetv2"
    assert found.values["learning_rate"] < propose(facts_of(), CPU).values["learning_rate"]
    assert 0 < found.values["freeze_epochs"] < found.values["epochs"]
    with pytest.raises(ValueError, match="needs encoder, the name of its network"):
        propose(facts_of(), CPU, {"encoder_weights": "weights.h5"})


def test_given_settings_are_those_that_are_not_the_defaults():
    config = TrainConfig(dataset_name="isbi", seed=3, overwrite=True, model_options={"filters": 4})
    expected = {"dataset_name": "isbi", "seed": 3, "model_options": {"filters": 4}}
    assert given_settings(config) == expected


def test_a_given_time_that_is_too_short_for_the_given_epochs_is_noted():
    found = propose(facts_of(), replace(CPU, minutes=1), {"epochs": 100})
    assert found.values["epochs"] == 100
    assert any("are short: about" in note for note in found.notes)


# The machine


def test_the_budget_of_this_machine_is_plausible():
    budget = machine_budget(minutes=5)
    assert 0 < budget.memory_gb < 10_000
    assert (budget.minutes, budget.backend) == (5, keras.backend.backend())
    assert budget.cores >= 1
    assert machine_budget(memory_gb=3).memory_gb == 3
    assert 0 < host_memory_gb() < 10_000


@pytest.mark.parametrize(
    ("script", "expected"),
    [("echo 16000; echo 8000", 0.9 * 8000 * 2**20 / 1e9), ("exit 9", 8), ("echo N/A", 8)],
)
def test_the_memory_of_a_gpu_is_what_its_tool_says(script, expected, tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpu_memory_gb() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"memory_gb": 0}, "needs memory_gb above 0, got 0"),
        ({"minutes": float("nan")}, "needs minutes above 0, got nan"),
        ({"device": "tpu"}, "is 'cpu' or 'gpu', not 'tpu'"),
    ],
)
def test_a_budget_of_nothing_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Budget(**{"memory_gb": 8, **changes})


# The file


@pytest.mark.parametrize("changes", [{}, LINES, CELLS, {"train": 20, "channels": 4}])
def test_the_file_gives_exactly_the_proposed_settings(changes, tmp_path):
    found = propose(facts_of(**changes), CPU, {"data_root": "a: folder, #1 [x] 'q'", "seed": 5})
    path = write_proposal(found, tmp_path / "new" / "auto.yaml")
    assert parse_config(TrainConfig, ["--config", str(path)]) == found.config()
    assert yaml.safe_load(path.read_text("utf-8")) == found.values


def test_every_setting_has_its_reason_above(tmp_path):
    path = write_proposal(propose(facts_of(), CPU), tmp_path / "auto.yaml")
    lines = path.read_text().splitlines()
    keys = [i for i, line in enumerate(lines) if line and not line.startswith("#")]
    assert len(keys) == len(propose(facts_of(), CPU).decisions)
    assert all(lines[i - 1].startswith("# ") for i in keys)
    assert max(map(len, lines)) <= 100


def test_names_with_line_breaks_stay_in_their_comments(tmp_path):
    classes = Classes(("ground", "a\nloss: [mcc]\x07 \u2028#"), (99_000, 1000), (10**5, 10**5))
    found = propose(facts_of(classes=classes), CPU)
    path = write_proposal(found, tmp_path / "auto.yaml")
    assert parse_config(TrainConfig, ["--config", str(path)]) == found.config()
    console = Console(file=io.StringIO(), width=200)
    explain(found, path, console)
    assert "[mcc]" in console.file.getvalue()


def test_a_file_that_is_there_is_replaced_only_on_demand(tmp_path):
    path = tmp_path / "auto.yaml"
    path.write_text("mine")
    found = propose(facts_of(), CPU)
    with pytest.raises(ValueError, match=r"auto\.yaml: there is a file already.*--overwrite"):
        write_proposal(found, path)
    assert path.read_text() == "mine"
    write_proposal(found, path, overwrite=True)
    assert "loss: ce_dice" in path.read_text().splitlines()


def test_the_table_shows_settings_reasons_and_the_command(tmp_path):
    console = Console(file=io.StringIO(), width=160)
    explain(propose(facts_of(**LINES), CPU), tmp_path / "my runs" / "auto.yaml", console)
    text = console.file.getvalue()
    for part in (
        "cl_dice",
        "{class_ids: [1], iterations: 5}",
        "5 pixels wide",
        "of memory on a",
    ):
        assert part in text
    assert f"kseg train --config '{tmp_path}/my runs/auto.yaml'" in text


def small_run(parts_root, folder):
    return TrainConfig(
        data_root=str(parts_root),
        train_save_path=str(folder),
        model_options={"filters": 2, "levels": 2},
        input_height=32,
        input_width=32,
        epochs=1,
        jit="off",
    )


def test_the_speed_is_measured_where_time_is_short(parts_root, tmp_path):
    console = Console(file=io.StringIO(), width=160)
    config = small_run(parts_root, tmp_path)
    path = auto(config, replace(CPU, minutes=30), console=console)
    assert path == tmp_path / "auto" / "auto.yaml"
    assert "at measured" in console.file.getvalue()
    written = parse_config(TrainConfig, ["--config", str(path)])
    assert (written.loss, written.epochs, written.cache) == ("ce_dice", 1, "ram")
    with pytest.raises(ValueError, match="there is a file already"):
        auto(config, CPU)


@pytest.mark.full
def test_the_written_file_trains_as_it_is(parts_root, tmp_path):
    path = auto(small_run(parts_root, tmp_path), CPU, console=Console(file=io.StringIO()))
    assert train(parse_config(TrainConfig, ["--config", str(path)])).best.is_file()
