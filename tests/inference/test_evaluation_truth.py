"""What is scored where no flag says it: that of the run, of the run behind an export, of a fold."""

from pathlib import Path

import pytest
import yaml

from kseg.cli import main
from kseg.config import EvaluateConfig, UsageError
from kseg.data.folds import with_fold
from kseg.data.registry import open_dataset
from kseg.inference.evaluate import evaluate
from kseg.inference.evaluation.truth import results_of, run_of, truth_of
from tests.inference.evaluation_cases import write_data, write_model
from tests.inference.tiny_exports import describe

COUNT = 9


@pytest.fixture
def data(tmp_path):
    return write_data(tmp_path / "data" / "squares", COUNT)


def run_folder(path, data, **settings):
    write_model(path / "best.keras")
    values = {"dataset_name": data.name, "data_root": str(data.parent), **settings}
    (path / "config.yaml").write_text(yaml.safe_dump(values))
    return path


def export_in(folder, run, name="unet.onnx"):
    folder.mkdir(parents=True, exist_ok=True)
    return describe(folder / name, source=str(run / "best.keras"))


def test_an_export_is_scored_on_the_data_set_of_its_run(tmp_path, data):
    run = run_folder(tmp_path / "weights/exp/unet", data)
    inside = export_in(run / "export", Path("elsewhere"))
    apart = export_in(tmp_path / "shipped", run)
    for path in (inside, apart):
        assert run_of(str(path)).path == run
        truth = truth_of(EvaluateConfig(str(path)), None, None)
        assert (truth.dataset.name, len(truth.files)) == (data.name, COUNT)
    # The run's own scores are not replaced.
    assert results_of(str(inside)) == run / "export" / "evaluation"
    assert results_of(str(run)) == run / "evaluation"


def test_the_scores_of_an_export_that_is_a_folder_go_beside_it(tmp_path, data):
    run = run_folder(tmp_path / "weights/exp/unet", data)
    export = export_in(run / "export", run, "unet_savedmodel")
    export.mkdir()
    assert results_of(str(export)) == run / "export" / "evaluation"


def test_a_model_of_no_run_needs_a_data_set(tmp_path, data, capsys):
    path = tmp_path / "apart" / "model.keras"
    write_model(path)
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", "--model", str(path)])
    assert "no run folder is known that tells the data set to score" in capsys.readouterr().err
    assert not (path.parent / "evaluation").exists()
    evaluate(EvaluateConfig(str(path), data.name, str(data.parent), html=False))
    assert (path.parent / "evaluation" / "report.json").is_file()


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("split", ["val", "test"])
def test_a_run_of_a_fold_is_scored_on_its_own_parts(split, named, tmp_path, data):
    run = run_folder(tmp_path / "weights/cv_fold1/unet", data, folds=3, fold=1)
    flags = {"dataset_name": data.name} if named else {}
    truth = truth_of(EvaluateConfig(str(run), split=split, **flags), None, None)
    dataset = open_dataset(data.name, str(data.parent))
    expected = with_fold(dataset, 1, 3).splits[split]
    assert [one.image for one in truth.files] == [one.image for one in expected]
    assert {one.image for one in truth.files}.isdisjoint(one.image for one in dataset.test)


def test_another_data_set_has_its_own_parts(tmp_path, data):
    run = run_folder(tmp_path / "weights/cv_fold1/unet", data, folds=3, fold=1)
    other = write_data(tmp_path / "data" / "others", 4)
    truth = truth_of(EvaluateConfig(str(run), other.name), None, None)
    assert len(truth.files) == 4


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"mode": "score", "engine": "ray"}, "--mode score has none"),
        ({"compare": "weights/exp2/unet", "html": False}, "--compare is shown in report.html"),
    ],
)
def test_flags_without_effect_are_refused(flags, message):
    with pytest.raises(UsageError, match=message):
        EvaluateConfig(**flags)
