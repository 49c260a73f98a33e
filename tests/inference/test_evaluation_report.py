"""The page of an evaluation: it needs nothing else, and shows what it must in a browser."""

import base64
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from kseg.config import EvaluateConfig
from kseg.data.registry import open_dataset
from kseg.inference.evaluate import evaluate
from kseg.inference.evaluation import EvaluationOptions
from kseg.inference.evaluation.classes import Classes
from kseg.inference.evaluation.compare import compare, read_evaluated
from kseg.inference.evaluation.duel import Rival
from kseg.inference.evaluation.html import render
from kseg.inference.evaluation.jobs import jobs_of
from kseg.inference.evaluation.mask_scorer import MaskScorer
from tests.browser import CHROMIUM, Browser
from tests.inference.evaluation_cases import BRIGHT, write_data, write_model

IMAGES = 4
# What can make a browser load something.
LOADING = ("src", "srcset", "href", "action", "data", "poster", "background", "cite", "formaction")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page of an evaluation that is compared with one of other masks."""
    folder = tmp_path_factory.mktemp("report")
    data = write_data(folder / "data" / "squares", IMAGES)
    write_model(folder / "run" / "best.keras")
    (folder / "run" / "config.yaml").write_text("loss: dice\nlearning_rate: 0.5\n")
    common = {"dataset_name": data.name, "data_root": str(data.parent)}
    masks = folder / "masks"
    masks.mkdir()
    for index in range(IMAGES):
        mask = np.zeros((32, 32), np.uint8)
        mask[4:15, 4:12] = 1
        Image.fromarray(mask).save(masks / f"{index:02}.png")
    evaluate(EvaluateConfig(mode="score", predictions=str(masks), **common))
    options = {"auc": True, "boundary": True, "v_rand": True, "compare": str(masks / "evaluation")}
    evaluate(EvaluateConfig(str(folder / "run"), output=str(folder / "out"), **common, **options))
    return folder / "out" / "report.html"


class Found(HTMLParser):
    """Tags and their attributes, and the text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def outside(text):
    """All that a page refers to and that is neither in it nor a data URI."""
    found = Found(text)
    values = [v for _, names in found.tags for k, v in names.items() if k in LOADING]
    values += re.findall(r"url\(\s*['\"]?([^)'\"]+)", text) + re.findall(r"@import[^;]*", text)
    return [value for value in values if not re.match(r"#[\w-]+$|data:", value)]


def test_the_page_refers_to_nothing_outside(page):
    text = page.read_text("utf-8")
    assert outside(text) == []
    assert not re.search(r"https?:|//[a-z]", re.sub(r"data:image/jpeg;base64,[^\"]+", "", text))
    assert not {"script", "iframe", "object", "embed", "base"} & {
        tag for tag, _ in Found(text).tags
    }
    assert outside('<img src="https://x.y/z.png"><style>a{b:url(c.png)}</style>') != []


def test_the_page_is_made_for_phones_and_readers(page):
    tags = Found(page.read_text("utf-8")).tags
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in [
        names for tag, names in tags if tag == "meta"
    ]
    images = [names for tag, names in tags if tag == "img"]
    # The worst four, as there are no others to be the best, and each beside the other masks'.
    assert len(images) == (4 + 6) * IMAGES
    assert all(names["alt"] for names in images)
    targets = {names["id"] for _, names in tags if "id" in names}
    links = [names["href"][1:] for tag, names in tags if tag == "a"]
    assert len(links) > 8
    assert set(links) <= targets


def test_the_page_says_what_the_report_says(page):
    report = json.loads((page.parent / "report.json").read_text())
    text = Found(page.read_text("utf-8")).text
    for value in (report["means"]["mean_iou"], report["classes"][1]["recall"]):
        assert f"{value:.3f}" in text
    assert f"Expected calibration error {report['calibration']['ece']:.4f}" in text
    for word in ("squares", "part test", "4 images", "learning_rate: 0.5", "average precision"):
        assert word in text
    # The lesser of the two whose pixel lies at the right place has three rows too many.
    assert "v rand, best threshold" in text


def test_names_cannot_break_the_page(page):
    report = json.loads((page.parent / "report.json").read_text())
    report["classes"][1]["name"] = '<script>alert(1)</script>&"'
    report["scored"]["model"] = "</style><img src=x>"
    text = render(report, {})
    assert "<script" not in text
    assert "<img" not in text
    assert report["classes"][1]["name"] in Found(text).text


def test_a_bare_report_is_a_page_too(page):
    report = json.loads((page.parent / "report.json").read_text())
    for name in ("sizes", "calibration", "boundary", "auc", "v_rand"):
        del report[name]
    report |= {"intervals": None}
    report["classes"][1] |= {"iou": None, "recall": None}
    assert "\u2013" in Found(render(report, {})).text


