"""Start the stand-in WebUI with the extension, style through its API, and write a contact sheet."""

from __future__ import annotations

import argparse
import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from tests.demo.sheet import contact_sheet
from tests.host import start
from tests.live.client import WebUI, encoded
from tests.mini.assemble import assemble
from tests.mini.drawing import picture
from tests.mini.trials import SETTINGS
from tests.mini.world import scene

if TYPE_CHECKING:
    from tests.mini.world import Scenes

OUT = Path("demo")
OPENING = Path(__file__).parent / "opening"  # an extension: what the page opens with
STEPS = 20
COLUMNS: dict[str, dict[str, Any] | None] = {
    "no style": None,
    "all blocks": {"preset": "all blocks"},
    "all − content": {"preset": "all blocks", "content": "a {content}", "content_strength": 0.75},
    "style": {"preset": "style"},
    "style − content": {"preset": "style", "content": "a {content}", "content_strength": 0.75},
    "style + layout": {"preset": "style + layout"},
    "no adapter": {"method": "no adapter"},
    "both": {"preset": "style", "method": "both"},
}


@dataclass(frozen=True)
class Wish:
    """A reference, the word for what it shows, and the prompt for what is wanted instead."""

    reference: Scenes
    content: str
    prompt: str


WISHES = (
    Wish(scene("circle", "red", "cream", "stripes", outline=True, centre=(-0.2, 0.2)), "circle", "a star"),
    Wish(scene("heart", "yellow", "navy", "dots", centre=(0.22, -0.2)), "heart", "a moon"),
    Wish(scene("cross", "pink", "teal", "checker", centre=(0.2, 0.2)), "cross", "a heart"),
    Wish(scene("cross", "orange", "cream", "stripes", outline=True, centre=(-0.2, -0.05)), "cross", "a square"),
    Wish(scene("ring", "green", "gray", "dots", outline=True, centre=(-0.15, 0.0)), "ring", "a cross"),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bash demo.sh", description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT / "contact-sheet.png", help="file to write")
    parser.add_argument("--serve", action="store_true", help="leave the page open at the printed address")
    arguments = parser.parse_args()
    print("Unpacking the miniature, a small SDXL trained on a world of shapes (tests/mini).")
    with start(assemble(OUT / "models").root, "--api", "--extension", str(OPENING)) as host:
        webui = WebUI(host.url)
        rows = [row(webui, wish) for wish in WISHES]
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        sheet = contact_sheet(["reference", *COLUMNS], [f"“{wish.prompt}”" for wish in WISHES], rows)
        sheet.save(arguments.out)
        print(f"Contact sheet: {arguments.out.resolve()}")
        if arguments.serve:
            print(
                f"The page is open at {host.url} until you press Ctrl+C: press Generate, open InstantStyle, press it again."
            )
            print("Other prompts that it understands: “a heart”, “a red moon with dots on navy background, top left”.")
            host.wait()


def row(webui: WebUI, wish: Wish) -> list[Image.Image]:
    """The reference, and one picture for each column."""
    reference = picture(wish.reference)
    return [reference, *(made(webui, wish, reference, style) for style in COLUMNS.values())]


def made(webui: WebUI, wish: Wish, reference: Image.Image, style: dict[str, Any] | None) -> Image.Image:
    """One picture of the sheet."""
    request = None if style is None else {"enabled": True, "image": encoded(reference), **style}
    if request and "content" in request:
        request["content"] = request["content"].format(content=wish.content)
    answer = webui.txt2img(request, **{**SETTINGS, "batch_size": 1, "steps": STEPS, "prompt": wish.prompt, "seed": 3})
    if answer.status != 200:
        raise SystemExit(f"The WebUI answered {answer.status}: {answer.body['errors']}")
    return Image.open(io.BytesIO(base64.b64decode(answer.body["images"][0])))


if __name__ == "__main__":
    main()
