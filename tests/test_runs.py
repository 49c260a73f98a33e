import pytest

from kseg.runs import RunFolder, find_checkpoint


def test_a_run_with_a_checkpoint_is_kept_unless_told_otherwise(tmp_path):
    run = RunFolder(tmp_path / "run")
    run.create(overwrite=False)
    run.last.write_text("weights")
    with pytest.raises(ValueError, match="there is a run already"):
        run.create(overwrite=False)
    assert run.last.is_file()
    run.create(overwrite=True)
    assert list(run.path.iterdir()) == []


def test_what_a_run_killed_before_its_first_checkpoint_left_is_in_nobodys_way(tmp_path):
    run = RunFolder(tmp_path / "run")
    run.create(overwrite=False)
    run.config.write_text("epochs: 1")
    run.create(overwrite=False)
    assert list(run.path.iterdir()) == []


def test_a_folder_with_something_else_in_it_is_not_deleted(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    RunFolder(tmp_path).create(overwrite=True)
    assert (tmp_path / "thesis.txt").is_file()


def test_the_best_checkpoint_stands_for_a_run_and_the_last_where_there_is_none(tmp_path):
    run = RunFolder(tmp_path)
    run.last.write_text("last")
    assert find_checkpoint(tmp_path) == run.last
    run.best.write_text("best")
    assert find_checkpoint(tmp_path) == run.best
    assert find_checkpoint(run.last) == run.last


def test_weights_alone_are_no_trained_model(tmp_path):
    with pytest.raises(ValueError, match=r"a\.h5: weights without their model.*--model_name"):
        find_checkpoint(tmp_path / "a.h5")
