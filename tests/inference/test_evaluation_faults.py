"""What `kseg evaluate` says of bad files and of flags that do not fit."""

import numpy as np
import pytest
from PIL import Image

from kseg.cli import main
from kseg.config import EvaluateConfig, UsageError, parse_config
from kseg.inference import Predictor
from kseg.inference.evaluate import evaluate
from kseg.inference.evaluation.compare import read_evaluated
from tests.inference import evaluation_cases
from tests.inference.evaluation_cases import IMAGES, report_of, rows_of, settings, write_data

# Fixtures.
run, data = evaluation_cases.run, evaluation_cases.data


def test_an_image_that_is_too_much_for_a_device_does_not_cost_the_other_scores(
    run, data, tmp_path, monkeypatch
):
    predict, alone = Predictor.predict, []

    def refuse(predictor, images):
        alone.extend(images if len(images) == 1 else [])
        if len(images) > 1 or len(alone) == 3:
            raise RuntimeError("RESOURCE_EXHAUSTED: 9 GB")
        return predict(predictor, images)

    monkeypatch.setattr(Predictor, "predict", refuse)
    with pytest.raises(ValueError, match="1 of 6 .*too large for the memory; --tile"):
        evaluate(settings(run, data, tmp_path, fit="pad", html=False, calibration=False))
    assert report_of(tmp_path)["scored"]["images"] == IMAGES - 1


def test_a_bad_mask_is_told_and_the_others_are_scored(data, tmp_path, capsys):
    masks = tmp_path / "masks"
    masks.mkdir()
    bad = {"00": np.zeros((9, 9)), "01": np.full((32, 32), 7), "02": None}
    for path in (data / "test_label").iterdir():
        mask = bad.get(path.stem, np.array(Image.open(path)))
        if mask is not None:
            Image.fromarray(mask.astype(np.uint8)).save(masks / path.name)
    flags = ["--mode", "score", "--predictions", masks, "--labels", data / "test_label"]
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", *map(str, flags), "--n_classes", "2"])
    printed = capsys.readouterr()
    assert "3 of 6 images could not be scored" in printed.err
    for sentence in (
        "00.png: truth has shape (32, 32), prediction (9, 9).",
        "01.png: prediction holds label 7, expected 0 to 1.",
        "there is no prediction 02.* in",
    ):
        assert sentence in " ".join((printed.out + printed.err).split())
    scored = report_of(masks / "evaluation")["scored"]
    assert (scored["images"], scored["failed"], len(scored["failures"])) == (3, 3, 3)
    assert [row["image"] for row in rows_of(masks / "evaluation")] == ["03", "04", "05"]


def test_a_bad_image_is_told_and_the_others_are_scored(run, tmp_path, capsys):
    data = write_data(tmp_path / "data" / "squares", 3)
    (data / "test_image" / "01.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match="1 of 3 images could not be scored: .*01.png"):
        evaluate(settings(run, data, tmp_path / "out"))
    report = report_of(tmp_path / "out")
    assert report["scored"]["images"] == 2
    assert "1 more could not be scored" in (tmp_path / "out" / "report.html").read_text()
    for path in (data / "test_image").iterdir():
        path.write_bytes(b"no image")
    with pytest.raises(ValueError, match="3 of 3 images could not be scored"):
        evaluate(settings(run, data, tmp_path / "nothing"))
    assert not (tmp_path / "nothing" / "report.json").exists()


def test_masks_of_unknown_classes_are_refused(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = str(data / "test_label")
    with pytest.raises(
        ValueError, match="the classes of these masks are unknown; give --n_classes"
    ):
        evaluate(EvaluateConfig(mode="score", predictions=folder, labels=folder))
    with pytest.raises(ValueError, match="--membrane_class is 3, but the classes are 0 to 1"):
        evaluate(
            EvaluateConfig(
                mode="score",
                predictions=folder,
                labels=folder,
                n_classes=2,
                v_rand=True,
                membrane_class=3,
            )
        )


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--images", "a"], "--mode both of folders needs --labels too"),
        (["--labels", "a"], "--mode both of folders needs --images too"),
        (["--mode", "predict", "--labels", "a"], "--mode predict of folders needs --images too"),
        (["--mode", "all"], "--mode: expected one of 'predict', 'score', 'both'"),
        (["--bootstrap", "-1"], "--bootstrap must be at least 0, got -1"),
        (["--overlap", "1"], "--overlap must be at most 0.9, got 1.0"),
        (["--tile", "8"], "--tile must be at least 32, got 8"),
        (["--tta", "twice"], "--tta: expected one of 'none'"),
        (["--model", "[]"], "--model needs at least one run folder"),
    ],
)
def test_flags_are_checked(flags, message):
    with pytest.raises(UsageError, match=message):
        parse_config(EvaluateConfig, flags)


