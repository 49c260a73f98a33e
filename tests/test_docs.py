"""The pages name every model, option, loss and score; their code runs, their links are right."""

import re
import unicodedata

import keras
import pytest

from kseg.encoders import encoder_spec, list_encoders
from kseg.losses import list_losses
from kseg.losses.registry import known_options
from kseg.metrics import list_metrics
from kseg.models import list_models, model_spec
from kseg.models.registry import option_names
from tests.conftest import ROOT

DOCS = ROOT / "docs"
PAGES = {path.name: path.read_text("utf-8") for path in sorted((DOCS / "models").glob("*.md"))}
GUIDES = {name: (DOCS / name).read_text("utf-8") for name in ("losses.md", "metrics.md")}
TEXTS = {f"models/{name}": text for name, text in PAGES.items()} | GUIDES
each_page = pytest.mark.parametrize("page", TEXTS)
each_model = pytest.mark.parametrize("name", list_models())


def section(name):
    """The text of a model on its family's page, empty where it has none."""
    text = PAGES.get(f"{model_spec(name).family}.md", "")
    found = re.search(rf"^## {re.escape(name)}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    return found[1] if found else ""


@each_model
def test_a_model_has_a_section_with_code_departures_and_diagram(name):
    text = section(name)
    assert f'get_model("{name}' in text
    assert f"<!-- diagram {name} -->" in text
    assert (f"<!-- departures {name} -->" in text) == bool(model_spec(name).departures)


@each_model
def test_a_section_lists_the_options_and_names_the_aliases(name):
    written = section(name).split("<!--")[0]
    bullets = re.findall(r"^- (`[^:]*):", written, re.MULTILINE)
    listed = {option for bullet in bullets for option in re.findall(r"`(\w+)`", bullet)}
    assert listed - {"encoder_weights"} == set(option_names(name))
    for alias in model_spec(name).aliases:
        first, last = alias.rsplit("_", 1)[0], alias
        assert f"`{last}`" in written or f"`{first}_" in written


def test_every_encoder_is_listed_with_its_normalisation_and_weights():
    table = PAGES["encoders.md"].split("## What there is")[1].split("## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")]
    for name in list_encoders():
        spec = encoder_spec(name)
        (row,) = (row for row in rows if f"`{name}`" in row)
        *_, convention, imagenet = (cell.strip() for cell in row.strip("|").split("|"))
        assert (convention, imagenet) == (spec.convention, "yes" if spec.imagenet else "no")


@pytest.mark.parametrize("name", list_losses())
def test_the_page_of_losses_has_a_row_with_the_options_of_a_loss(name):
    row, *_ = re.findall(rf"^\| `{name}` \|.*$", GUIDES["losses.md"], re.MULTILINE)
    shared = GUIDES["losses.md"].split("<!-- options -->")[1]
    for option in known_options(name):
        assert f"`{option}=" in row or f"`{option}=" in shared


def test_the_page_of_metrics_has_a_row_for_every_score():
    rows = re.findall(r"^\| `(\w+)` \|", GUIDES["metrics.md"], re.MULTILINE)
    assert set(list_metrics()) <= set(rows)


def slow_but(quick):
    """All pages, of which only some take little enough time for every day."""
    slow = pytest.mark.full
    return [page if page in quick else pytest.param(page, marks=slow) for page in TEXTS]


@pytest.mark.parametrize("page", slow_but(("losses.md", "metrics.md", "models/unet.md")))
def test_the_code_of_a_page_runs(page):
    for code in re.findall(r"```python\n(.*?)```", TEXTS[page], re.DOTALL):
        exec(compile(code, page, "exec"), {})
        keras.utils.clear_session()


@each_page
def test_a_link_leads_to_a_file_and_its_heading(page):
    check_links(DOCS / page)


def check_links(page):
    """Fail for a link of a page that leads to no file or no heading."""
    for link in re.findall(r"\]\((?!https?://)([^)]+)\)", page.read_text("utf-8")):
        file, _, heading = link.partition("#")
        target = page.parent / file if file else page
        assert target.is_file(), link
        assert not heading or heading in anchors(target.read_text("utf-8")), link


def anchors(text):
    """The anchors that GitHub makes of the headings: repeated ones get a number."""
    seen = []
    for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        slug = "".join(c for c in title.lower() if c in " -_" or unicodedata.category(c)[0] in "LN")
        slug = slug.replace(" ", "-")
        count = sum(re.fullmatch(rf"{re.escape(slug)}(-\d+)?", other) is not None for other in seen)
        seen.append(f"{slug}-{count}" if count else slug)
    return seen
