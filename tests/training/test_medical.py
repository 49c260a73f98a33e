"""`kseg train_medical` trains with weights between cells, and scores the cells it finds."""

import dataclasses
import json
import re
import shlex

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import f1_score, zero_one_loss

from kseg.cli import main
from kseg.config import EvaluateConfig, MedicalConfig, TrainConfig, parse_config
from kseg.data import edge_weights
from kseg.data.dataset import Dataset
from kseg.data.registry import open_dataset
from kseg.losses import get_loss
from kseg.metrics import best_over_thresholds, membrane_instances, v_rand
from kseg.training.cell_scores import Answers, cell_scores
from kseg.training.inputs import Inputs
from kseg.training.medical import between_cells, membrane_label, train_medical
from tests.conftest import ROOT
from tests.test_docs import check_links

PAGE = ROOT / "docs" / "medical.md"
CELLS = Dataset("isbi", (), (), (), ("cell", "membrane"))
NUCLEI = Dataset("nuclei", (), (), (), ("background", "foreground"))


def draw(index, size=64):
    """Return a slice of square cells and the mask that goes with it: membranes are 0."""
    rng = np.random.default_rng(index)
    mask = np.full((size, size), 255, np.uint8)
    for place in rng.integers(6, size - 6, 4):
        mask[place : place + 3] = 0
        mask[:, place : place + 3] = 0
    image = np.where(mask == 0, 70, 180) + rng.normal(0, 15, mask.shape)
    return np.clip(image, 0, 255).astype(np.uint8), mask


@pytest.fixture(scope="module")
def slices(tmp_path_factory):
    """A data root with `isbi`: 4 + 4 + 6 grey PNG files with 1-bit masks."""
    root = tmp_path_factory.mktemp("data")
    for kind in ("images", "labels"):
        (root / "isbi" / kind).mkdir(parents=True)
    for index in range(14):
        image, mask = draw(index)
        Image.fromarray(image).save(root / "isbi" / "images" / f"{index:02}.png")
        Image.fromarray(mask).convert("1").save(root / "isbi" / "labels" / f"{index:02}.png")
    return root


def flags(root, folder, **changes):
    values = {
        "data_root": root,
        "train_save_path": folder,
        "model_options": '{"filters": 4, "levels": 3}',
        "input_height": 32,
        "input_width": 32,
        "epochs": 1,
        "jit": "off",
        "workers": 0,
        **changes,
    }
    return [f"--{name}={value}" for name, value in values.items()]


@pytest.fixture(scope="module")
def run(slices, tmp_path_factory):
    """The folder of a run of one epoch."""
    folder = tmp_path_factory.mktemp("weights")
    main(["train_medical", *flags(slices, folder)])
    return folder / "medical" / "unet"


def test_a_run_has_the_scores_of_the_cells_beside_the_others(run):
    scores = json.loads((run / "evaluation" / "cells.json").read_text())
    report = json.loads((run / "evaluation" / "report.json").read_text())
    assert (scores["images"], scores["scored_class"]) == (6, "membrane")
    assert scores["pixel_error"] == pytest.approx(1 - report["means"]["pixel_accuracy"], abs=1e-6)
    for name in ("v_rand", "v_rand_best"):
        assert 0 < scores[name]["f_score"] <= 1
    assert scores["v_rand_best"]["f_score"] >= scores["v_rand"]["f_score"]


def test_the_settings_of_the_run_are_those_of_any_other(run):
    stored = parse_config(TrainConfig, ["--config", str(run / "config.yaml")])
    assert (stored.dataset_name, stored.image_channels, stored.augment) == ("isbi", 1, "medical")
    assert stored.loss_options == {"background": 1}


def test_a_finished_run_is_scored_again_without_training(run, slices, capsys):
    (run / "evaluation" / "cells.json").unlink()
    before = (run / "last.keras").read_bytes()
    main(["train_medical", *flags(slices, run.parents[1], resume="last")])
    assert (run / "last.keras").read_bytes() == before
    printed = " ".join(capsys.readouterr().out.split())
    assert "pixel error" in printed
    assert "membrane Dice" in printed
    assert "V_rand, best" in printed
    assert (run / "evaluation" / "cells.json").is_file()


