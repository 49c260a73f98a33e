import json
import os
from dataclasses import fields, replace

import numpy as np
import pytest
from PIL import Image

from kseg.data import open_dataset
from kseg.data.check import Survey
from kseg.data.checks import check_folder
from kseg.data.classes import with_classes
from kseg.data.count_cache import FILE_NAME
from tests.data.check_damage import IMAGE, LABEL, copy, write_set

LONG_AGO = 1_600_000_000


@pytest.fixture(autouse=True)
def user_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path):
    folder = write_set(tmp_path / "set")
    settle(folder)
    return folder


def settle(folder):
    """Let all files be old enough to be trusted."""
    for path in folder.rglob("*.*"):
        os.utime(path, (LONG_AGO, LONG_AGO))


def counts(folder, **options):
    dataset = open_dataset(folder.name, folder.parent)
    return Survey(dataset, **options).count_classes(dataset.train).pixels.tolist()


def spoil(path):
    """Make a file useless without a trace in its size and time."""
    path.write_bytes(b"x" * path.stat().st_size)
    os.utime(path, (LONG_AGO, LONG_AGO))


def test_a_second_count_reads_no_image_and_gives_the_same(folder):
    first = counts(folder)
    assert first == counts(folder, cache=False)
    spoil(folder / IMAGE)
    spoil(folder / LABEL)
    assert counts(folder) == first
    with pytest.raises(ValueError, match="train1.png"):
        counts(folder, cache=False)


def test_a_changed_file_is_counted_anew(folder):
    first = counts(folder)
    labels = np.array(Image.open(folder / LABEL))
    Image.fromarray(np.where(labels == 1, 2, labels).astype(np.uint8)).save(folder / LABEL)
    second = counts(folder)
    ones = int((labels == 1).sum())
    assert second == [first[0], first[1] - ones, first[2] + ones]


def test_files_written_just_now_are_not_trusted(tmp_path):
    folder = write_set(tmp_path / "set")
    counts(folder)
    assert not (folder / FILE_NAME).exists()


def test_the_cache_lies_beside_the_data_and_nothing_else_does(folder, user_cache):
    before = {path.name for path in folder.iterdir()}
    counts(folder)
    assert {path.name for path in folder.iterdir()} == before | {FILE_NAME}
    assert not user_cache.exists()


def test_a_read_only_folder_is_cached_in_the_users(folder, user_cache):
    folder.chmod(0o555)
    try:
        first = counts(folder)
        assert not (folder / FILE_NAME).exists()
        assert len(list(user_cache.rglob("*.cache"))) == 1
        spoil(folder / IMAGE)
        assert counts(folder) == first
    finally:
        folder.chmod(0o755)


def test_no_place_to_write_is_no_error(folder, user_cache):
    folder.chmod(0o555)
    user_cache.write_text("a file, no folder")
    try:
        assert counts(folder) == counts(folder, cache=False)
    finally:
        folder.chmod(0o755)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"header": 1}', '{"header": {}, "samples": {}}'],
)
def test_a_damaged_cache_is_no_error(folder, content):
    first = counts(folder)
    (folder / FILE_NAME).write_text(content)
    assert counts(folder) == first


@pytest.mark.parametrize(
    "record", [None, 3, [], {"stamp": 1}, {"labels": "x"}, {"labels": [[1, 2, 3]]}]
)
def test_a_damaged_record_is_counted_anew(folder, record):
    first = counts(folder)
    content = json.loads((folder / FILE_NAME).read_text())
    for name, good in content["samples"].items():
        content["samples"][name] = {**good, **record} if isinstance(record, dict) else record
    (folder / FILE_NAME).write_text(json.dumps(content))
    assert counts(folder) == first


def test_another_way_of_reading_voids_the_cache(folder):
    dataset = open_dataset("set", folder.parent)
    Survey(dataset).count_classes(dataset.train)
    swapped = replace(dataset, relabel=swap)
    assert Survey(swapped).count_classes(swapped.train).pixels[0] == counts(folder)[2]


def swap(mask):
    return 2 - mask


def test_a_function_without_a_name_is_never_cached(folder):
    dataset = open_dataset("set", folder.parent)
    for shift in (0, 1):
        shifted = replace(dataset, relabel=lambda mask, shift=shift: (mask + shift) % 3)
        pixels = Survey(shifted).count_classes(shifted.train).pixels
        assert pixels.tolist() == np.roll(counts(folder, cache=False), shift).tolist()


def test_the_cache_knows_no_classes(folder):
    counts(folder)
    fewer = with_classes(open_dataset("set", folder.parent), 2, None)
    with pytest.raises(ValueError, match="label values 2 are not in 0..1; pass --n_classes 3"):
        Survey(fewer).count_classes(fewer.train)


def test_a_copied_folder_keeps_its_cache(folder, tmp_path):
    first = counts(folder)
    folder.rename(tmp_path / "moved")
    spoil(tmp_path / "moved" / IMAGE)
    assert counts(tmp_path / "moved") == first


def test_the_checker_counts_for_the_training_that_follows(folder):
    report = check_folder(folder)
    spoil(folder / IMAGE)
    assert counts(folder) == report.use.counts.pixels.tolist()


def test_training_images_that_are_held_out_too_are_found(folder):
    dataset = open_dataset("set", folder.parent)
    assert Survey(dataset).shared_images() == []
    copy("test_image/test1.png", "train_image/again.bmp")(folder)
    ((training, held_out),) = Survey(open_dataset("set", folder.parent)).shared_images()
    assert (training.image.name, held_out.image.name) == ("again.bmp", "test1.png")


def test_a_survey_decodes_each_file_once_even_where_nothing_is_cached(folder):
    loaded = []

    class Counting(type(open_dataset("set", folder.parent))):
        def load(self, files):
            loaded.append(files)
            return super().load(files)

    plain = open_dataset("set", folder.parent)
    dataset = Counting(**{f.name: getattr(plain, f.name) for f in fields(plain)})
    survey = Survey(dataset, cache=False)
    survey.count_classes(dataset.train)
    survey.count_classes([*dataset.val, *dataset.test])
    survey.shared_images()
    assert len(loaded) == len(set(loaded)) == len(dataset.train) + len(dataset.test)
