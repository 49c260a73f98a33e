"""What the page to try a model answers, and its command."""

import asyncio
import re
import shlex
import sys

import numpy as np
import pytest
from PIL import Image

from kseg.cli import main
from kseg.config import DemoConfig, parse_config
from kseg.demo.legend import class_areas, legend
from kseg.demo.offline import POLICY, offline, without_foreign_tags
from kseg.demo.segmenter import Segmenter
from tests.conftest import ROOT
from tests.inference import demo_models
from tests.inference.demo_models import NAMES, expected, photo
from tests.test_docs import check_links

# Fixtures.
models, picture = demo_models.models, demo_models.picture

PAGE = ROOT / "docs" / "demo.md"


@pytest.fixture(scope="module")
def segmenter(models):
    return Segmenter(models)


@pytest.mark.parametrize("tile", [None, 128, 2048])
def test_an_answer_is_at_the_size_of_the_image(tile, segmenter, models, picture):
    answer = segmenter.answer(picture, models[0], tile)
    np.testing.assert_array_equal(answer.result.labels, expected(photo()))
    np.testing.assert_array_equal(answer.result.image, photo())
    assert (str(answer.result.item.name), tuple(answer.class_names)) == ("photo", NAMES)


def test_the_same_question_is_answered_once(segmenter, models, picture):
    first = segmenter.answer(picture, models[0])
    assert segmenter.answer(picture, models[0]) is first
    assert segmenter.answer(picture, models[1]) is not first
    assert segmenter.answer(picture, models[0], 256) is not first


BAD = {
    "text.png": b"no image at all",
    "empty.jpg": b"",
    "truncated.png": None,
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_gets_one_sentence_with_its_name_alone(
    name, segmenter, models, picture, tmp_path
):
    content = BAD[name]
    path = tmp_path / name
    path.write_bytes(picture.read_bytes()[:5000] if content is None else content)
    with pytest.raises(ValueError, match=rf"^{re.escape(name)}: ") as error:
        segmenter.answer(path, models[0])
    assert str(tmp_path) not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "1", "I;16", "CMYK"])
def test_images_of_every_kind_are_taken(mode, segmenter, models, tmp_path):
    image = Image.fromarray(photo()[::8, ::4])
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    path = tmp_path / f"image.{'tif' if mode == 'CMYK' else 'png'}"
    (image if mode == "I;16" else image.convert(mode)).save(path)
    assert segmenter.answer(path, models[0]).result.labels.shape == (64, 128)


def test_one_pixel_is_an_image(segmenter, models, tmp_path):
    Image.new("RGB", (1, 1), (255, 255, 255)).save(tmp_path / "one.png")
    for tile in (None, 64):
        answer = segmenter.answer(tmp_path / "one.png", models[0], tile)
        assert answer.result.labels.tolist() == [[1]]


def test_a_huge_image_is_refused_with_a_way_out(models, tmp_path):
    Image.new("L", (2000, 1000)).save(tmp_path / "huge.png")
    with pytest.raises(ValueError, match=r"^huge.png: the image has 2.0 megapixels, .* takes 1;"):
        Segmenter(models[:1], max_megapixels=1).answer(tmp_path / "huge.png", models[0])


def test_areas_and_legend_are_those_of_the_label_map():
    labels = np.array([[0, 0, 0, 1], [1, 0, 0, 0]], np.uint8)
    assert class_areas(labels, NAMES) == [
        (0, "dark", 6),
        (1, "bright", 2),
        (2, "no <pixel>", 0),
    ]
    table = legend(labels, NAMES)
    assert re.findall(r"<td>([^<]+)</td>", table) == [
        "dark",
        "6",
        "75.00%",
        "bright",
        "2",
        "25.00%",
    ]
    # The colours of labels 0 and 1 in PASCAL VOC's palette.
    assert re.findall(r"rgb\(([^)]+)\)", table) == ["0, 0, 0", "128, 0, 0"]
    assert "Not found: no &lt;pixel&gt;" in table


FOREIGN = (
    b'<head><link rel="preconnect" href="https://fonts.example"/>'
    b'<link rel=stylesheet href=//cdn.example/a.css><script src="./own.js"></script>'
    b'<script async\n src="http://cdn.example/b.js"></script>'
    b'<link rel="icon" href="/own.ico"><a href="https://example.org">x</a></head>'
)
OWN = (
    b'<head><script src="./own.js"></script><link rel="icon" href="/own.ico">'
    b'<a href="https://example.org">x</a></head>'
)


def test_tags_that_ask_other_servers_are_taken_out():
    assert without_foreign_tags(FOREIGN) == OWN


@pytest.mark.parametrize(
    ("kind", "body"), [(b"text/html; charset=utf-8", OWN), (b"application/json", FOREIGN)]
)
def test_only_pages_are_changed_and_all_answers_have_the_policy(kind, body):
    sent, scopes = [], []

    async def app(scope, receive, send):
        scopes.append(scope)
        headers = [(b"content-type", kind), (b"content-length", str(len(FOREIGN)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": FOREIGN[:70], "more_body": True})
        await send({"type": "http.response.body", "body": FOREIGN[70:]})

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "headers": [(b"accept-encoding", b"gzip"), (b"host", b"here")]}
    asyncio.run(offline(app)(scope, None, send))
    headers = dict(sent[0]["headers"])
    assert b"".join(message["body"] for message in sent[1:]) == body
    assert headers[b"content-length"] == str(len(body)).encode()
    assert headers[b"content-security-policy"] == POLICY.encode()
    assert scopes[0]["headers"] == [(b"host", b"here")]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--blend", "2"], "--blend must be at most 1, got 2.0"),
        (["--tile", "8"], "--tile must be at least 32, got 8"),
        (["--port", "70000"], "--port must be at most 65535"),
        ([], "nowhere: there is no trained model here"),
    ],
)
def test_a_mistake_gets_one_line(flags, message, capsys):
    pytest.importorskip("gradio")
    with pytest.raises(SystemExit, match="2"):
        main(["demo", "nowhere", *flags])
    assert message in capsys.readouterr().err


def test_without_gradio_the_way_to_install_it_is_told(models, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(SystemExit, match="2"):
        main(["demo", models[0]])
    assert "pip install 'kseg[demo]'" in capsys.readouterr().err


def test_a_port_in_use_is_named(models, capsys):
    import socket

    pytest.importorskip("gradio")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match="2"):
            main(["demo", models[0], "--port", str(port)])
    assert f"--port {port}" in capsys.readouterr().err


def test_the_commands_of_the_page_are_understood():
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    for line in "".join(blocks).replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words and words[-1] != "kseg[demo]" and "demo.py" in words[1]:
            parse_config(DemoConfig, words[2:])


def test_links_of_the_page_lead_somewhere():
    check_links(PAGE)