def test_auto_writes_settings_that_this_command_takes(slices, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    places = [f"--data_root={slices}", f"--train_save_path={tmp_path}"]
    main(["train_medical", "--auto", "--auto_memory_gb=8", *places])
    file = tmp_path / "auto" / "auto.yaml"
    assert f"kseg train_medical --config {file}" in capsys.readouterr().out
    written = parse_config(TrainConfig, ["--config", str(file)])
    assert (written.dataset_name, written.image_channels) == ("isbi", 1)
    proposed = between_cells(parse_config(MedicalConfig, ["--config", str(file)]), CELLS)
    get_loss(proposed.loss, **proposed.loss_options)
    main(["train_medical", "--auto", '--loss_options={"w0": 5}', "--overwrite", *places])
    assert parse_config(TrainConfig, ["--config", str(file)]).loss == MedicalConfig.loss


@pytest.mark.full
def test_every_fold_is_scored(slices, tmp_path):
    train_medical(
        parse_config(MedicalConfig, flags(slices, tmp_path, folds=3, augment="none", loss="ce"))
    )
    found = sorted(tmp_path.glob("*/unet/evaluation/cells.json"))
    assert [path.parts[-4] for path in found] == [f"medical_fold{fold}" for fold in range(3)]
    # Eight of the fourteen slices are no test part; each is scored once.
    assert sum(json.loads(path.read_text())["images"] for path in found) == 8


def test_the_settings_are_those_of_train_and_the_help_explains_them(capsys):
    assert issubclass(MedicalConfig, TrainConfig)
    names = [field.name for field in dataclasses.fields(TrainConfig)]
    assert [field.name for field in dataclasses.fields(MedicalConfig)] == names
    with pytest.raises(SystemExit, match="0"):
        main(["train_medical", "--help"])
    printed = capsys.readouterr().out
    assert "Number of passes over the training images" in printed
    assert "default: isbi" in printed


def test_weights_are_on_the_membranes_not_in_the_cells(slices):
    config = MedicalConfig(data_root=str(slices), input_height=64, input_width=64, augment="none")
    config = between_cells(config, open_dataset("isbi", slices))
    loss = get_loss(config.loss, **config.loss_options)
    from kseg.data.augment import find_recipe

    dataset = open_dataset("isbi", slices)
    inputs = Inputs(config, dataset, loss, find_recipe("none"))
    _, labels, weights = inputs.training(2).batches.batch(0, 0)
    # A membrane of three pixels between two cells: at least 1 + 10 exp(-4² / 50).
    assert np.median(weights[labels == 1]) > 8
    assert (weights[labels == 0] == 1).all()
    expected = edge_weights(1 - labels[0].astype(int), ignore_class=254)
    np.testing.assert_allclose(weights[0], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("dataset", "changes", "options"),
    [
        (CELLS, {}, {"background": 1}),
        (NUCLEI, {}, {"background": 0}),
        (CELLS, {"loss_options": {"w0": 5.0}}, {"w0": 5.0, "background": 1}),
        (CELLS, {"loss_options": {"background": 0}}, {"background": 0}),
        (CELLS, {"loss": "ce_dice"}, {}),
    ],
)
def test_the_loss_learns_what_lies_between_cells(dataset, changes, options):
    assert between_cells(MedicalConfig(**changes), dataset).loss_options == options


def answers(labels, chances, membrane=1, void=255):
    return Answers(
        [np.array(one) for one in labels], [np.array(c) for c in chances], void, membrane
    )


def test_pixel_error_and_dice_by_hand():
    # Of 7 valid pixels 4 are membrane; 3 of them and one of a cell are found: 2 wrong,
    # Dice 2 * 3 / (4 + 4). Nothing found would be 4 wrong.
    labels = [[[1, 1, 1, 1, 0, 0, 0, 255]]]
    chances = [[[0.9, 0.8, 0.7, 0.2, 0.6, 0.1, 0.0, 0.9]]]
    scores = cell_scores(answers(labels, chances), answers([], []), "membrane")
    assert scores.pixel_error == pytest.approx(2 / 7)
    assert scores.pixel_error_of_empty == pytest.approx(4 / 7)
    assert scores.dice == pytest.approx(0.75)


def noisy(seed, membrane=1):
    """Return the truth of three slices and probabilities that are wrong here and there."""
    labels = [(draw(seed + index)[1] == 0).astype(np.uint8) for index in range(3)]
    rng = np.random.default_rng(seed)
    chances = [np.clip(one + rng.normal(0, 0.35, one.shape), 0, 1) for one in labels]
    if membrane == 0:
        return answers([1 - one for one in labels], [1 - one for one in chances], 0)
    return answers(labels, chances)


def test_scores_equal_those_of_scikit_learn_and_of_the_challenge():
    held_out, chosen_on = noisy(0), noisy(10)
    scores = cell_scores(held_out, chosen_on, "membrane")
    truth = np.ravel(held_out.labels)
    found = np.ravel(held_out.probabilities) > 0.5
    assert scores.pixel_error == pytest.approx(zero_one_loss(truth, found))
    assert scores.dice == pytest.approx(f1_score(truth, found))
    cells = [membrane_instances(one == 1) for one in chosen_on.labels]
    threshold, _ = best_over_thresholds(cells, chosen_on.probabilities)
    assert scores.threshold == threshold
    each = [
        v_rand(membrane_instances(one == 1), membrane_instances(chance, threshold))
        for one, chance in zip(held_out.labels, held_out.probabilities, strict=True)
    ]
    assert scores.v_rand.f_score == pytest.approx(np.mean([one.f_score for one in each]))
    assert scores.v_rand_best.f_score >= scores.v_rand.f_score


def test_cells_are_the_same_whatever_label_the_membrane_has():
    one, other = (cell_scores(noisy(0, m), noisy(10, m), "x") for m in (1, 0))
    assert one.v_rand_best.f_score == pytest.approx(other.v_rand_best.f_score)
    assert one.pixel_error == pytest.approx(other.pixel_error)


def test_a_perfect_prediction_has_the_best_scores():
    truth = noisy(0)
    perfect = answers(truth.labels, [one.astype(float) for one in truth.labels])
    scores = cell_scores(perfect, perfect, "membrane")
    assert (scores.pixel_error, scores.dice) == (0, 1)
    assert scores.v_rand.f_score == scores.v_rand_best.f_score == 1


def test_images_without_a_cell_have_no_v_rand():
    empty = answers([np.ones((8, 8), int)], [np.ones((8, 8))])
    scores = cell_scores(empty, noisy(0), "membrane")
    assert (scores.v_rand, scores.threshold_best, scores.dice) == (None, None, 1)
    both = answers([*noisy(0).labels, empty.labels[0]], [*noisy(0).probabilities, np.ones((8, 8))])
    assert cell_scores(both, noisy(0), "m").v_rand == cell_scores(noisy(0), noisy(0), "m").v_rand


def test_the_membrane_is_known_by_its_name():
    assert (membrane_label(CELLS), membrane_label(NUCLEI)) == (1, 0)


def test_the_isbi_files_are_read_as_the_recipe_wants(real_data):
    dataset = open_dataset("isbi", real_data("isbi2012").parent)
    sample = dataset.load(dataset.test[0])
    assert sample.labels.shape == (512, 512)
    assert 0.15 < np.mean(sample.labels == 1) < 0.3
    cells = membrane_instances(sample.labels == 1)
    assert cells.max() > 30


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_classes": 3}, "isbi has 3 classes; this recipe is for two"),
        ({"dataset_name": "nowhere"}, "there is no data set 'nowhere' here"),
        ({"loss": "dise"}, "Unknown loss 'dise'; did you mean 'dice'"),
        ({"epochs": 0}, "--epochs must be at least 1"),
    ],
)
def test_a_mistake_gets_one_line_and_nothing_is_written(
    changes, message, slices, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        main(["train_medical", *flags(slices, tmp_path / "weights", **changes)])
    error = capsys.readouterr().err.strip()
    assert message in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "weights").exists()


CONFIGS = {"train_medical": MedicalConfig, "evaluate": EvaluateConfig}


def test_the_commands_of_the_page_are_understood():
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    for line in "".join(blocks).replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        name = re.search(r"(\w+)\.py$", words[1])[1]
        if name in CONFIGS and "--resume" not in words:
            parse_config(CONFIGS[name], words[2:])


def test_links_of_the_page_lead_somewhere():
    check_links(PAGE)
