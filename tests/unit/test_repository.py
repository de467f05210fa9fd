"""What a visitor of the repository meets: forms, workflow and the guide for contributors are in order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FORMS = sorted(path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_issue_forms_have_what_the_host_of_the_repository_asks_for(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= set(form)
    assert all(entry["type"] in ("textarea", "input", "dropdown", "checkboxes", "markdown") for entry in form["body"])
    identifiers = [entry["id"] for entry in form["body"]]
    assert len(set(identifiers)) == len(identifiers)
    assert all(entry["attributes"]["label"] for entry in form["body"])


def test_the_guide_names_what_is_there() -> None:
    for name in re.findall(r"`([\w/.]+/|[\w/]+\.(?:py|css)|tests/\w+)`", CONTRIBUTING):
        assert (ROOT / name).exists(), name
