"""The pages as a reader meets them: tables are current, links and pictures lead somewhere, nothing is out of reach."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from urllib.parse import unquote

import pytest

from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.webui.setup.settings import Settings
from tests.docs import DEVELOPMENT, GENERATED, PAGES, PARAMETERS, README, ROOT, updated
from tests.docs.blocks import blocks

INSTRUMENTS = tuple(sorted((ROOT / "tests").glob("*/*.md")))
IMAGES = ROOT / "docs" / "images"
_FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
LONGEST = 200  # lines of the README


def _prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def _targets(page: Path) -> list[tuple[Path, str]]:
    """The files that ``page`` links to, with the place in each; addresses and the tracker's own pages apart."""
    links = [link for link in _LINK.findall(_prose(page)) if not re.match(r"\w+:|\.\./\.\./issues", link)]
    parts = [unquote(link).partition("#") for link in links]
    return [((page.parent / path).resolve() if path else page, anchor) for path, _, anchor in parts]


def _anchors(page: Path) -> set[str]:
    """The places that a link may name: headings, as GitHub spells them."""
    headings = re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", GENERATED, ids=lambda page: page.stem)
def test_what_is_generated_is_current(page: Path) -> None:
    assert updated(page) == page.read_text(encoding="utf-8"), "run `python -m tests.docs`"


@pytest.mark.parametrize("page", [*PAGES, *INSTRUMENTS], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    for path, anchor in _targets(page):
        assert path.exists(), path
        assert path.is_relative_to(ROOT), path
        assert not anchor or anchor in _anchors(path), f"{path.name}#{anchor}"


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [README]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        waiting += [path for path, _ in _targets(page) if path.suffix == ".md" and path not in reached]
    assert not set(PAGES) - reached


def test_every_picture_is_shown() -> None:
    shown = {path for page in PAGES for path, _ in _targets(page)}
    assert not set(IMAGES.iterdir()) - shown


def test_the_api_example_is_accepted() -> None:
    payload = json.loads(next(block.text for block in blocks(README) if block.language == "json"))
    params = StyleParams.from_args(payload["alwayson_scripts"]["InstantStyle"]["args"])
    assert params.enabled


def test_the_readme_stays_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_every_setting_and_option_is_listed() -> None:
    text = PARAMETERS.read_text(encoding="utf-8")
    options = (ROOT / "preload.py").read_text(encoding="utf-8")
    keys = [f"instantstyle_{field.name}" for field in fields(Settings)] + re.findall(r'"(--[\w-]+)"', options)
    assert len(keys) > 5
    assert not [key for key in keys if key not in text]


def test_every_folder_of_tests_is_named() -> None:
    text = DEVELOPMENT.read_text(encoding="utf-8")
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    assert not [name for name in folders if f"tests/{name}" not in text]
