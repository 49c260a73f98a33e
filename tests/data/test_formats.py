"""Known data sets in the layouts that they are distributed in."""

import shutil

import numpy as np
import pytest
import tifffile
from PIL import Image

from kseg.data import open_dataset
from kseg.data.camvid import CLASS_COLOURS
from kseg.data.check import Survey
from kseg.data.classes import with_channels, with_classes
from kseg.data.label_counts import digest
from kseg.palette import class_palette

RNG = np.random.default_rng(0)


def write(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array, "uint8")).save(path, **options)


def write_pair(image, mask, size=(6, 8), labels=2):
    write(image, RNG.integers(0, 256, (*size, 3)))
    write(mask, RNG.integers(0, labels, size))


def test_camvid_in_its_32_colours(tmp_path):
    colours = np.array(list(CLASS_COLOURS.values()), "uint8")
    labels = np.arange(32).reshape(4, 8)
    for part in ("train", "val", "test"):
        write(tmp_path / part / "0001TP_1.png", RNG.integers(0, 256, (4, 8, 3)))
        write(tmp_path / f"{part}_labels" / "0001TP_1_L.png", colours[labels])
    dataset = open_dataset("camvid", tmp_path)
    assert (dataset.num_classes, dataset.ignore_class) == (31, 31)
    np.testing.assert_array_equal(dataset.load(dataset.val[0]).mask, labels)
    (tmp_path / "class_dict.csv").write_text(
        "name,r,g,b\n" + "".join(f"n{i},{r},{g},{b}\n" for i, (r, g, b) in enumerate(colours[::-1]))
    )
    reordered = open_dataset("camvid", tmp_path)
    np.testing.assert_array_equal(reordered.load(reordered.val[0]).mask, 31 - labels)


def test_isbi_volumes_are_the_slices_of_the_png_files(real_data, tmp_path):
    slices = open_dataset("isbi", real_data("isbi2012"))
    images = np.stack([slices.load_image(f)[..., 0] for f in all_files(slices)])
    masks = np.stack([slices.load_mask(f) for f in all_files(slices)])
    tifffile.imwrite(tmp_path / "train-volume.tif", images, photometric="minisblack")
    labels = np.where(masks == 1, 0, 255).astype("uint8")
    tifffile.imwrite(tmp_path / "train-labels.tif", labels, photometric="minisblack")
    volume = open_dataset("isbi", tmp_path)
    assert [f.name for f in volume.test] == [f"train-volume_{i:04d}" for i in range(24, 30)]
    for ours, theirs in zip(all_files(volume), all_files(slices), strict=True):
        one, other = volume.load(ours), slices.load(theirs)
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.mask, other.mask)


def all_files(dataset):
    return [*dataset.train, *dataset.val, *dataset.test]


@pytest.mark.parametrize("start", ["", "slice_"])
@pytest.mark.parametrize(
    ("name", "images", "masks", "held_out"),
    [("isbi", "images", "labels", 4), ("digital_rock", "JPEGImages", "SegmentationClass", 1)],
)
def test_slices_without_leading_zeros_are_split_by_their_numbers(
    name, images, masks, held_out, start, tmp_path
):
    for index in range(12):
        write_pair(*(tmp_path / name / kind / f"{start}{index}.png" for kind in (images, masks)))
    dataset = open_dataset(name, tmp_path)
    assert [files.name for files in all_files(dataset)] == [f"{start}{i}" for i in range(12)]
    assert len(dataset.val) == held_out


def test_isbi_volumes_of_different_length_are_refused(tmp_path):
    for name, pages in (("train-volume.tif", 12), ("train-labels.tif", 11)):
        array = np.zeros((pages, 4, 5), "uint8")
        tifffile.imwrite(tmp_path / name, array, photometric="minisblack")
    with pytest.raises(ValueError, match=r"train-labels.tif: it has 11 pages but .* has 12"):
        open_dataset("isbi", tmp_path)


def drive_as_distributed(source, folder, with_test=True):
    for part, first in (("training", 21), ("test", 1)):
        for number in range(first, first + 5):
            names = f"images/{number:02d}_{part}.tif", f"mask/{number:02d}_{part}_mask.gif"
            manual = [f"1st_manual/{number:02d}_manual1.gif"] * (with_test or part != "test")
            files = "21_training.tif", "21_training_mask.gif", "21_manual1.gif"
            for name, file in zip((*names, *manual), files, strict=False):
                (folder / part / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source / file, folder / part / name)
    return folder


def test_drive_as_distributed_equals_its_png_files(real_data, tmp_path):
    png = open_dataset("drive", real_data("drive"))
    distributed = drive_as_distributed(real_data("drive_original_sample"), tmp_path / "DRIVE")
    dataset = open_dataset("drive", distributed.parent)
    assert [len(part) for part in dataset.splits.values()] == [1, 4, 5]
    ours = dataset.load(dataset.train[0])
    theirs = png.load(next(f for f in png.train if f.name == "21"))
    np.testing.assert_array_equal(ours.image, theirs.image)
    np.testing.assert_array_equal(ours.mask, theirs.mask)


