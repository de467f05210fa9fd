"""What the extension needs from the model side of a WebUI, with one module for each family of WebUIs.

May import the host's ``modules``, inside functions only: some are replaced while the program runs.
"""
