"""Takes the README's screenshot, with the miniature loaded: `python -m tests.browser.first_picture URL`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.browser.conftest import FLAGS
from tests.browser.page import PATIENCE, StylePage
from tests.browser.screens import IMAGES
from tests.demo.__main__ import STEPS, WISHES
from tests.mini.drawing import picture
from tests.mini.trials import SETTINGS

_WISH = WISHES[3]
_VIEW = {"width": 1280, "height": 1130}
_NUMBERS = {
    "steps": STEPS,
    "width": SETTINGS["width"],
    "height": SETTINGS["height"],
    "cfg_scale": SETTINGS["cfg_scale"],
}


def take(url: str) -> None:
    """Do what the README's *First picture* says, without content to remove, and keep a picture of the page."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = StylePage(browser.new_page(viewport=_VIEW), url)
        reference = Path(folder) / "reference.png"
        picture(_WISH.reference).resize((512, 512)).save(reference)
        page.page.fill("#txt2img_prompt textarea", _WISH.prompt)
        for name, value in _NUMBERS.items():
            page.number(f"#txt2img_{name}", str(value))
        page.page.locator("#txt2img_seed input").first.fill("3")
        page.open_accordion()
        page.upload(reference)
        page.page.wait_for_timeout(1500)
        page.page.click("#txt2img_generate")
        expect(page.page.locator("#html_info_txt2img").first).to_contain_text("InstantStyle", timeout=PATIENCE)
        page.page.mouse.move(0, 0)
        page.page.wait_for_timeout(2000)
        page.page.screenshot(path=IMAGES / "first-picture.png")
        browser.close()


if __name__ == "__main__":
    take(sys.argv[1])