def test_drive_without_labels_of_its_test_part(real_data, tmp_path):
    folder = drive_as_distributed(real_data("drive_original_sample"), tmp_path / "DRIVE", False)
    dataset = open_dataset("drive", folder)
    assert dataset.test == dataset.val
    shutil.rmtree(folder / "test")
    with pytest.raises(ValueError, match="test/images: no such folder"):
        open_dataset("drive", folder)


@pytest.mark.parametrize(
    ("name", "sizes", "classes"),
    [("dsb2018", [72, 24, 24], 2), ("digital_rock", [240, 30, 30], 4)],
)
def test_real_data_sets_of_one_folder_are_split_in_blocks(name, sizes, classes, real_data):
    dataset = open_dataset(name, real_data(name).parent)
    assert [len(part) for part in dataset.splits.values()] == sizes
    names = [files.name for files in all_files(dataset)]
    assert names == sorted(names)
    seen = np.unique([np.unique(dataset.load(f).mask) for f in dataset.test[:3]])
    assert seen.tolist() == list(range(classes))


def test_helen_small_has_its_11_classes(tmp_path):
    for part in ("train", "test"):
        write_pair(tmp_path / f"{part}_image/a.jpg", tmp_path / f"{part}_label/a.png", labels=11)
    dataset = open_dataset("helen_small", tmp_path)
    assert dataset.num_classes == 11
    assert Survey(dataset).count_classes(dataset.train).pixels.sum() == 48


@pytest.mark.parametrize("parts", [("train", "val"), ("train", "test"), ("train", "val", "test")])
def test_plain_folders_need_one_part_to_hold_out(parts, tmp_path):
    for part in parts:
        write_pair(tmp_path / f"{part}_image/{part}.jpg", tmp_path / f"{part}_label/{part}.png")
    dataset = open_dataset("own", tmp_path)
    names = [files[0].name for files in dataset.splits.values()]
    assert names == ["train", parts[1], parts[-1]]


def test_plain_folders_without_held_out_images_are_refused(tmp_path):
    write_pair(tmp_path / "train_image/a.jpg", tmp_path / "train_label/a.png")
    with pytest.raises(ValueError, match="test_image: no such folder"):
        open_dataset("own", tmp_path)


def test_images_of_many_bands_train_with_their_number_of_channels(tmp_path):
    bands = RNG.integers(0, 65536, (4, 5, 6)).astype("uint16")
    for part in ("train", "test"):
        for number in range(2):
            write(tmp_path / f"{part}_label" / f"{number}.png", np.zeros((4, 5)))
            (tmp_path / f"{part}_image").mkdir(exist_ok=True)
        np.save(tmp_path / f"{part}_image" / "0.npy", bands)
        options = {"photometric": "minisblack", "planarconfig": "contig"}
        tifffile.imwrite(tmp_path / f"{part}_image" / "1.tif", bands, **options)
    dataset = with_channels(open_dataset("own", tmp_path), 6)
    hashes = {digest(dataset.load(files).image) for files in dataset.train}
    assert len(hashes) == 1
    with pytest.raises(ValueError, match="has 6 channels, which cannot become 3"):
        Survey(with_channels(dataset, 3)).count_classes(dataset.train)
    with pytest.raises(ValueError, match="--image_channels must be at least 1, got 0"):
        with_channels(dataset, 0)
    assert with_channels(dataset, None) is dataset


def test_a_label_map_of_an_image_turned_by_exif_must_be_turned_too(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    for part in ("train", "test"):
        write(tmp_path / f"{part}_image/a.jpg", RNG.integers(0, 256, (6, 8, 3)), exif=exif)
        write(tmp_path / f"{part}_label/a.png", np.zeros((6, 8)))
    dataset = open_dataset("own", tmp_path)
    with pytest.raises(ValueError, match="is 6x8 .*turned by its EXIF orientation, turn its label"):
        dataset.load(dataset.train[0])
    write(tmp_path / "train_label/a.png", np.zeros((8, 6)))
    assert dataset.load(dataset.train[0]).image.shape == (8, 6, 3)


def test_lists_and_colours_give_the_labels_of_the_real_files(real_data, tmp_path):
    camvid = open_dataset("camvid", real_data("camvid"))
    colours = class_palette()[1:13]
    names = [*camvid.class_names, "void"]
    rows = [f"{name},{r},{g},{b}" for name, (r, g, b) in zip(names, colours, strict=True)]
    (tmp_path / "classes.csv").write_text("\n".join(rows))
    (tmp_path / "images").symlink_to(camvid.val[0].image.parent)
    for files in camvid.val[:3]:
        write(tmp_path / "masks" / files.mask.name, colours[camvid.load_mask(files)])
    lines = [f"images/{f.image.name};masks/{f.mask.name}" for f in camvid.val[:3]]
    (tmp_path / "train.csv").write_text("\r\n".join(["image;mask", *lines]))
    dataset = open_dataset("own", tmp_path)
    assert (dataset.num_classes, dataset.ignore_class) == (11, 11)
    for ours, theirs in zip([*dataset.train, *dataset.val], camvid.val[:3], strict=True):
        np.testing.assert_array_equal(dataset.load(ours).mask, camvid.load(theirs).mask)


def test_fewer_classes_than_names_are_numbered(real_data):
    dataset = with_classes(open_dataset("camvid", real_data("camvid")), 4, None)
    assert dataset.class_names == ("background", "class 1", "class 2", "class 3")
