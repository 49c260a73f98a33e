"""The predict command, from flags to files."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from kseg.cli import main
from kseg.config import PredictConfig, UsageError, parse_config
from kseg.config.predict import Tta
from kseg.inference import tta
from tests.inference import predict_runs
from tests.inference.bright import half_bright, save_bright, save_picture
from tests.inference.predict_runs import (
    PER_IMAGE,
    labels_of,
    run,
    share_right,
    written,
)

# Fixtures.
model, at = predict_runs.model, predict_runs.at


def test_images_of_all_sorts_are_segmented_at_their_size(model, at):
    save_picture(at / "in/grey.png", half_bright(40, 60, 1))
    save_picture(at / "in/alpha.png", half_bright(50, 50, 4))
    save_picture(at / "in/tiny.png", np.full((1, 1, 3), 255, np.uint8))
    deep = half_bright(33, 47).astype(np.uint16) * 257
    tifffile.imwrite(at / "in/deep.tif", deep, photometric="rgb")
    run(model, "--input", "in", "--save", "label")
    assert share_right("out/grey_label.png", (40, 60)) > 0.97
    assert share_right("out/alpha_label.png", (50, 50)) > 0.97
    assert share_right("out/deep_label.png", (33, 47)) > 0.97
    assert labels_of("out/tiny_label.png").tolist() == [[1]]


def test_each_bad_file_gets_one_line_and_the_rest_is_done(model, at, capsys):
    for name in ("a.png", "b.jpg", "c.png"):
        save_picture(at / "in" / name, half_bright(40, 40))
    (at / "in/text.png").write_text("no image")
    (at / "in/short.jpg").write_bytes((at / "in/b.jpg").read_bytes()[:300])
    tifffile.imwrite(at / "in/bands.tif", np.zeros((40, 40, 5), np.uint8), photometric="minisblack")
    with pytest.raises(SystemExit, match="2"):
        run(model, "--input", "in")
    printed = capsys.readouterr()
    lines = [line for line in printed.err.splitlines() if line.startswith("left out: ")]
    assert len(lines) == 3
    for name in ("text.png", "short.jpg", "bands.tif"):
        assert sum(line.startswith(f"left out: in/{name}: ") for line in lines) == 1
    summary = printed.err.splitlines()[-1]
    assert "error: 3 of 6 files could not be read or segmented" in summary
    assert all(name in summary for name in ("in/text.png", "in/short.jpg", "in/bands.tif"))
    assert "3 images segmented" in printed.out
    assert len(written()) == 3 * PER_IMAGE


def test_folders_are_kept_and_a_second_run_finds_no_results(model, at):
    for name in ("a.png", "b/a.png", "b/c/a.png"):
        save_picture(at / "in" / name, half_bright(32, 32))
    for _ in range(2):
        run(model, "--input", "in", "--output", "in/out", "--recursive", "--save", "label")
    assert written("in/out") == ["a_label.png", "b/a_label.png", "b/c/a_label.png"]


def test_an_input_is_never_written_over(model, at, capsys):
    save_picture(at / "in/a.png", half_bright(32, 32))
    save_picture(at / "in/a_label.png", half_bright(32, 32))
    before = (at / "in/a_label.png").read_bytes()
    with pytest.raises(SystemExit, match="2"):
        run(model, "--input", "in", "--output", "in")
    assert "in/a_label.png: this input would be overwritten" in capsys.readouterr().err
    assert (at / "in/a_label.png").read_bytes() == before
    assert len(list((at / "in").iterdir())) == 2


def test_images_are_listed_on_standard_input_or_by_a_pattern(model, at, monkeypatch):
    for name in ("x/a.png", "y/a.png", "z.png"):
        save_picture(at / "in" / name, half_bright(32, 32))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"in/x/a.png\nin/y/a.png\n")))
    run(model, "--input", "-", "--save", "label")
    assert written() == ["x/a_label.png", "y/a_label.png"]
    run(model, "--input", "in/?/*.png", "--output", "glob", "--save", "label")
    assert written("glob") == ["x/a_label.png", "y/a_label.png"]


def test_every_kind_can_be_written_at_once(model, at, capsys):
    save_picture(at / "in/a.png", half_bright(30, 40))
    run(model, "--input", "in", "--save", "all")
    assert written() == [
        "a.json",
        "a_colour.png",
        "a_cutout.png",
        "a_heat_0_background.jpg",
        "a_heat_1_bright.jpg",
        "a_label.png",
        "a_overlay.jpg",
        "classes.txt",
        "coco.json",
        "count.csv",
    ]
    labels = labels_of("out/a_label.png")
    cut = np.asarray(Image.open("out/a_cutout.png"))[..., 3] > 0
    np.testing.assert_array_equal(cut, labels == 1)
    (annotation,) = json.loads(Path("out/coco.json").read_text())["annotations"]
    assert annotation["area"] == labels.sum()
    assert "bright" in capsys.readouterr().out
    # The polygons lie beside a JSON file of another kind, and apart from the image.
    main(["json_to_dataset", "out", "--images", "in", "--output", "again"])
    np.testing.assert_array_equal(labels_of("again/mask_png/a.png"), labels)


def test_heat_maps_have_a_mode_and_can_be_of_one_class(model, at):
    save_picture(at / "in/a.png", half_bright(30, 40))
    run(model, "--input", "in", "--mode", "heatmap", "--heat_class", "bright", "--blend", "1")
    assert written() == ["a_heat_1_bright.jpg"]
    heat = np.asarray(Image.open("out/a_heat_1_bright.jpg")).astype(int)
    # from violet to yellow
    assert heat[15, 35, 0] - heat[15, 5, 0] > 100


def test_the_speed_is_measured_as_often_as_asked(model, at, capsys):
    save_picture(at / "in/a.png", half_bright(30, 40))
    run(model, "--input", "in", "--mode", "fps", "--test_interval", "3")
    printed = capsys.readouterr().out
    for words in ("FPS at batch size 1 (mean of 3)", "p50", "p95", "images/s at batch size 4"):
        assert words in printed
    assert not Path("out").exists()


def test_label_maps_are_cleaned_on_request(model, at):
    image = half_bright(32, 48)
    image[5:7, 5:7] = 255
    image[20, 40] = 0
    save_picture(at / "in/a.png", image)
    flags = ("--fit", "pad", "--save", "label", "--min_size", "9", "--fill_holes", "9")
    run(model, "--input", "in", *flags)
    assert share_right("out/a_label.png", (32, 48)) == 1


def test_several_models_answer_together(model, at):
    other = save_bright(at / "other.keras")
    save_picture(at / "in/a.png", half_bright(30, 40))
    run(f"{model},{other}", "--input", "in", "--save", "label")
    assert share_right("out/a_label.png", (30, 40)) > 0.97


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model", "nowhere"], "nowhere: there is no trained model here"),
        (["--input", "nowhere"], "nowhere: there is no such file or folder"),
        (["--mode", "video"], "--mode video needs a video or a camera"),
        (["--mode", "dir_predict", "--input", "in/a.png"], "--mode dir_predict needs a folder"),
        (["--mode", "heatmap", "--input", "clip.mp4"], "--mode heatmap needs images"),
        (["--save", "heatmap", "--heat_class", "7"], "there is no class '7'"),
        (["--save", "labels"], "--save must be some of label, colour"),
        (["--save", ""], "--save must be some of label, colour"),
        (["--mode", "heatmap", "--save", "label"], "leave out --save, or the mode"),
        (["--overlap", "1"], "--overlap must be in 0..0.9, got 1.0"),
        (["--tile", "8"], "--tile must be at least 32, got 8"),
        (["--strips_above", "0"], "--strips_above must be above 0, got 0.0"),
        (["--mode", "fps", "--engine", "ray"], "--engine ray is for images"),
    ],
)
def test_a_wrong_flag_gets_one_sentence(flags, message, model, at, capsys):
    save_picture(at / "in/a.png", half_bright(30, 40))
    (at / "clip.mp4").touch()
    with pytest.raises(SystemExit, match="2"):
        run(model, "--input", "in", *flags)
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1
    assert message in error[0]


def test_models_of_other_classes_do_not_answer_together(model, at, capsys):
    other = save_bright(at / "other.keras", class_names=("background", "dark"))
    save_picture(at / "in/a.png", half_bright(30, 40))
    with pytest.raises(SystemExit, match="2"):
        run(f"{model},{other}", "--input", "in")
    assert "models that answer together need the same classes" in capsys.readouterr().err


def test_a_model_of_another_class_count_is_refused(at, capsys):
    wrong = save_bright(at / "wrong.keras", class_names=("a", "b", "c"))
    save_picture(at / "in/a.png", half_bright(30, 40))
    with pytest.raises(SystemExit, match="2"):
        run(wrong, "--input", "in")
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1
    assert "2 scores per pixel, but 3 classes" in error[0]


def test_a_large_image_is_written_strip_by_strip(model, at, capsys):
    save_picture(at / "in/large.png", half_bright(100, 150))
    save_picture(at / "in/small.png", half_bright(30, 40))
    flags = ("--input", "in", "--strips_above", "0.01", "--tile", "64", "--save", "label,count")
    run(model, *flags)
    assert share_right("out/large_label.png", (100, 150)) == 1
    assert "large.png,1,bright,7500,0.5" in Path("out/count.csv").read_text()
    run(model, *flags[:-1], "label,overlay", "--output", "both")
    assert written("both") == ["large_label.png", "small_label.png", "small_overlay.jpg"]
    assert "above 0.01 megapixels, so there is no overlay of it" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        run(model, *flags, "--min_size", "5", "--output", "third")
    assert "only label maps (and counts) are made" in capsys.readouterr().err
    assert written("third") == ["count.csv", "small_label.png"]


def test_the_views_of_the_config_are_those_of_the_predictor():
    assert Tta.__args__ == tuple(tta.VIEWS)


def test_models_and_kinds_are_lists_or_words_with_commas(at):
    (at / "a,b").mkdir()
    config = parse_config(PredictConfig, ["--model", "[x, y]", "--save", "[label, coco]"])
    assert (config.models, config.kinds) == (["x", "y"], ("label", "coco"))
    config = parse_config(PredictConfig, ["--model", "x, y", "--save", "coco,label,coco"])
    assert (config.models, config.kinds) == (["x", "y"], ("coco", "label"))
    assert PredictConfig("a,b").models == ["a,b"]
    with pytest.raises(UsageError, match="--video_fps must be above 0"):
        PredictConfig(video_fps=0)