def test_two_evaluations_are_compared_class_by_class_and_image_by_image(page):
    found = compare(
        read_evaluated(page.parent),
        read_evaluated(page.parents[1] / "masks"),
        resamples=200,
        seed=0,
    )
    reports = [
        json.loads((one / "report.json").read_text())
        for one in (page.parent, page.parents[1] / "masks" / "evaluation")
    ]
    (mean,) = (row for row in found["means"] if row["name"] == "mean_iou")
    ours, theirs = (report["means"]["mean_iou"] for report in reports)
    assert mean["difference"] == pytest.approx(ours - theirs)
    # The model finds the first 8 of 8, 9, 10 and 11 rows, the masks have 11 each.
    assert [len(found["images"][key]) for key in ("gained", "lost")] == [2, 2]
    name, ours, theirs = found["images"]["gained"][0]
    assert (name, ours) == ("00", 1)
    low, high = found["images"]["interval"]
    assert low < found["images"]["mean_difference"] < high
    assert not found["warnings"]
    assert found["settings"] == [
        {"name": "boundary", "values": [True, False]},
        {"name": "auc", "values": [True, False]},
        {"name": "v_rand", "values": [True, False]},
        {"name": "calibration", "values": [True, False]},
    ]


def test_a_comparison_of_different_things_is_told(page, tmp_path):
    this = read_evaluated(page.parent)
    other = json.loads(json.dumps(this.report))
    other["scored"]["split"], other["classes"][0]["name"] = "val", "sky"
    other["scored"]["run_config"]["loss"] = "ce"
    (tmp_path / "report.json").write_text(json.dumps(other))
    found = compare(this, read_evaluated(tmp_path), resamples=10, seed=0)
    assert found["warnings"] == ["The classes of the two differ.", "split: test here, val there."]
    assert found["settings"] == [{"name": "loss", "values": ["dice", "ce"]}]
    assert found["images"] is None
    assert found["classes"][0]["difference"] is None
    other["scored"]["split"] = None
    (tmp_path / "report.json").write_text(json.dumps(other))
    found = compare(this, read_evaluated(tmp_path), resamples=10, seed=0)
    assert found["warnings"][-1] == "split: test here, none there."
    del other["scored"]
    (tmp_path / "report.json").write_text(json.dumps(other))
    found = compare(this, read_evaluated(tmp_path), resamples=10, seed=0)
    assert "does not say which images it scored" in found["warnings"][-1]


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_browser_shows_the_page_on_screens_and_phones(page, tmp_path):
    with Browser(tmp_path / "browser", size=(1200, 900), seconds=180) as browser:
        browser.open(page.as_uri())
        browser.wait("document.readyState == 'complete' && document.images.length > 0")
        assert browser.run("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
        assert {one.partition(":")[0] for one in browser.addresses()} == {"file", "data"}
        browser.run("document.querySelector('#classes').scrollIntoView()")
        browser.screenshot(tmp_path / "classes.png")
        browser.run("document.querySelector('#worst-images').scrollIntoView()")
        browser.screenshot(tmp_path / "pictures.png")
        assert browser.run("document.documentElement.scrollWidth") <= 1200
        browser.resize(360, 740, phone=True)
        assert browser.run("document.documentElement.scrollWidth") <= 360
        assert browser.run("[...document.images].every(i => i.clientWidth < 360)")
        browser.screenshot(tmp_path / "phone.png")
    # The bar of the IoU of a class, and the bright square of an image.
    assert share(tmp_path / "classes.png", (47, 98, 153)) > 0.001
    assert share(tmp_path / "pictures.png", BRIGHT, 12) > 0.005
    assert share(tmp_path / "phone.png", (255, 255, 255)) < 0.97


def share(picture, colour, near=2):
    pixels = np.array(Image.open(picture).convert("RGB")).astype(int)
    return np.mean(np.abs(pixels - colour).max(-1) <= near)


def rival_of(page, tmp_path, **scored):
    """The pictures of the page's evaluation against itself, with another report."""
    this = read_evaluated(page.parent)
    report = json.loads(json.dumps(this.report))
    report["scored"] |= scored
    (tmp_path / "report.json").write_text(json.dumps(report))
    scores = (page.parent / "per_image.csv").read_text().replace("00,1024,1.0", "00,1024,0.5")
    (tmp_path / "per_image.csv").write_text(scores)
    dataset = open_dataset("squares", page.parents[1] / "data")
    classes = Classes.of(dataset, EvaluationOptions())
    scorer = MaskScorer(page.parents[1] / "masks", dataset, classes)
    rival = Rival(read_evaluated(tmp_path), dataset)
    return rival.compared(this, jobs_of(dataset.test), scorer, classes)


def test_the_other_model_answers_again_for_the_pictures_side_by_side(page, tmp_path):
    found = rival_of(page, tmp_path)
    (duel,) = found["duels"]["gained"]
    assert (duel.name, duel.scores, found["duels"]["lost"]) == ("00", (1.0, 0.5), [])
    here, there = (
        np.array(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("L"))
        for title, uri in duel.pictures.items()
        if title.startswith("errors")
    )
    # The masks have three rows too many (4..11 are right), the model has no error.
    assert here[13, 8] > there[13, 8] + 50
    assert abs(int(here[8, 8]) - there[8, 8]) < 20


@pytest.mark.parametrize(
    ("scored", "said"),
    [
        ({"model": "gone/best.keras"}, "gone/best.keras"),
        ({"model": None}, "its report names no model"),
        ({"predictions": "gone"}, "gone: no such folder"),
    ],
)
def test_a_rival_that_is_gone_has_no_pictures_and_the_page_says_so(page, tmp_path, scored, said):
    found = rival_of(page, tmp_path, **scored)
    assert said in found["no_duels"]
    report = json.loads((page.parent / "report.json").read_text())
    text = Found(render(report, {}, found)).text
    assert "There are no pictures of the other" in text
    assert said in text
