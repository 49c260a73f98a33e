"""From a name to a data set that opens, and what stands in the way."""

import hashlib
from dataclasses import replace

import pytest

from kseg.data.download import SOURCES, next_steps, plan, source_of
from kseg.data.download.errors import DownloadError
from kseg.data.download.place import work_folder
from tests.data.download.archives import Entry, make_zip, tree
from tests.data.download.data_sets import (
    OPTIONS,
    folders,
    pairs,
    png,
    quiet,
    sizes,
)


def custom(server, content, name="mine", checksum=None):
    server.files["/mine.zip"] = content
    return source_of(name, f"{server.url}/mine.zip", checksum)


def test_any_archive_can_be_fetched_by_its_address(server, tmp_path):
    content = make_zip(folders())
    dataset, said = quiet(
        custom(server, content, checksum=hashlib.sha256(content).hexdigest().upper()), tmp_path
    )
    assert sizes(dataset) == [3, 2, 2]
    assert dataset.train[0].image.is_relative_to(tmp_path / "mine")
    assert any("the sha256 checksum is right" in line for line in said)
    lines = "\n".join(next_steps(dataset, tmp_path))
    assert f"--dataset_name mine --data_root {tmp_path}" in lines
    assert sorted(path.name for path in tmp_path.iterdir()) == [".downloads", "mine"]


def test_archives_of_one_name_at_two_addresses_are_not_taken_for_each_other(server, tmp_path):
    server.files["/other/mine.zip"] = make_zip(folders(5))
    quiet(custom(server, make_zip(folders())), tmp_path)
    other = source_of("mine", f"{server.url}/other/mine.zip")
    dataset, _ = quiet(other, tmp_path, replace(OPTIONS, overwrite=True))
    assert sizes(dataset)[0] == 5


def test_a_copy_of_a_known_data_set_may_be_packed_otherwise(server, tmp_path):
    entries = []
    for part in ("train", "val", "test"):
        entries += pairs(f"CamVid/{part}/{{}}.png", f"CamVid/{part}annot/{{}}.png", 1)
    dataset, _ = quiet(custom(server, make_zip(entries), "camvid"), tmp_path)
    assert sizes(dataset) == [1, 1, 1]


def test_a_data_set_that_is_there_is_only_replaced_on_request(server, tmp_path):
    source = custom(server, make_zip(folders()))
    quiet(source, tmp_path)
    (tmp_path / "mine" / "note.txt").write_text("mine")
    before = tree(tmp_path)
    with pytest.raises(DownloadError, match="mine is there already; --overwrite replaces it"):
        quiet(source, tmp_path)
    assert tree(tmp_path) == before
    quiet(source, tmp_path, replace(OPTIONS, overwrite=True))
    assert not (tmp_path / "mine" / "note.txt").exists()


def test_a_link_or_a_file_in_the_place_of_the_data_set_is_left_alone(server, tmp_path):
    source = custom(server, make_zip(folders()))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "mine").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(DownloadError, match="is a link"):
        quiet(source, tmp_path, replace(OPTIONS, overwrite=True))
    (tmp_path / "mine").unlink()
    (tmp_path / "mine").write_text("file")
    with pytest.raises(DownloadError, match="is a file"):
        quiet(source, tmp_path, replace(OPTIONS, overwrite=True))
    assert server.log == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (make_zip([*folders(), Entry("../../../evil", b"x")]), "lies outside"),
        (make_zip(folders())[:-40], "damaged or ends too early.*fetch it anew"),
        (make_zip([Entry("note.txt", b"x")]), "mine was not replaced"),
    ],
)
def test_the_old_data_set_stays_where_the_new_one_is_bad(server, tmp_path, content, message):
    quiet(custom(server, make_zip(folders())), tmp_path)
    old = tree(tmp_path / "mine")
    server.files["/bad.zip"] = content
    bad = source_of("mine", f"{server.url}/bad.zip")
    with pytest.raises(DownloadError, match=message):
        quiet(bad, tmp_path, replace(OPTIONS, overwrite=True))
    assert tree(tmp_path / "mine") == old
    assert not list((tmp_path / ".downloads").glob("*.unpacking"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [".downloads", "mine"]


def test_a_truncated_archive_without_checksum_is_fetched_anew_by_the_next_run(server, tmp_path):
    content = make_zip(folders())
    server.lengths = False
    source = custom(server, content[:-40])
    with pytest.raises(DownloadError, match="run the command again to fetch it anew"):
        quiet(source, tmp_path)
    server.files["/mine.zip"] = content
    assert sizes(quiet(source, tmp_path)[0]) == [3, 2, 2]


def test_a_layout_that_no_adapter_knows_is_unpacked_and_said(server, tmp_path):
    source = custom(server, make_zip([Entry("a/pictures/1.png", png()), Entry("a/x.txt", b"x")]))
    with pytest.raises(DownloadError, match=r"unpacked to .*mine, but it cannot be trained on"):
        quiet(source, tmp_path)
    assert (tmp_path / "mine" / "pictures" / "1.png").is_file()


def test_archives_are_removed_on_request(server, tmp_path):
    source = custom(server, make_zip(folders()))
    quiet(source, tmp_path, replace(OPTIONS, keep_archives=False))
    assert not list((tmp_path / ".downloads").glob("*.zip"))
    assert list((tmp_path / ".downloads").glob("*.zip.sha256"))


def test_two_runs_at_once_do_not_disturb_each_other(tmp_path):
    with (
        work_folder(tmp_path, "mine"),
        pytest.raises(DownloadError, match="another run"),
        work_folder(tmp_path, "mine"),
    ):
        pass


def test_what_a_killed_run_left_is_cleared(tmp_path):
    (tmp_path / "mine.unpacking" / "half").mkdir(parents=True)
    with work_folder(tmp_path, "mine") as folder:
        assert list(folder.iterdir()) == []
    assert not folder.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing",), "no address of a data set 'nothing' is known; known are camvid, coco"),
        (("camwid",), "did you mean 'camvid'"),
        (("mine", "http://example.org/a.zip"), "only addresses that begin with https://"),
        (("mine", "https://example.org/a.zip", "12"), "64 digits"),
        (("mine", None, "0" * 64), "give both"),
    ],
)
def test_mistakes_are_named(arguments, message):
    with pytest.raises(DownloadError, match=message):
        source_of(*arguments)


def test_a_plan_says_what_would_be_fetched_and_writes_nothing(tmp_path):
    lines = "\n".join(plan(SOURCES["voc2007"], tmp_path))
    assert lines.count("fetch  ") == 2
    assert "sha256 7d8cd951101b" in lines
    assert "about 460 MB" in lines
    assert list(tmp_path.iterdir()) == []
    downloads = tmp_path / ".downloads"
    downloads.mkdir()
    (downloads / "VOCtest_06-Nov-2007.tar.part").write_bytes(bytes(2000))
    (downloads / "VOCtrainval_06-Nov-2007.tar").write_bytes(b"x")
    lines = "\n".join(plan(SOURCES["voc2007"], tmp_path))
    assert "of which 2.0 kB are there" in lines
    assert "VOCtrainval_06-Nov-2007.tar, which is there already" in lines
    assert "none published, will be recorded" in "\n".join(plan(SOURCES["camvid"], tmp_path))
