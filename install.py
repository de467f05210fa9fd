"""Installs nothing: everything this extension needs comes with the WebUI. Says plainly if something is missing."""

import importlib.util

REQUIRED = ("torch", "gradio", "safetensors", "transformers", "numpy", "PIL")

missing = [name for name in REQUIRED if importlib.util.find_spec(name) is None]
if missing:
    print(
        f"sd-webui-instantstyle: missing {', '.join(missing)}, which the WebUI itself needs. "
        "Start the WebUI once without --skip-install so that it repairs its environment."
    )
