"""A trained miniature of SDXL: its topology, its text towers, an IP-Adapter that leaks as real ones do.

`python -m tests.mini OUT` writes it as a WebUI's models folder, `python -m tests.mini.train OUT` trains it anew,
`python -m tests.mini.score` counts what style, layout and content do. What it is and is not: `README.md` beside.
"""
