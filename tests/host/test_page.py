"""How the page is wired: tabs of cards, and the button that sends a picture to img2img."""

from __future__ import annotations

import gradio as gr
from PIL import Image

from tests.support.events import events_of

REGISTERING = """
from modules import script_callbacks, ui_extra_networks

class Own(ui_extra_networks.ExtraNetworksPage):
    refreshed = 0
    def list_items(self):
        return [dict(name="n", filename="/x/n.txt", local_preview="/x/n.png", prompt='"<n:n:1>"')]
    def refresh(self): Own.refreshed += 1

script_callbacks.on_before_ui(lambda: ui_extra_networks.register_page(Own("Own Cards")))
"""


def test_each_page_has_a_tab_and_a_button_that_refreshes_all(host, tmp_path):
    from modules import ui_extra_networks

    (tmp_path / "own" / "scripts").mkdir(parents=True)
    (tmp_path / "own" / "scripts" / "own.py").write_text(REGISTERING, encoding="utf-8")
    host.use_extensions(tmp_path / "own")
    demo = host.shared.demo
    by_id = {block.elem_id: block for block in demo.blocks.values()}
    assert {"txt2img_extra_tabs", "img2img_extra_tabs", "txt2img_own_cards", "img2img_own_cards"} <= set(by_id)
    button = by_id["img2img_own_cards_extra_refresh_internal"]
    refresh = next(event.fn for event in events_of(demo) if button._id in event.targets)
    assert 'id="img2img_own_cards_cards"' in refresh()
    assert ui_extra_networks.extra_pages[0].refreshed == 1
    host.use_extensions()
    assert ui_extra_networks.extra_pages == []


def test_the_send_button_starts_picture_fields_and_tab_in_this_order(host):
    demo = host.shared.demo
    button = next(b for b in demo.blocks.values() if b.elem_id == "txt2img_send_to_img2img")
    sent = [event for event in events_of(demo) if button._id in event.targets]
    outputs = [[demo.blocks[i].elem_id for i in event.outputs] for event in sent]
    assert outputs[0] == ["img2img_image", "img2img_width", "img2img_height"]
    assert sent[0].js == "extract_image_from_gallery"
    inputs = [demo.blocks[i].label for i in sent[1].inputs]
    assert inputs == [demo.blocks[i].label for i in sent[1].outputs]
    assert {"Prompt", "Negative prompt", "Sampling steps", "Seed", "Weight", "Text"} == set(inputs)
    assert sent[2].js == "switch_to_img2img"


def test_the_size_is_sent_if_the_setting_says_so(host):
    from modules.infotext_utils import send_image_and_dimensions

    picture = Image.new("RGB", (8, 16))
    assert send_image_and_dimensions(picture) == (picture, 8, 16)
    host.shared.opts.data["send_size"] = False
    assert send_image_and_dimensions(picture)[1] == gr.update()
