"""What the extension needs of the model side of a WebUI, and one module for each family of WebUIs that gives it.

May import the host's ``modules``, inside functions only: some are replaced while the program runs.
"""
