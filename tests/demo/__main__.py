"""Start the stand-in WebUI with the extension, style through its API, and write a contact sheet."""

from __future__ import annotations

import argparse
import base64
import io
from pathlib import Path
from typing import Any

from PIL import Image

from tests.demo.sheet import contact_sheet
from tests.host import start
from tests.live.client import WebUI, encoded
from tests.tiny import write_all

OUT = Path("demo")
CONTENT = "stripes, dots, a sun"
COLUMNS: dict[str, dict[str, Any] | None] = {
    "no style": None,
    "style": {"preset": "style"},
    "style + layout": {"preset": "style + layout"},
    "all blocks": {"preset": "all blocks"},
    "style minus content": {"preset": "style", "content": CONTENT},
}
SETTINGS = {"prompt": "a house by the sea", "width": 192, "height": 192, "steps": 6, "seed": 1, "cfg_scale": 5}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bash demo.sh", description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT / "contact-sheet.png", help="file to write")
    parser.add_argument("--serve", action="store_true", help="leave the page open at the printed address")
    arguments = parser.parse_args()
    print("Writing tiny random models; pictures made with them are noise, but every part takes part.")
    models = write_all(OUT / "models", others=False)
    with start(models.root) as host:
        webui = WebUI(host.url)
        rows = [row(webui, Image.open(path).convert("RGB")) for path in sorted(models.pictures.glob("*.png"))]
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        contact_sheet(["reference", *COLUMNS], rows).save(arguments.out)
        print(f"Contact sheet: {arguments.out.resolve()}")
        if arguments.serve:
            print(f"The page is open at {host.url} until you press Ctrl+C.")
            host.wait()


def row(webui: WebUI, reference: Image.Image) -> list[Image.Image]:
    """The reference, and one picture for each column."""
    return [reference, *(picture(webui, reference, style) for style in COLUMNS.values())]


def picture(webui: WebUI, reference: Image.Image, style: dict[str, Any] | None) -> Image.Image:
    request = None if style is None else {"enabled": True, "image": encoded(reference), **style}
    answer = webui.txt2img(request, **SETTINGS)
    if answer.status != 200:
        raise SystemExit(f"The WebUI answered {answer.status}: {answer.body['errors']}")
    return Image.open(io.BytesIO(base64.b64decode(answer.body["images"][0])))


if __name__ == "__main__":
    main()
