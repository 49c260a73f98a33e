"""Config files: what is refused, by the name of the file, and what wins."""

import pytest

from kseg.config import CheckConfig, DownloadConfig, TrainConfig, UsageError, parse_config


@pytest.fixture
def written(tmp_path):
    def write(content):
        file = tmp_path / "run.yaml"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(file)

    return write


@pytest.mark.parametrize("order", ["before", "after"])
def test_flags_win_over_files_wherever_they_stand(order, written):
    file = ["--config", written("epochs: 7\nseed: 3\n")]
    flags = ["--epochs", "9"]
    config = parse_config(TrainConfig, [*flags, *file] if order == "before" else [*file, *flags])
    assert (config.epochs, config.seed) == (9, 3)


def test_of_two_files_the_last_one_wins(written, tmp_path):
    second = tmp_path / "second.yaml"
    second.write_text("epochs: 8\n")
    first = written("epochs: 7\nseed: 3\n")
    config = parse_config(TrainConfig, [f"--config={first}", f"--config={second}"])
    assert (config.epochs, config.seed) == (8, 3)


@pytest.mark.parametrize("content", ["", "# nothing yet\n", "n_classes:\n"])
def test_a_file_without_settings_changes_nothing(content, written):
    assert parse_config(TrainConfig, ["--config", written(content)]) == TrainConfig()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("epochs:\nseed: 3\n", "run.yaml: epochs has no value; give one or leave it out"),
        ("epoch:\n", "run.yaml: epoch has no value"),
        ("epochs: 1\nepochs: 3\n", "run.yaml: epochs stands there twice, in line 2"),
        ("loss_options:\n  a: 1\n  a: 2\n", "run.yaml: a stands there twice, in line 3"),
        ("epochs: [1,\n", "run.yaml: this is no YAML: .* in line 2"),
        ("\tepochs: 3\n", "run.yaml: this is no YAML: .* in line 1"),
        ("- epochs\n", "run.yaml: expected lines such as `epochs: 20`, got '- epochs"),
        ("epochs\n", "run.yaml: expected lines such as `epochs: 20`, got 'epochs"),
        (b"\xff\xfe\x00", "run.yaml: this is no text in UTF-8"),
        ("exp_name: 2024\n", "--exp_name: expected str, got value: 2024; put it into quotes"),
        ("lr: 0.1\n", "unknown setting 'lr', did you mean 'learning_rate'"),
        ("class_weights: [1, b]\n", r"expected float or 'none', .*, got \[1.0, 'b'\]"),
    ],
)
def test_a_bad_file_is_one_sentence(content, message, written):
    with pytest.raises(UsageError, match=message):
        parse_config(TrainConfig, ["--config", written(content)])


def test_a_switch_needs_no_value_before_a_word_without_a_flag():
    config = parse_config(DownloadConfig, ["--dry_run", "camvid"])
    assert (config.dry_run, config.dataset_name) == (True, "camvid")
    config = parse_config(CheckConfig, ["--near_duplicates", "False", "data/pets"])
    assert (config.near_duplicates, config.folder) == (False, "data/pets")
    with pytest.raises(UsageError, match="--validate: expected bool, got value: 0"):
        parse_config(TrainConfig, ["--validate", "0"])
