"""InstantStyle (arXiv 2404.02733) for SDXL: a picture's style without its content."""

NAME = "InstantStyle"
__version__ = "0.1.0"
