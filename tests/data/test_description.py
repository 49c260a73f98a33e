"""What a data set's folder says about itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kseg.data import open_dataset
from kseg.data.class_table import find_class_table
from kseg.data.description import read_description

TABLES = {
    "class_dict.csv": "name,r,g,b\nSky,128,128,128\nCar, 64, 0 ,128\nVoid,0,0,0\n",
    "classes.csv": "\ufeffSky;,128,128,128\r\nCar,64,0,128\r\n",
    "label_colors.txt": "128 128 128\t\tSky\n64 0 128\tCar of mine\n0 0 0\tVoid\n",
    "labelmap.txt": "# label:color_rgb:parts:actions\nSky:128,128,128::\nCar:64,0,128:wheel:\n",
    "classes.txt": "Sky\nCar\n\n__ignore__\n",
}
# Ten to the ninth items in a few bytes.
LAUGHS = (
    "[a, "
    + ", ".join(f"&x{i} [{', '.join([f'*x{i - 1}'] * 10 if i else 'b')}]" for i in range(9))
    + "]"
)
EXPECTED = {
    "class_dict.csv": (("Sky", "Car"), 2),
    "classes.csv": (("Sky;", "Car"), None),
    "label_colors.txt": (("Sky", "Car of mine"), 2),
    "labelmap.txt": (("Sky", "Car"), None),
    "classes.txt": (("Sky", "Car"), 2),
}


def result_or_error(function, *arguments):
    try:
        return function(*arguments), ""
    except ValueError as error:
        return None, str(error)


def write(folder, name, text):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    return folder


@pytest.fixture
def own_set(tmp_path):
    """A function that makes plain folders of one image each, with these label pixels."""

    def make(mask, **files):
        for part in ("train", "test"):
            for kind, array in (("image", np.zeros((2, 3, 3), "uint8")), ("label", mask)):
                (tmp_path / f"{part}_{kind}").mkdir(exist_ok=True)
                Image.fromarray(np.asarray(array, "uint8")).save(
                    tmp_path / f"{part}_{kind}" / "a.png"
                )
        for name, text in files.items():
            write(tmp_path, name.replace("_yaml", ".yaml").replace("_csv", ".csv"), text)
        return open_dataset("own", tmp_path)

    return make


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_classes_are_read(name, tmp_path):
    table = find_class_table(write(tmp_path, name, TABLES[name]))
    assert (table.class_names, table.void) == EXPECTED[name]
    if name == "classes.txt":
        assert table.colours is None
    else:
        assert table.colours[:2] == ((128, 128, 128), (64, 0, 128))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the table must have 1 to 255 rows, not 0"),
        ("a,1,2,3\na,4,5,6", "the name 'a' appears twice"),
        ("a,1,2,3\nb,1,2,3", r"the colour \(1, 2, 3\) appears twice"),
        ("a,1,2,300", "row 'a': a colour is three numbers in 0..255, not '1,2,300'"),
        ("a,1,2", "row 'a': a colour is three numbers"),
        ("a,1,2,nan", "row 'a': a colour is three numbers"),
        ("a,1,2,-3", "row 'a': a colour is three numbers"),
        ("a,1,2,3\nb", "row 'b': a colour is three numbers"),
        (",1,2,3", "a row has no name"),
        ('"a,1,2,3', "line 1: this is no CSV"),
        ("\n".join(f"c{i}" for i in range(300)), "the table must have 1 to 255 rows, not 300"),
    ],
)
def test_a_bad_table_is_named(text, message, tmp_path):
    with pytest.raises(ValueError, match=f"class_dict.csv: {message}"):
        find_class_table(write(tmp_path, "class_dict.csv", text))


def test_a_table_that_is_no_text_is_named(tmp_path):
    (tmp_path / "labelmap.txt").write_bytes(b"\xff\xfe\0a")
    with pytest.raises(ValueError, match="labelmap.txt: this is no UTF-8 text"):
        find_class_table(tmp_path)


@pytest.mark.parametrize("name", TABLES)
@given(text=st.text(max_size=200))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_any_text_gives_a_table_or_one_sentence(name, text, tmp_path_factory):
    folder = write(tmp_path_factory.mktemp("table"), name, "")
    (folder / name).write_text(text, "utf-8", errors="replace", newline="")
    table, error = result_or_error(find_class_table, folder)
    assert name in error if table is None else 1 <= len(table.names) <= 255


def test_colours_beside_plain_folders_are_labels(own_set):
    mask = [[(128, 128, 128), (0, 0, 0), (64, 0, 128)]] * 2
    dataset = own_set(mask, class_dict_csv=TABLES["class_dict.csv"])
    assert (dataset.class_names, dataset.ignore_class) == (("Sky", "Car"), 2)
    assert dataset.load(dataset.train[0]).mask.tolist() == [[0, 2, 1]] * 2


def test_void_between_classes_keeps_the_row_numbers_as_labels(own_set):
    table = "Sky,128,128,128\nVoid,0,0,0\nCar,64,0,128\n"
    dataset = own_set([[(128, 128, 128), (0, 0, 0), (64, 0, 128)]] * 2, class_dict_csv=table)
    assert (dataset.num_classes, dataset.ignore_class) == (3, 1)
    assert dataset.load_mask(dataset.train[0]).tolist() == [[0, 1, 2]] * 2


def test_a_yaml_file_describes_a_data_set(own_set):
    yaml = "class_names: [ground, crack]\nignore_class: 255\nvalues: {0: 0, 255: 1, 7: 255}\n"
    dataset = own_set([[0, 255, 7]] * 2, dataset_yaml=f"{yaml}channels: 1\n")
    assert (dataset.class_names, dataset.ignore_class) == (("ground", "crack"), 255)
    sample = dataset.load(dataset.train[0])
    assert sample.image.shape == (2, 3, 1)
    assert sample.mask.tolist() == [[0, 1, 255]] * 2


def test_a_value_that_the_yaml_file_does_not_list_is_named(own_set):
    dataset = own_set([[0, 255, 7]] * 2, dataset_yaml="values: {0: 0, 255: 1}")
    with pytest.raises(ValueError, match=r"a.png: values \[7\] are not in the table of values"):
        dataset.load(dataset.train[0])


def test_colours_and_classes_must_fit(own_set):
    with pytest.raises(ValueError, match="there are 3 colours for 2 classes"):
        own_set([[0, 0, 0]] * 2, dataset_yaml="colours: [[0, 0, 0], [1, 1, 1], [2, 2, 2]]")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("classes: [a]", "unknown key 'classes'; the keys are class_names, ignore_class"),
        ("[1, 2]", "the file must hold keys"),
        ("a: [", "this is no YAML"),
        ("a: &a [*a]", "unknown key 'a'"),
        ("!!python/object/apply:os.system [ls]", "this is no YAML"),
        ("class_names: all", "class_names: give a list of 1 to 255 names"),
        ("class_names: []", "class_names: give a list"),
        (f"class_names: {LAUGHS}", "class_names: give a list"),
        ("ignore_class: .nan", r"ignore_class: give a whole number in 0..255, not nan"),
        ("ignore_class: 256", "ignore_class: give a whole number"),
        ("ignore_class: true", "ignore_class: give a whole number"),
        ("channels: 0", "channels: give a whole number in 1..512"),
        ("colours: [[1, 2]]", "colours: a colour is three numbers"),
        ("colours: [red]", "colours: give each colour as"),
        ("colours: 3", "colours: give a list of"),
        ("values: [0, 1]", "values: give value: label pairs"),
        ("values: {a: 1}", "values: give a whole number in 0..65535, not 'a'"),
        ("values: {0: 1.5}", "values: give a whole number in 0..255, not 1.5"),
    ],
)
def test_a_bad_yaml_file_is_named(text, message, tmp_path):
    with pytest.raises(ValueError, match=f"dataset.yaml: {message}"):
        read_description(write(tmp_path, "dataset.yaml", text) / "dataset.yaml")