def test_an_evaluation_to_compare_with_must_be_there(run, data, tmp_path):
    with pytest.raises(ValueError, match=r"nowhere: there is no report.json to compare with"):
        evaluate(settings(run, data, tmp_path, compare="nowhere"))
    (tmp_path / "report.json").write_text('{"means": {}, "classes": []}')
    with pytest.raises(ValueError, match="is what this evaluation would replace"):
        evaluate(settings(run, data, tmp_path, compare=str(tmp_path)))
    (tmp_path / "report.json").write_text("[]")
    with pytest.raises(ValueError, match="this is no report of an evaluation"):
        read_evaluated(tmp_path)
    (tmp_path / "report.json").write_text("{")
    with pytest.raises(ValueError, match="this is no readable report"):
        read_evaluated(tmp_path / "report.json")


@pytest.mark.parametrize(
    "report",
    ["{", "[]", '{"means": {}}', '{"means": {}, "classes": 3}', '{"means": {}, "classes": [{}]}'],
)
def test_a_report_of_something_else_is_refused_before_anything_is_scored(report, tmp_path):
    (tmp_path / "report.json").write_text(report)
    with pytest.raises(ValueError, match=r"report\.json: this is no "):
        read_evaluated(tmp_path)


def test_a_score_that_is_no_number_is_named_with_its_file(tmp_path):
    (tmp_path / "report.json").write_text('{"means": {}, "classes": []}')
    (tmp_path / "per_image.csv").write_text("image,mean_iou\nfirst,abc\n")
    with pytest.raises(ValueError, match=r"per_image\.csv: mean_iou is 'abc', expected a number"):
        list(read_evaluated(tmp_path).scores())


def masks_of_0_and_255(folder):
    """Write a 0/255 truth and the same mask as labels, and return the flags that score them."""
    square = np.zeros((8, 8), np.uint8)
    square[2:5, 2:5] = 1
    for name, value in (("truth", 255), ("masks", 1)):
        (folder / name).mkdir()
        Image.fromarray(square * np.uint8(value)).save(folder / name / "a.png")
    flags = ["--predictions", folder / "masks", "--labels", folder / "truth", "--n_classes", "2"]
    return ["evaluate", "--mode", "score", "--html", "false", *map(str, flags)]


def test_truth_of_0_and_255_is_named_with_what_to_do(tmp_path, capsys):
    flags = masks_of_0_and_255(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        main(flags)
    said = " ".join(capsys.readouterr().err.split())
    assert f"{tmp_path / 'truth' / 'a.png'}: label values 255 are not in 0..1; this looks" in said
    (tmp_path / "truth" / "dataset.yaml").write_text("values: {0: 0, 255: 1}\n")
    main(flags)
    assert report_of(tmp_path / "masks" / "evaluation")["means"]["mean_iou"] == 1


def test_an_object_that_is_ignored_as_255_is_told(tmp_path, capsys):
    main([*masks_of_0_and_255(tmp_path), "--ignore_class", "255"])
    said = " ".join(capsys.readouterr().out.split())
    assert "warning: no label map shows a class but 0, and 255 is ignored" in said
