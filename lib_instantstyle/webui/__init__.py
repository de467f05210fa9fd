"""The border to the WebUI: the rooms in here are the only ones that may import its modules, or gradio.

`extension` holds everything that lives as long as the process; `scripts/instantstyle.py` hangs it into the host.
"""
