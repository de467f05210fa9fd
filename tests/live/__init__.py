"""End to end against any running WebUI: `pytest tests/live --webui-url http://127.0.0.1:7860`.

The WebUI must run with ``--api`` on the models of `python -m tests.tiny`. The same suite passes on the
stand-in (``--webui-url stand-in`` starts one) and on the real one.
"""
