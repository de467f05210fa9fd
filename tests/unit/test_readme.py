import json
import re

from lib_instantstyle.params import StyleParams
from tests.docs import README, updated

TEXT = README.read_text(encoding="utf-8")


def test_the_table_of_controls_is_current() -> None:
    assert updated(TEXT) == TEXT, "run `python -m tests.docs`"


def test_the_api_example_is_accepted() -> None:
    payload = json.loads(re.search(r"```json\n(.*?)```", TEXT, re.DOTALL)[1])
    params = StyleParams.from_args(payload["alwayson_scripts"]["InstantStyle"]["args"])
    assert params.enabled


def test_pictures_and_pages_exist() -> None:
    for target in re.findall(r"\]\((docs/[^)]+)\)", TEXT):
        assert (README.parent / target).is_file(), target


def test_it_stays_short() -> None:
    assert len(TEXT.splitlines()) <= 200
