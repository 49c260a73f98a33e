import csv
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count, takewhile
from pathlib import Path

import cv2
import numpy as np
import pytest

from kseg.cli import main
from kseg.inference.film import FilmOptions, segment_film
from kseg.inference.outputs import Look
from kseg.inference.pipeline import Pipeline
from kseg.inference.sources import Film, find_inputs
from kseg.inference.video import Frames, film_suffix, film_writer
from tests.inference.bright import bright_predictor, save_bright

FRAMES = 10


@pytest.fixture
def at(tmp_path, monkeypatch):
    """A folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def frame(number, size):
    """Grey, with a white part that grows by two columns per frame."""
    picture = np.full((*size, 3), 60, np.uint8)
    picture[:, : 2 * number] = 255
    return picture


def write_film(path, size=(48, 64), fps=12.5):
    with film_writer(path, fps, size) as writer:
        for number in range(FRAMES):
            writer.write(frame(number, size))
    return path


def read_film(path):
    with Frames(Film(path, Path(path.stem))) as frames:
        pictures = list(takewhile(lambda one: one is not None, map(frames.read, count())))
        return frames.fps, frames.count, pictures


def segment(path, options=None, **changes):
    predictor = bright_predictor(**changes)
    pipeline = Pipeline(predictor, Look(Path("out"), predictor.class_names), {}, batch_size=4)
    return segment_film(pipeline, find_inputs(str(path)), options)


def white_columns(picture):
    return int((picture[0].mean(-1) > 160).sum())


@pytest.mark.parametrize("size", [(48, 64), (49, 64), (33, 47)])
def test_a_film_keeps_its_size_its_speed_and_its_frames(size, at):
    film = write_film(at / f"clip{film_suffix(size)}", size)
    (result,) = segment(film, FilmOptions(("cutout",)))
    fps, stated, pictures = read_film(result)
    assert (fps, stated, len(pictures)) == (12.5, FRAMES, FRAMES)
    assert {picture.shape for picture in pictures} == {(*size, 3)}
    # Codecs blur edges a little; nothing is lost or swapped.
    assert np.abs([white_columns(one) - 2 * i for i, one in enumerate(pictures)]).max() <= 2
    assert [path.name for path in (at / "out").iterdir()] == [result.name]


def test_kinds_are_films_of_their_own_and_frames_are_counted(at):
    film = write_film(at / "clip.mp4")
    written = segment(film, FilmOptions(("overlay", "colour", "count"), fps=5.0, frames=4))
    assert [path.name for path in written] == [
        "clip_overlay.mp4",
        "clip_colour.mp4",
        "count.csv",
    ]
    fps, _, pictures = read_film(written[1])
    assert (fps, len(pictures)) == (5.0, 4)
    assert pictures[3][20, 2, 0] > 100
    with written[2].open() as file:
        bright = [row for row in csv.DictReader(file) if row["class"] == "bright"]
    assert [row["file"] for row in bright] == [f"clip:00000{i}" for i in range(4)]
    shares = [float(row["share"]) for row in bright]
    np.testing.assert_allclose(shares, [i / 32 for i in range(4)], atol=0.02)


def test_a_grey_model_sees_films_and_one_of_five_channels_says_no(at):
    film = write_film(at / "clip.mp4")
    segment(film, channels=1)
    with pytest.raises(ValueError, match="3 channels, which cannot become 5"):
        segment(film, channels=5)
    assert not list(at.glob("out/.partial*"))


def test_a_film_cannot_hold_class_numbers():
    with pytest.raises(ValueError, match="--save label is for images; a film can be saved as col"):
        FilmOptions(("label",))


def test_the_film_itself_is_never_written_over(at):
    film = write_film(at / "clip.mp4")
    (at / "out").mkdir()
    (at / "out" / "clip_overlay.mp4").symlink_to(film)
    before = film.read_bytes()
    with pytest.raises(ValueError, match="this input would be overwritten"):
        segment(film)
    assert film.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"no video", "cut"])
def test_a_film_that_cannot_be_read_gets_one_line(content, at, capfd):
    film = write_film(at / "clip.mp4")
    film.write_bytes(film.read_bytes()[:700] if content == "cut" else content)
    with pytest.raises(SystemExit, match="2"):
        main(["predict", "--model", str(save_bright(at / "m.keras")), "--input", "clip.mp4"])
    error = capfd.readouterr().err.strip().splitlines()
    assert error[-1].endswith("error: clip.mp4: this is no video that can be decoded")
    assert not (at / "data").exists()


def test_a_camera_that_is_not_there_gets_one_line():
    with pytest.raises(ValueError, match="camera 98: no such camera"):
        Frames(Film(98, Path("camera_98")))


def test_a_film_is_not_closed_while_a_thread_still_decodes_ahead(monkeypatch):
    # FFmpeg waits for ever then, now and then.
    started, closed_early = threading.Event(), []

    class Slow(Camera):
        reading = False

        def read(self):
            if self.number >= 0:
                self.reading = True
                started.set()
                time.sleep(0.2)
                self.reading = False
            return super().read()

        def release(self):
            closed_early.append(self.reading)

    monkeypatch.setattr(cv2, "VideoCapture", Slow)
    with ThreadPoolExecutor(1) as ahead, Frames(Film(0, Path("camera_0"))) as frames:
        assert frames.read() is not None
        ahead.submit(frames.read)
        assert started.wait(60)
    assert closed_early == [False]


def test_a_closed_film_has_no_frames_left(at):
    with Frames(Film(write_film(at / "clip.mp4"), Path("clip"))) as frames:
        pass
    assert frames.read() is None


def test_the_command_writes_an_overlay_of_a_film(at, capsys):
    write_film(at / "clip.mp4")
    model = save_bright(at / "best.keras")
    flags = ("--model", model, "--input", "clip.mp4", "--output", "out", "--mode", "video")
    main(["predict", *map(str, flags)])
    assert len(read_film(at / "out" / "clip_overlay.mp4")[2]) == FRAMES
    assert "clip.mp4 segmented, results in out" in capsys.readouterr().out


class Camera:
    """Some frames, after which someone presses Ctrl-C."""

    frames = 30

    def __init__(self, *arguments):
        self.number = -1

    def read(self):
        self.number += 1
        if self.number == self.frames:
            raise KeyboardInterrupt
        return True, frame(self.number, (48, 64))

    def get(self, name):
        return 0.0

    def release(self):
        pass


def test_a_camera_stops_at_ctrl_c_and_keeps_its_film(at, monkeypatch):
    files = cv2.VideoCapture
    monkeypatch.setattr(
        cv2, "VideoCapture", lambda *of: files(*of) if isinstance(of[0], str) else Camera()
    )
    (path,) = segment("0")
    fps, _, pictures = read_film(path)
    assert path.name == "camera_0_overlay.mp4"
    assert fps == 25.0
    # Those that threads were still drawing are lost.
    assert Camera.frames - 12 <= len(pictures) <= Camera.frames


def test_a_camera_that_is_stopped_at_once_leaves_no_film(at, monkeypatch):
    monkeypatch.setattr(cv2, "VideoCapture", Camera)
    monkeypatch.setattr(Camera, "frames", 1)
    with pytest.raises(ValueError, match="stopped before the first frame was segmented"):
        segment("0")
    assert list((at / "out").iterdir()) == []
