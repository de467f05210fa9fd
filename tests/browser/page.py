"""The WebUI's page as a person uses it: by what is seen, not by the page's internals."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

from PIL import Image
from playwright.sync_api import FloatRect, Locator, Page, TimeoutError, expect

PATIENCE = 30_000  # milliseconds; a CPU may be slow
_STILL = 400  # milliseconds in which nothing has moved
_LOOKS = 6  # at a list that is being filled


class StylePage:
    """The page with the extension's accordion in the tab ``txt2img`` or ``img2img``."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        page.goto(url)
        page.wait_for_selector("#txt2img_generate", timeout=PATIENCE)
        page.wait_for_timeout(1500)  # the host's own scripts settle

    def control(self, name: str, tab: str = "txt2img") -> Locator:
        return self.page.locator(f"#script_{tab}_instantstyle_{name}").first  # some components repeat their id inside

    def open_accordion(self, tab: str = "txt2img") -> None:
        self.control("enabled", tab).locator(".label-wrap").first.click()
        expect(self.control("preset", tab)).to_be_visible()

    def open_tab(self, label: str, tab: str = "txt2img") -> None:
        """Turn to one of the accordion's own tabs."""
        self.turn_to(self.control("tabs", tab), label)

    def unfold_weights(self) -> None:
        """Show the text with the weights of the references, in the tab References."""
        self.control("enabled").locator(".label-wrap").nth(1).click()
        expect(self.control("weights")).to_be_visible()

    def turn_to(self, tabs: Locator, label: str) -> None:
        """Turn to the tab ``label`` of ``tabs``; only gradio 4 gives its buttons the role of tabs."""
        wanted = re.compile(rf"^\s*{label}\s*$", re.IGNORECASE)  # Forge writes Txt2img
        tabs.locator(".tab-nav").first.locator("button").filter(has_text=wanted).click()

    def upload(self, picture: Path, tab: str = "txt2img") -> None:
        self.control("image", tab).locator("input[type=file]").set_input_files(picture)
        expect(self.control("image", tab).locator("img")).to_be_visible(timeout=PATIENCE)

    def press(self, name: str, tab: str = "txt2img") -> None:
        """Press one of our buttons."""
        button = self.page.locator(f"button#script_{tab}_instantstyle_{name}")
        self.place(button)
        button.click()

    def place(self, element: Locator) -> FloatRect:
        """Return where an element is, once what is still being loaded or drawn moves it no more."""
        expect(element).to_be_visible(timeout=PATIENCE)
        before, now = None, element.bounding_box()
        while before != now:
            self.page.wait_for_timeout(_STILL)
            before, now = now, element.bounding_box()
        assert now
        return now

    def give(self, name: str, *files: Path) -> None:
        """Choose files for an upload button."""
        with self.page.expect_file_chooser() as chooser:
            self.press(name)
        chooser.value.set_files(list(files))

    def toast(self) -> str:
        """Return the message that pops up when a button finds a mistake."""
        message = self.page.locator(".toast-body").first
        expect(message).to_be_visible(timeout=PATIENCE)
        return message.inner_text()

    def text(self, name: str, value: str) -> None:
        self.control(name).locator("textarea, input").first.fill(value)

    def number(self, selector: str, value: str) -> None:
        box = self.page.locator(f"{selector} input[type=number]").first
        box.fill(value)
        box.press("Tab")

    def choose(self, name: str, label: str) -> None:
        box = self.control(name).locator("input")
        box.click()
        box.fill(label)
        box.press("Enter")
        expect(box).to_have_value(label)

    def pick(self, name: str, label: str) -> None:
        """Choose an entry that the list may only get while one looks; getting it closes the list, so look again."""
        box, entry = self.control(name).locator("input"), self.control(name).locator("li", has_text=label).first
        for _ in range(_LOOKS):
            box.blur()
            box.click()
            with contextlib.suppress(TimeoutError):
                entry.click(timeout=PATIENCE / _LOOKS)
                break
        expect(box).to_have_value(label)

    def value(self, name: str, tab: str = "txt2img") -> str:
        return self.control(name, tab).locator("textarea, input[type=number], input").first.input_value()

    def is_on(self, tab: str = "txt2img") -> bool:
        return self.page.locator(f"#script_{tab}_instantstyle_enabled-visible-checkbox").is_checked()

    def generate_small(self, prompt: str = "a house") -> str:
        """Generate and return the infotext below the picture."""
        self.press_generate(prompt)
        return self._text_in("#html_info_txt2img", "Steps:")

    def result(self) -> tuple[str, bytes]:
        """Return infotext and pixels of the picture that was asked for, once it is there."""
        infotext = self._text_in("#html_info_txt2img", "Steps:")
        address = self.page.locator("#txt2img_gallery img").first.get_attribute("src")
        file = io.BytesIO(self.page.request.get(str(address)).body())
        return infotext, Image.open(file).convert("RGB").tobytes()  # some WebUIs write equal pictures as unequal files

    def generate_in_vain(self, prompt: str = "a house") -> str:
        """Press Generate and return the error that is shown."""
        self.press_generate(prompt)
        return self._text_in("#html_log_txt2img .error", "Error:")

    def press_generate(self, prompt: str) -> None:
        self.page.fill("#txt2img_prompt textarea", prompt)
        for selector, value in (("#txt2img_steps", "2"), ("#txt2img_width", "64"), ("#txt2img_height", "64")):
            self.number(selector, value)
        self.page.locator("#txt2img_seed input").first.fill("1")
        self.page.click("#txt2img_generate")

    def _text_in(self, selector: str, word: str) -> str:
        """Wait for ``word`` in the first of the elements, which the host nests under one id, and return all text."""
        element = self.page.locator(selector).first
        expect(element).to_contain_text(word, timeout=PATIENCE)
        return element.inner_text().strip()
