import numpy as np
import pytest
from PIL import Image

from kseg.data.parts import PART_NAMES, PART_PALETTE, draw_scene, iter_parts, write, write_parts
from kseg.data.parts.shapes import draw_shape

SMALL = {"size": (64, 80), "train": 3, "val": 1, "test": 2}


def read_ids(path):
    with Image.open(path) as picture:
        return np.array(picture)


def test_same_seed_draws_the_same_scene_and_another_seed_does_not():
    first, again, other = (draw_scene(np.random.default_rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert (first[1] != other[1]).any()


def test_a_scene_depends_on_its_index_and_split_but_not_on_the_count():
    few, many = (list(iter_parts("val", count, size=(64, 64))) for count in (2, 4))
    np.testing.assert_array_equal(few[1][0], many[1][0])
    assert (next(iter_parts("test", 1, size=(64, 64)))[0] != few[0][0]).any()


@pytest.mark.parametrize("size", [(96, 128), (224, 224), (33, 200)])
def test_a_scene_has_the_asked_size_and_only_known_ids(size):
    image, label = draw_scene(np.random.default_rng(0), size)
    assert image.shape == (*size, 3)
    assert label.shape == size
    assert image.dtype == label.dtype == np.uint8
    assert set(np.unique(label)) <= set(range(6))


def test_every_kind_occurs_in_the_train_split_and_parts_cover_a_fair_share():
    labels = np.stack([label for _, label in iter_parts("train", 160, size=(64, 64))])
    per_kind = [(labels == kind).any(axis=(1, 2)).sum() for kind in range(1, 6)]
    assert min(per_kind) > 40
    assert 0.12 < (labels > 0).mean() < 0.25


@pytest.mark.parametrize("kind", ["washer", "nut", "gear"])
def test_the_hole_of_a_part_is_background(kind):
    for seed in range(5):
        _, shape = draw_shape(kind, np.random.default_rng(seed), 40.0, 0.3)
        middle = shape.mask.shape[0] // 2
        assert not shape.mask[middle - 3 : middle + 4, middle - 3 : middle + 4].any()
        assert shape.mask[middle].any()


@pytest.mark.parametrize("kind", PART_NAMES)
def test_a_part_fits_into_its_patch_at_any_angle(kind):
    for seed in range(12):
        _, shape = draw_shape(kind, np.random.default_rng(seed), 30.0, 0.5 * seed)
        edge = np.ones(shape.mask.shape, bool)
        edge[1:-1, 1:-1] = False
        assert not shape.mask[edge].any()


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="no part 'screw'"):
        draw_shape("screw", np.random.default_rng(0), 30.0, 0.0)


def test_written_files_are_named_by_split_and_index(tmp_path):
    folder = write_parts(tmp_path / "deep" / "parts", **SMALL)
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))
    expected = [
        f"{split}_{what}/{split}_{index:03d}.{ending}"
        for split in ("test", "train", "val")
        for what, ending in (("image", "jpg"), ("label", "png"))
        for index in range(SMALL[split])
    ]
    assert found == expected
    assert [path.name for path in folder.parent.iterdir()] == ["parts"]


@pytest.mark.parametrize("multiclass", [False, True])
def test_labels_are_palette_files_of_class_ids(tmp_path, multiclass):
    folder = write_parts(tmp_path / "parts", multiclass=multiclass, **SMALL)
    for index, (image, label) in enumerate(iter_parts("train", 3, size=SMALL["size"])):
        path = folder / "train_label" / f"train_{index:03d}.png"
        with Image.open(path) as picture:
            assert picture.mode == "P"
            assert tuple(picture.getpalette()[3:6]) == PART_PALETTE[1]
        expected = label if multiclass else label > 0
        np.testing.assert_array_equal(read_ids(path), expected)
        saved = read_ids(folder / "train_image" / f"train_{index:03d}.jpg")
        assert np.abs(saved.astype(int) - image).mean() < 12


def test_writing_twice_gives_equal_label_files(tmp_path):
    first, second = (write_parts(tmp_path / name, **SMALL) for name in "ab")
    for path in first.rglob("*.png"):
        assert path.read_bytes() == (second / path.relative_to(first)).read_bytes()


def test_an_existing_folder_with_content_is_refused_and_an_empty_one_is_filled(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    write_parts(folder, **SMALL)
    with pytest.raises(ValueError, match="not an empty folder"):
        write_parts(folder, **SMALL)


def test_a_failure_midway_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(rng, size, **look):
        raise OSError("disk full")

    monkeypatch.setattr(write, "draw_scene", fail)
    with pytest.raises(OSError, match="disk full"):
        write_parts(tmp_path / "parts", **SMALL)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "wrong", [{"size": (16, 64)}, {"size": (64.5, 64)}, {"size": 64}, {"train": -1}, {"seed": -1}]
)
def test_bad_arguments_are_refused_before_anything_is_written(tmp_path, wrong):
    with pytest.raises(ValueError, match="give"):
        write_parts(tmp_path / "parts", **{**SMALL, **wrong})
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="no split 'dev'"):
        iter_parts("dev", 1)


def test_no_global_threshold_reaches_half_the_iou_on_the_test_images():
    import parts_threshold as benchmark

    images, labels = zip(*iter_parts("test", 40), strict=True)
    masks = np.stack(labels) > 0
    for channel in benchmark.CHANNELS.values():
        values = np.stack([channel(image) for image in images])
        assert benchmark.best_threshold(values, masks)[0] < 0.5


def test_magnification_shows_the_middle_of_a_larger_scene():
    near, _ = draw_scene(np.random.default_rng(5), (64, 48), magnification=2)
    whole, _ = draw_scene(np.random.default_rng(5), (128, 96))
    np.testing.assert_array_equal(near, whole[32:96, 24:72])


def test_less_clutter_leaves_the_labels_and_calms_the_ground():
    roughness = {0.0: 0.0, 1.0: 0.0}
    labels = {}
    for clutter in roughness:
        scenes = [draw_scene(np.random.default_rng(i), (96, 96), clutter=clutter) for i in range(6)]
        labels[clutter] = [label for _, label in scenes]
        for image, label in scenes:
            steps = np.abs(np.diff(image.astype(float), axis=1))
            roughness[clutter] += steps[label[:, 1:] == 0].mean()
    np.testing.assert_array_equal(labels[0.0], labels[1.0])
    assert roughness[0.0] < 0.7 * roughness[1.0]


@pytest.mark.parametrize("look", [{"clutter": 1.5}, {"clutter": -1}, {"magnification": 0.5}])
def test_an_impossible_look_is_refused(look):
    with pytest.raises(ValueError, match=f"The {next(iter(look))} is"):
        iter_parts("train", 1, **look)
