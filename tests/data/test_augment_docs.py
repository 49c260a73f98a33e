"""The page on augmentation says what there is."""

import re

import yaml

from kseg.data.augment import PRESETS
from kseg.data.augment.augmentor import DEFAULT_OPERATIONS, make_steps
from kseg.data.augment.read import OPERATIONS, make_recipe
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "augmentation.md"
TEXT = PAGE.read_text("utf-8")


def test_every_operation_and_preset_is_explained():
    for name in (*OPERATIONS, *PRESETS):
        assert f"| `{name}` |" in TEXT


def test_the_examples_are_right():
    (recipe,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert [one.name for one in make_recipe(yaml.safe_load(recipe)).operations][:2] == [
        "hflip",
        "zoom",
    ]
    (operations,) = re.findall(r"--operations '(.*?)'", TEXT, re.DOTALL)
    assert len(make_steps(yaml.safe_load(operations))) == 2
    assert len(make_steps(DEFAULT_OPERATIONS)) == 3


def test_links_lead_to_files():
    for link in re.findall(r"\]\((?!https?://)([^)#]+)\)", TEXT):
        assert (PAGE.parent / link).is_file(), link
