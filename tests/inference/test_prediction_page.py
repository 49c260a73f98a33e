"""The page on prediction is complete, its commands are understood, its code runs."""

import re
import shlex

import pytest

from kseg.config import LabelmeConfig, PredictConfig, TrainConfig, parse_config
from kseg.config.predict import KINDS, Mode, Tta
from kseg.inference.film import FILM_KINDS
from kseg.inference.sources import STDIN
from kseg.runs import RunFolder
from tests.conftest import ROOT
from tests.inference.bright import save_bright
from tests.test_docs import check_links

PAGE = ROOT / "docs" / "prediction.md"
TEXT = PAGE.read_text("utf-8")
CONFIGS = {
    "examples/predict.py": PredictConfig,
    "examples/train.py": TrainConfig,
    "tools/json_to_dataset.py": LabelmeConfig,
}
LARGEST_PICTURE = 300_000


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_the_commands_are_understood():
    for line in "".join(blocks("sh")).replace("\\\n", " ").splitlines():
        words = shlex.split(line)
        assert (ROOT / words[1]).is_file()
        parse_config(CONFIGS[words[1]], words[2:])


def test_the_code_runs(parts_root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(parts_root)
    best = RunFolder(tmp_path / "weights/exp1/unet").best
    best.parent.mkdir(parents=True)
    save_bright(best)
    names = {}
    for code in blocks("python"):
        exec(compile(code, PAGE.name, "exec"), names)
    assert len(names["files"]) == 5
    assert names["picture"].shape == (*names["labels"].shape, 3)


@pytest.mark.parametrize("name", [*KINDS, *Mode.__args__, *Tta.__args__[1:], STDIN])
def test_every_kind_mode_and_set_of_views_is_named(name):
    assert re.search(rf'[`"]{re.escape(name)}["`]', TEXT)


def test_flags_of_the_page_are_settings():
    flags = set(re.findall(r"--(\w+)", TEXT)) - {"test_images", "output_path"}
    known = {name for config in CONFIGS.values() for name in config.__dataclass_fields__}
    assert flags <= known
    assert set(re.findall(r"`(\w+)`", TEXT)) >= set(FILM_KINDS)


def test_links_lead_to_files_and_headings():
    check_links(PAGE)


def test_the_pictures_are_small():
    pictures = re.findall(r"!\[[^\]]+\]\((.*?)\)", TEXT)
    assert len(pictures) == 2
    assert all((PAGE.parent / name).stat().st_size < LARGEST_PICTURE for name in pictures)
