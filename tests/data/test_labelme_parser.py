import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kseg.data.labelme import parse_annotation, read_annotation, strict_json
from tests.data.labelme_files import document, one_sentence_about, shape

PATH = Path("some/where/a.b.json")
few = settings(max_examples=15, deadline=None, derandomize=True)
numbers = st.integers() | st.floats() | st.sampled_from([1e308, 10**400, -1])
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


def parse(content):
    text = content if isinstance(content, str) else json.dumps(content)
    return parse_annotation(text.encode(), PATH)


@few
@given(values | st.fixed_dictionaries({"shapes": st.lists(values), "imagePath": values}))
def test_arbitrary_json_raises_only_a_value_error_with_the_file(content):
    with one_sentence_about(PATH):
        parse_annotation(json.dumps(content).encode("utf-8", "surrogatepass"), PATH)


@few
@given(st.sampled_from([*shape(mask="")]), values, st.sampled_from([*document()]), values)
def test_one_wrong_value_raises_only_a_value_error_with_the_file(key, value, top_key, top_value):
    wrong = document(shape(), {**shape(kind="mask", mask=""), key: value})
    with one_sentence_about(PATH):
        parse_annotation(json.dumps(wrong).encode(), PATH)
    with one_sentence_about(PATH):
        parse_annotation(json.dumps({**wrong, top_key: top_value}).encode(), PATH)


@few
@given(st.binary(max_size=40))
def test_arbitrary_bytes_raise_only_a_value_error_with_the_file(data):
    with one_sentence_about(PATH):
        parse_annotation(data, PATH)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": None}, "label must be a text that is not empty, got None"),
        ({"label": " "}, "label must be a text"),
        ({"label": "a\nb"}, r"label 'a\\nb' holds characters that cannot be printed"),
        ({"points": None}, r"\('cat'\): points must be a list of \[x, y\], got None"),
        ({"points": [[1, 2], [3, 4]]}, "a polygon must have 3 to 20000 points, got 2"),
        ({"points": [[1, 2]] * 20_001}, "a polygon must have 3 to 20000 points, got 20001"),
        ({"points": [[1, 2], [3, 4], [5]]}, r"of two finite numbers, got \[5\]"),
        ({"points": [[1, 2], [3, 4], [5, "6"]]}, r"got \[5, '6'\]"),
        ({"points": [[1, 2], [3, 4], [5, True]]}, r"got \[5, True\]"),
        ({"points": [[1, 2], [3, 4], [5, 1e400]]}, r"a\.b\.json: .*Infinity is no number"),
        ({"points": [[1, 2], [3, 4], [5, 10**400]]}, r"of two finite numbers, got \[5, 1000"),
        ({"shape_type": "star"}, "shape_type must be one of polygon, .*, got 'star'"),
        ({"shape_type": ["polygon"]}, r"got \['polygon'\]"),
        ({"shape_type": "circle"}, "a circle must have 2 points, got 3"),
        ({"shape_type": "mask", "points": [[1, 2], [3, 4]]}, "mask must be a PNG as base64 text"),
        (
            {"shape_type": "rectangle", "points": [[1, 1], [5, 2], [4, 6], [0, 5]]},
            "not the corners of an upright one",
        ),
    ],
)
def test_a_bad_shape_is_named_by_file_and_index(change, message):
    with pytest.raises(ValueError, match=message) as caught:
        parse(document(shape(), {**shape(), **change}))
    expected = r"a\.b\.json: (shapes\[1\]|this JSON cannot be read)"
    assert re.search(expected, str(caught.value))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "this is no labelme file, it has no list of shapes"),
        ({"imagePath": "a.png"}, "it has no list of shapes"),
        (document(shapes={}), "it has no list of shapes"),
        (document(shapes=[3]), r"shapes\[0\]: a shape must be an object, got 3"),
        (document(imagePath=None), "neither imagePath nor imageData"),
        (document(imagePath=7), "imagePath must be a text or null, got 7"),
        (document(imageData=["x"]), r"imageData must be a text or null, got \['x'\]"),
        (document(imageHeight=None), "must be whole numbers above 0, got None and 40"),
        (document(imageWidth=0), "must be whole numbers above 0, got 30 and 0"),
        (document(imageWidth=True), "got 30 and True"),
        ('{"shapes": [], "shapes": []}', "the key 'shapes' appears twice in one object"),
        ('{"shapes": [NaN]}', "NaN is no number"),
        ('{"shapes": [', "this JSON cannot be read: Expecting value"),
        ('{"shapes": [' + "9" * 5000, "this JSON cannot be read: Exceeds the limit"),
        ("[" * 100_000, "the JSON is nested too deeply"),
    ],
)
def test_a_bad_file_is_named(content, message):
    with pytest.raises(ValueError, match=rf"^some/where/a\.b\.json: .*{message}"):
        parse(content)


def test_text_that_is_no_utf8_is_refused_and_a_byte_order_mark_is_not():
    text = json.dumps(document(shape("tsé")), ensure_ascii=False)
    assert parse_annotation(text.encode("utf-8-sig"), PATH).shapes[0].label == "tsé"
    with pytest.raises(ValueError, match=r"a\.b\.json: this is no UTF-8 text"):
        parse_annotation(text.encode("latin-1"), PATH)


def test_a_missing_or_giant_file_is_refused(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"b\.json: cannot be read"):
        read_annotation(tmp_path / "b.json")
    monkeypatch.setattr(strict_json, "MAX_JSON_BYTES", 2**20)
    (tmp_path / "b.json").write_bytes(b" " * (2**20 + 1))
    with pytest.raises(ValueError, match=r"b\.json: the file is larger than 1 MiB"):
        read_annotation(tmp_path / "b.json")


def test_files_of_old_versions_are_read():
    old = {"label": "cat", "points": [[1, 1], [8, 1], [8, 6]], "line_color": None}
    rectangle = {**old, "points": [[8, 6], [1, 1]], "shape_type": "rectangle"}
    corners = {**rectangle, "points": [[1, 1], [8, 1], [8, 6], [1, 6]]}
    content = {"shapes": [old, rectangle, corners], "imagePath": "a.png", "lineColor": [0, 0, 0]}
    annotation = parse(content)
    assert [s.kind for s in annotation.shapes] == ["polygon", "rectangle", "rectangle"]
    assert annotation.shapes[2].points == ((1, 1), (8, 6))
    assert annotation.size is None


def test_spaces_around_a_label_do_not_make_another_class():
    assert parse(document(shape(" cat "))).shapes[0].label == "cat"
