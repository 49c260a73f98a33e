import shutil

import numpy as np
import pytest
from PIL import Image

from kseg.data import list_datasets, open_dataset, register_dataset
from kseg.data.check import Survey
from kseg.data.classes import with_classes


@pytest.fixture
def own_data(parts_root, tmp_path):
    """A copy of `parts` under another name, without validation images."""
    folder = tmp_path / "own"
    shutil.copytree(parts_root / "parts", folder)
    shutil.rmtree(folder / "val_image")
    shutil.rmtree(folder / "val_label")
    return folder


def change_label(folder, name, change):
    path = folder / "train_label" / f"{name}.png"
    labels = np.array(Image.open(path))
    Image.fromarray(change(labels)).save(path)


def test_plain_folders_are_paired_by_name(own_data):
    dataset = open_dataset("own", own_data.parent)
    assert [len(part) for part in dataset.splits.values()] == [16, 4, 4]
    assert dataset.val == dataset.test
    assert all(files.image.stem == files.mask.stem for files in dataset.train)


def test_the_data_root_may_be_the_data_set_itself(own_data):
    assert open_dataset("own", own_data).train == open_dataset("own", own_data.parent).train


def test_parts_is_drawn_on_first_use(tmp_path, monkeypatch):
    import kseg.data.parts as parts

    small = dict(size=(64, 64), train=2, val=1, test=1)
    monkeypatch.setattr(
        parts, "write_parts", lambda folder, **o: write(folder, **o, **small), raising=True
    )
    write = parts.write.write_parts
    dataset = open_dataset("parts_multiclass", tmp_path)
    assert (tmp_path / "parts_multiclass" / "train_image").is_dir()
    assert dataset.class_names == ("background", *parts.PART_NAMES)


def test_a_missing_partner_is_named(own_data):
    (own_data / "train_label" / "train_003.png").unlink()
    with pytest.raises(ValueError, match=r"train_003.jpg: no label map named train_003\.\*"):
        open_dataset("own", own_data)


def test_two_images_of_one_name_are_refused(own_data):
    images = own_data / "train_image"
    Image.open(images / "train_003.jpg").save(images / "train_003.png")
    with pytest.raises(ValueError, match="same name up to the extension"):
        open_dataset("own", own_data)


def test_another_size_is_named(own_data):
    change_label(own_data, "train_003", lambda labels: labels[:-1])
    message = r"train_003.png: the label map is 64x63 but its image train_003.jpg is 64x64"
    dataset = open_dataset("own", own_data)
    with pytest.raises(ValueError, match=message):
        Survey(dataset).count_classes(dataset.train)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda labels: labels * 255, "label values 255 .* 0/255 mask: write 1 instead of 255"),
        (lambda labels: labels * 3, "label values 3 are not in 0..1; pass --n_classes 4"),
    ],
)
def test_a_label_that_is_no_class_is_named(own_data, change, message):
    change_label(own_data, "train_003", change)
    dataset = open_dataset("own", own_data)
    with pytest.raises(ValueError, match=f"train_003.png: {message}"):
        Survey(dataset).count_classes(dataset.train)


def test_an_ignored_label_is_no_error(own_data):
    change_label(own_data, "train_003", lambda labels: labels * 255)
    dataset = with_classes(open_dataset("own", own_data), None, 255)
    assert Survey(dataset).count_classes(dataset.train).pixels.shape == (2,)


def whiten(root, folder="train_label"):
    for path in (root / folder).iterdir():
        Image.fromarray((np.array(Image.open(path)) > 0).astype("uint8") * 255).save(path)


def test_white_objects_are_refused_where_255_is_ignored(own_data):
    whiten(own_data)
    dataset = with_classes(open_dataset("own", own_data), None, 255)
    message = r"train_000.png: no training .* a class but 0, and 255 is ignored; .* write 1 instead"
    with pytest.raises(ValueError, match=message):
        Survey(dataset).count_classes(dataset.train)
    (own_data / "dataset.yaml").write_text("values: {0: 0, 255: 1}")
    dataset = with_classes(open_dataset("own", own_data), None, 255)
    assert Survey(dataset).count_classes(dataset.train).pixels.all()


def test_held_out_label_maps_may_show_void_and_background_alone(own_data):
    whiten(own_data, "test_label")
    dataset = with_classes(open_dataset("own", own_data), None, 255)
    assert Survey(dataset).count_classes(dataset.test).pixels[1] == 0


def test_the_check_counts_the_pixels_of_each_class(own_data):
    dataset = open_dataset("own", own_data)
    counts = Survey(dataset).count_classes([*dataset.train, *dataset.val, *dataset.test]).pixels
    labels = [np.array(Image.open(f.mask)) for f in (*dataset.train, *dataset.test)]
    assert counts.tolist() == [int(sum((one == c).sum() for one in labels)) for c in (0, 1)]


def test_bbufdataset_without_its_folder_says_what_to_do(tmp_path):
    with pytest.raises(ValueError, match="--dataset_name parts"):
        open_dataset("bbufdataset", tmp_path)


def test_an_unknown_data_set_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(ValueError, match=r"no data set 'isbi' here.*`kseg download_data isbi`"):
        open_dataset("isbi", tmp_path)
    with pytest.raises(ValueError, match=r"there is no data set 'mine' here.*train_label"):
        open_dataset("mine", tmp_path)


def test_a_name_cannot_be_registered_twice():
    assert "camvid" in list_datasets()
    with pytest.raises(ValueError, match="'camvid' is registered already"):
        register_dataset("camvid", lambda name, folder: None)


def test_more_classes_than_names_are_numbered(own_data):
    dataset = with_classes(open_dataset("own", own_data), 4, None)
    assert dataset.class_names == ("background", "foreground", "class 2", "class 3")


@pytest.mark.parametrize(
    ("name", "sizes", "classes", "ignored"),
    [
        ("camvid", [367, 101, 233], 11, 11),
        ("drive", [16, 4, 20], 2, 255),
        ("isbi", [20, 4, 6], 2, None),
    ],
)
def test_real_data_sets_are_read(name, sizes, classes, ignored, real_data):
    dataset = open_dataset(name, real_data({"isbi": "isbi2012"}.get(name, name)))
    assert [len(part) for part in dataset.splits.values()] == sizes
    assert (dataset.num_classes, dataset.ignore_class) == (classes, ignored)
    labels = [dataset.load(files).mask for files in dataset.test[:4]]
    allowed = {*range(classes), ignored}
    assert set(np.unique(labels).tolist()) <= allowed


def test_camvid_void_is_a_few_percent(real_data):
    dataset = open_dataset("camvid", real_data("camvid"))
    masks = np.stack([dataset.load_mask(files) for files in dataset.val])
    assert 0.01 < (masks == 11).mean() < 0.06


def test_drive_outside_the_field_of_view_does_not_count(real_data):
    dataset = open_dataset("drive", real_data("drive"))
    mask = dataset.load_mask(dataset.test[0])
    valid = mask != dataset.void
    assert not valid[0, 0]
    assert 0.08 < (mask[valid] == 1).mean() < 0.18
