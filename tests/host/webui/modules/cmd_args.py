"""Command line of the stand-in: the host's own options, before extensions add theirs."""

import argparse
import os
from pathlib import Path

parser = argparse.ArgumentParser(
    prog="python -m tests.host",
    description="A small stand-in for the AUTOMATIC1111 WebUI, to try and to test the extension. Not the real thing.",
)
parser.add_argument(
    "--flavour",
    choices=("a1111", "forge", "reforge", "classic"),
    default=os.environ.get("STAND_IN_FLAVOUR", "a1111"),
    help="the WebUI to stand in for",
)
parser.add_argument("--models-dir", type=Path, required=True, help="folder with Stable-diffusion, tokenizer, …")
parser.add_argument(
    "--data-dir", type=Path, default=None, help="settings, caches and pictures; default: a temporary one"
)
parser.add_argument("--extension", type=Path, action="append", default=[], help="another extension folder to load")
parser.add_argument("--port", type=int, default=7860, help="0 chooses a free one")
parser.add_argument("--listen", action="store_true", help="answer other machines too")
parser.add_argument("--ckpt", default=None, help="name of the checkpoint to load")
parser.add_argument("--api", action="store_true", help="the API beside the page")
parser.add_argument("--nowebui", action="store_true", help="the API without the page")
parser.add_argument("--api-auth", default=None, metavar="USER:PASSWORD[,…]")
parser.add_argument("--gradio-auth", default=None, metavar="USER:PASSWORD[,…]")
parser.add_argument("--api-server-stop", action="store_true", help="allow POST /sdapi/v1/server-stop and -restart")
parser.add_argument("--use-cpu", nargs="+", default=[], help="'all' keeps the stand-in off the GPU")
parser.add_argument("--no-half", action="store_true", help="fp32 on the GPU too")
parser.add_argument("--no-hashing", action="store_true")
parser.add_argument("--disable-safe-unpickle", action="store_true")
parser.add_argument("--skip-install", action="store_true", help="do not run install.py of extensions")
parser.add_argument("--skip-load-model-at-start", action="store_true")
parser.add_argument("--threads", type=int, default=1, help="CPU threads; small models gain nothing from more")
